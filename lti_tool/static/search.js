/* Search in the referential as one types: results under the field, arrows among them. The form works without it. */
(function () {
  'use strict';

  const WAIT = 150;
  const form = document.getElementById('find');
  const field = form.q;
  const said = document.getElementById('found-said');
  const found = document.getElementById('found');
  const help = document.getElementById('find-help');
  const before = new URL(location.href);
  before.searchParams.delete('q');
  before.searchParams.delete('type');
  let timer = 0;
  let request = null;

  function addressOf(path) {
    const address = new URL(path, location.href);
    address.searchParams.set('q', field.value.trim());
    return address;
  }

  function show(results) {
    found.replaceChildren(...results);
    const box = found.querySelector('[data-said]');
    said.textContent = box ? box.dataset.said : '';
    if (help) help.hidden = Boolean(field.value.trim());
  }

  /** The address names what is shown: Back, or a reload, brings the results again. */
  function search() {
    clearTimeout(timer);
    if (request) request.abort();
    if (!field.value.trim()) {
      show([]);
      history.replaceState(null, '', before);
      return;
    }
    request = new AbortController();
    fetch(addressOf(form.dataset.results), { signal: request.signal, credentials: 'same-origin' })
      .then(function (response) {
        // A session that ended has a page of its own to say so.
        if (!response.ok) return location.assign(addressOf(form.action));
        return response.text().then(function (html) {
          show(new DOMParser().parseFromString(html, 'text/html').body.childNodes);
          history.replaceState(null, '', addressOf(form.action));
        });
      })
      .catch(function (error) {
        if (error.name !== 'AbortError') said.textContent = form.dataset.failed;
      });
  }

  function move(from, key) {
    const hits = Array.from(found.querySelectorAll('.hit'));
    const at = hits.indexOf(from);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: hits.length - 1 }[key];
    if (to < 0) field.focus();
    else if (to < hits.length) hits[to].focus();
  }

  function clear(event) {
    if (!field.value && !found.firstElementChild) return;
    event.preventDefault();
    field.value = '';
    field.focus();
    search();
  }

  field.addEventListener('input', function () {
    clearTimeout(timer);
    timer = setTimeout(search, field.value ? WAIT : 0);
  });
  field.addEventListener('keydown', function (event) {
    if (event.key === 'ArrowDown' && found.querySelector('.hit')) {
      event.preventDefault();
      move(null, 'ArrowDown');
    }
    if (event.key === 'Escape') clear(event);
  });
  found.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') clear(event);
    const hit = event.target.closest('.hit');
    if (!hit || !['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(event.key)) return;
    event.preventDefault();
    move(hit, event.key);
  });

  // What was typed before this script had come is searched now.
  const asked = new URLSearchParams(location.search).get('q') || '';
  if (field.value.trim() !== asked.trim()) search();
})();
