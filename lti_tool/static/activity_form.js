/* The activity form: remarks follow what is ticked. Without this file they are those of the last saving. */
(function () {
  'use strict';

  const form = document.getElementById('activity-form');
  const place = document.getElementById('nudges');
  if (!form || !place) return;
  let timer = 0;
  let asked = 0;

  async function refresh() {
    const mine = asked += 1;
    const chosen = new URLSearchParams();
    form.querySelectorAll('[name=competences]:checked').forEach(function (box) { chosen.append('competences', box.value); });
    const complexity = form.querySelector('[name=complexity]:checked');
    if (complexity) chosen.append('complexity', complexity.value);
    form.querySelectorAll('[name=specialities]:checked').forEach(function (box) { chosen.append('specialities', box.value); });
    const url = form.dataset.nudges;
    const answer = await fetch(url + (url.includes('?') ? '&' : '?') + chosen).catch(function () { return null; });
    // A slow answer must not replace a newer one.
    if (answer && answer.ok && mine === asked) place.innerHTML = await answer.text();
  }

  function count() {
    const ticked = document.getElementById('ticked');
    const n = form.querySelectorAll('[name=competences]:checked').length;
    ticked.textContent = (n < 2 ? ticked.dataset.one : ticked.dataset.many).replace('{n}', n);
  }

  /* Which periods of the course the date is in. */
  function period() {
    const said = document.getElementById('period');
    const day = form.elements.starts_on.value;
    if (!said) return;
    const names = JSON.parse(said.dataset.periods).filter(function (one) { return one.from <= day && day <= one.to; });
    said.textContent = !day ? '' : names.map(function (one) { return one.name; }).join(', ') || said.dataset.none;
  }

  form.addEventListener('change', function (event) {
    if (event.target.name === 'starts_on') period();
    if (!['competences', 'complexity', 'specialities'].includes(event.target.name)) return;
    count();
    clearTimeout(timer);
    timer = setTimeout(refresh, 200);
  });
})();
