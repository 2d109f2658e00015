/* One pupil at a time: each choice is saved as it is made. Without this file the form is saved by its buttons. */
(function () {
  'use strict';

  const form = document.getElementById('one');
  const state = document.getElementById('one-state');
  if (!form || !window.Spirale) return;

  function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    svg.setAttribute('class', 'ico');
    svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#i-' + name);
    svg.append(use);
    return svg;
  }

  function say(name, words) {
    state.replaceChildren(icon(name), words);
  }

  const outbox = window.Spirale.createOutbox({
    saveUrl: form.dataset.saveUrl,
    pollUrl: form.dataset.saveUrl,
    csrf: form.dataset.csrf,
    cursor: 0,
    onState: function (now) {
      if (now.kind === 'saving') say('wait', state.dataset.saving);
      else if (now.kind === 'offline') say('stop', state.dataset.offline.replace('{n}', now.count));
      else if (now.kind === 'stopped') say('stop', now.message);
      else if (now.at) say('check', state.dataset.saved.replace('{at}', now.at));
    },
    onSaved: function () {},
    onRefused: function (entry, message) { say('stop', message); },
    onCells: function () {},
    onPeople: function () {},
  });

  /** A code takes the place of a level, and the other way round. */
  function settle(part, target) {
    const code = part.querySelector('select');
    if (target.type === 'radio') code.value = '';
    if (target === code) part.querySelectorAll('input[type=radio]').forEach(function (radio) { radio.checked = false; });
  }

  form.addEventListener('change', function (event) {
    const part = event.target.closest('fieldset');
    if (!part) return;
    settle(part, event.target);
    const radio = part.querySelector('input[type=radio]:checked');
    outbox.add([{
      person: Number(form.dataset.person),
      competence: Number(part.dataset.competence),
      value: part.querySelector('select').value || (radio ? radio.value : ''),
      comment: part.querySelector('textarea').value,
    }]);
  });

  window.addEventListener('beforeunload', function (event) {
    if (outbox.count()) event.preventDefault();
  });
})();
