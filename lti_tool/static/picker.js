/* The picker: a search among the situations, and how many things are chosen. The form works without it. */
(function () {
  'use strict';

  const form = document.getElementById('picker');
  const count = document.getElementById('count');
  const search = document.getElementById('search');
  const found = document.getElementById('found');
  const rows = Array.from(form.querySelectorAll('.chooser > li'));

  /** Letters without accents or case: « Téléphone » is found by « telephone ». */
  function plain(text) {
    return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
  }

  function say(n, none, one, many) {
    return (n === 0 ? none : n === 1 ? one : many).replace('{n}', n);
  }

  function showCount() {
    const n = form.querySelectorAll('[name=item]:checked').length;
    count.textContent = say(n, form.dataset.none, form.dataset.one, form.dataset.many);
  }

  /** Every word typed must be in the row. A chosen row always stays. */
  function filter() {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach(function (row) {
      const text = plain(row.textContent);
      const matches = words.every(function (word) { return text.includes(word); });
      row.hidden = !matches && !row.querySelector('input').checked;
      if (matches) shown += 1;
    });
    const others = form.querySelector('#list details');
    if (others && words.length) others.open = true;
    found.textContent = words.length ? say(shown, form.dataset.foundNone, form.dataset.foundOne, form.dataset.foundMany) : '';
  }

  form.addEventListener('change', showCount);
  showCount();
  if (search) {
    search.addEventListener('input', filter);
    search.addEventListener('keydown', function (event) {
      // Enter searches; it must not send the form.
      if (event.key === 'Enter') event.preventDefault();
    });
  }
})();
