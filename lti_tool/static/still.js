/* A cell opened or closed in a table without the page moving: the same address is fetched, and only the table changes.
   Without this file the link is followed, and the address says where to come back. */
(function () {
  'use strict';

  const LINKS = 'a.pos, a.has, .why .actions a';

  /** Where a link stands: its row, those that explain left out, and its place in it. */
  function placeOf(box, link) {
    const cell = (link.closest('.why') ? box.querySelector('#open') : link).closest('td');
    return [rows(box).indexOf(cell.parentElement), cell.cellIndex];
  }

  function rows(box) { return Array.from(box.querySelectorAll('tbody > tr:not(.why)')); }

  async function change(box, link) {
    const address = new URL(link.href);
    const [row, column] = placeOf(box, link);
    const answer = await fetch(address).catch(function () { return null; });
    const page = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page && page.querySelector('[data-still]');
    if (!fresh) { window.location.assign(address); return; }
    const [top, left] = [box.scrollTop, box.scrollLeft];
    box.replaceChildren(...fresh.childNodes);
    box.scrollTo({ top: top, left: left, behavior: 'instant' });
    window.history.pushState(null, '', address.pathname + address.search);
    const target = rows(box)[row] && rows(box)[row].cells[column].querySelector('a');
    if (target) target.focus({ preventScroll: true });
    const why = box.querySelector('.why');
    if (why) why.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  document.addEventListener('click', function (event) {
    const link = event.target.closest(LINKS);
    const box = link && link.closest('[data-still]');
    if (!box || !link.getAttribute('href').startsWith('?')) return;
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    change(box, link);
  });
  window.addEventListener('popstate', function () { window.location.reload(); });
})();
