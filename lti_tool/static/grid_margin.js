/* The margin: what comments on one cell. Its value, its comment, what is observed, and filling its column or its row. */
window.Spirale = window.Spirale || {};

/**
 * page: of readGrid. options: readOnly, here() the current cell, noteOf(cell), write(changes, what) of createSteps,
 * onComment(cell, text), onObserved(cell, ids).
 */
Spirale.createMargin = function (page, options) {
  'use strict';

  const { words, fill, count, meaning, byId, inputOf, valueOf, competenceOf, codeOf, nameOf, observedOf, column, row, empty, notice } = page;
  const IDLE_MS = 1000;
  const margin = byId('grid-margin');
  const comment = byId('margin-comment');
  const sure = byId('margin-sure');
  let edited = false;                   // the textarea holds something typed here that is not yet on its way
  let idleTimer = 0;
  let asked = null;                     // {cells, value, what}: a replacement that waits for a yes

  /* ---------- showing ---------- */

  function show() {
    const here = options.here();
    byId('margin-title').textContent = nameOf(here) + ' · ' + codeOf(here);
    showValue(here);
    byId('margin-previous').textContent = here.dataset.previous || '';
    const note = options.noteOf(here) || (here.dataset.by ? fill(words.peer_here, { name: here.dataset.by }) : '');
    byId('margin-note').textContent = note;
    byId('margin-note').hidden = !note;
    // A colleague's comment shows even while the textarea has the focus, but never under what is being typed.
    if (!edited && tidy(comment.value) !== tidy(here.dataset.comment)) comment.value = here.dataset.comment || '';
    showObserved(here);
    showFill('column', codeOf(here), column(here));
    showFill('row', nameOf(here), row(here));
  }

  function showValue(here) {
    const value = valueOf(here);
    const tile = value && margin.querySelector('[data-fill="' + value + '"]').firstElementChild.cloneNode(true);
    const word = document.createElement('span');
    word.textContent = value ? meaning[value] : words.empty_cell;
    byId('margin-value').replaceChildren(...(tile ? [tile, word] : [word]));
  }

  function showObserved(here) {
    const seen = observedOf(here);
    margin.querySelectorAll('section[data-observed]').forEach(function (part) {
      part.hidden = Number(part.dataset.observed) !== competenceOf(here);
      if (part.hidden) return;
      part.querySelectorAll('input').forEach(function (box) { box.checked = seen.includes(Number(box.value)); });
    });
  }

  function showFill(scope, what, list) {
    const part = margin.querySelector('[data-fill-scope=' + scope + ']');
    const n = empty(list).length;
    const title = n ? count('fill_title', n, { what: what }) : fill(words.full, { what: what });
    part.querySelector('h3').textContent = title;
    part.querySelector('[role=group]').setAttribute('aria-label', title);
    part.querySelector('[role=group]').hidden = !n;
    const over = byId('margin-over').querySelector('[data-scope=' + scope + ']');
    over.textContent = fill(words[scope], { what: what });
    byId('margin-replace').hidden = !column(options.here()).concat(row(options.here())).some(valueOf);
    ask(null);
  }

  /* ---------- the comment and the ticks ---------- */

  /** A comment posted by a form has carriage returns, a textarea's value has none. */
  function tidy(text) {
    return (text || '').replace(/\r\n/g, '\n').trim();
  }

  function isUnsaved() {
    return edited && tidy(comment.value) !== tidy(options.here().dataset.comment);
  }

  function saveComment() {
    clearTimeout(idleTimer);
    const unsaved = isUnsaved();
    edited = false;
    if (unsaved) options.onComment(options.here(), tidy(comment.value));
  }

  /** Typed, dictated or taken from one's own: sent after a pause. */
  function edit() {
    edited = true;
    clearTimeout(idleTimer);
    idleTimer = setTimeout(saveComment, IDLE_MS);
  }

  /* ---------- filling and replacing ---------- */

  function cellsOf(scope) { return scope === 'row' ? row(options.here()) : column(options.here()); }
  function nameOfScope(scope) { return scope === 'row' ? nameOf(options.here()) : codeOf(options.here()); }

  function fillEmpty(scope, value) {
    const what = nameOfScope(scope);
    const list = empty(cellsOf(scope)).map(function (td) { return { td: td, value: value }; });
    const n = options.write(list, function (n) { return count('fill', n, { what: what }); });
    if (n) notice(count('filled', n));
    inputOf(options.here()).focus();
  }

  /** Says how many cells would change before any does; null takes the question back. */
  function ask(question) {
    asked = question && question.cells.length ? question : null;
    sure.hidden = !question;
    if (!question) return;
    sure.querySelector('p').textContent = asked
      ? count('replace', asked.cells.length, { what: asked.what, value: asked.value + ', ' + meaning[asked.value] })
      : fill(words.replace_none, { what: question.what, value: question.value });
    byId('margin-yes').hidden = !asked;
    (asked ? byId('margin-yes') : byId('margin-no')).focus();
  }

  function askReplace(value) {
    const scope = byId('margin-over').value;
    const list = cellsOf(scope).filter(function (td) { return valueOf(td) && valueOf(td) !== value; });
    ask({ cells: list, value: value, what: nameOfScope(scope) });
  }

  function replace() {
    const { cells, value, what } = asked;
    const n = options.write(
      cells.map(function (td) { return { td: td, value: value }; }),
      function (n) { return count('replaced_step', n, { what: what }); }
    );
    if (n) notice(count('replaced_cells', n));
    ask(null);
    inputOf(options.here()).focus();
  }

  /* ---------- opening and closing ---------- */

  function open(target) {
    margin.hidden = false;
    byId('margin-open').hidden = true;
    if (target) target.focus();
  }

  function close() {
    margin.hidden = true;
    byId('margin-open').hidden = false;
    inputOf(options.here()).focus();
  }

  /** Where « ? » leads: the first thing to tick, else the words. */
  function openObserved() {
    open(margin.querySelector('section[data-observed]:not([hidden]) input') || byId('margin-observed'));
  }

  comment.addEventListener('input', edit);
  comment.addEventListener('change', saveComment);
  comment.addEventListener('blur', saveComment);
  margin.addEventListener('change', function (event) {
    const part = event.target.closest('section[data-observed]');
    if (!part) return;
    const ids = Array.from(part.querySelectorAll('input:checked'), function (box) { return Number(box.value); });
    options.onObserved(options.here(), ids);
  });
  margin.querySelectorAll('#margin-fill [data-fill]').forEach(function (button) {
    button.addEventListener('click', function () {
      const scope = button.closest('[data-fill-scope]');
      if (scope) fillEmpty(scope.dataset.fillScope, button.dataset.fill);
      else askReplace(button.dataset.fill);
    });
  });
  byId('margin-over').addEventListener('change', function () { ask(null); });
  byId('margin-yes').addEventListener('click', replace);
  byId('margin-no').addEventListener('click', function () { ask(null); inputOf(options.here()).focus(); });
  byId('margin-close').addEventListener('click', close);
  byId('margin-open').addEventListener('click', function () { open(comment); });

  return {
    comment, show, open, close, openObserved, saveComment, isUnsaved, edit,
    openFill: function () { open(margin.querySelector('[data-fill-scope=column] button')); },
    has: function (element) { return margin.contains(element); },
  };
};
