/* Words of a page that a script completes: the grid and « Élève par élève ». */
window.Spirale = window.Spirale || {};

/** « {n} sur {total} ». « de {name} » before a vowel is « d’Adam »: only French words have it. */
Spirale.fill = function (text, values) {
  'use strict';

  function startsWithVowel(value) { return /^[aeiouh]/i.test(String(value).normalize('NFD')); }

  return text
    .replace(/\b(d)e (?=\{(\w+)\})/gi, function (whole, d, name) { return name in values && startsWithVowel(values[name]) ? d + '’' : whole; })
    .replace(/\{(\w+)\}/g, function (whole, name) { return name in values ? values[name] : whole; });
};

/** The state of a page, in the line that is read aloud: an icon and a sentence; « stop » is what went wrong. */
Spirale.sayState = function (line, icon, text) {
  'use strict';

  if (line.textContent === text) return;        // a reader is not told the same minute twice
  line.classList.toggle('bad', icon === 'stop');
  line.textContent = text;
  if (!text) return;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'ico');
  svg.setAttribute('aria-hidden', 'true');
  svg.appendChild(document.createElementNS(svg.namespaceURI, 'use')).setAttribute('href', '#i-' + icon);
  line.prepend(svg);
};
