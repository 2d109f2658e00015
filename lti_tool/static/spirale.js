/* Page-wide niceties. Every page reads and works without this file. It runs before the page is drawn: what it shows and hides
   has its place at once. */
(function () {
  'use strict';

  // Says to the stylesheet that a script runs: .no-js hides, .js-only shows, secondary filters fold on a phone.
  document.documentElement.classList.add('js');

  /** « Filtres » on a phone: <form class="filters"> … <button aria-expanded="false">. */
  function toggleFilters(button) {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    button.closest('.filters').classList.toggle('open', open);
  }

  /** « Tout ouvrir »: <button data-open="id of what holds the details">; a second press closes them. */
  function toggleDetails(button) {
    const all = document.getElementById(button.dataset.open).querySelectorAll('details');
    const open = Array.from(all).some(function (one) { return !one.open; });
    all.forEach(function (one) { one.open = open; });
  }

  // What comments on a field is open beside it, and folded under it on a phone.
  document.addEventListener('DOMContentLoaded', function () {
    if (!window.matchMedia('(max-width: 48rem)').matches) return;
    document.querySelectorAll('details[data-fold]').forEach(function (one) { one.open = false; });
  });

  // On paper the referential is unfolded: the stylesheet does it where the browser knows ::details-content.
  const folded = function () { return document.querySelectorAll('.two details:not([open]), .folds details:not([open]), .groups details:not([open])'); };
  let unfolded = [];
  window.addEventListener('beforeprint', function () {
    unfolded = Array.from(folded());
    unfolded.forEach(function (one) { one.open = true; });
  });
  window.addEventListener('afterprint', function () { unfolded.forEach(function (one) { one.open = false; }); });

  document.addEventListener('click', function (event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.matches('.filters [aria-expanded]')) toggleFilters(button);
    if (button.hasAttribute('data-open')) toggleDetails(button);
    if (button.hasAttribute('data-print')) window.print();
  });
})();
