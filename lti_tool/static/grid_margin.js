/* The margin: what comments on one cell. Its value, its comment, what is observed. Filling is in grid_fill.js. */
window.Spirale = window.Spirale || {};

/**
 * page: of readGrid. options: here() the current cell, noteOf(cell), beforeOpen(), onComment(cell, text), onObserved(cell, ids).
 */
Spirale.createMargin = function (page, options) {
  'use strict';

  const { words, fill, meaning, byId, inputOf, valueOf, competenceOf, codeOf, nameOf, observedOf } = page;
  const IDLE_MS = 1000;
  const margin = byId('grid-margin');
  const comment = byId('margin-comment');
  let edited = false;                   // the textarea holds something typed here that is not yet on its way
  let idleTimer = 0;

  /* ---------- showing ---------- */

  function show() {
    if (margin.hidden) return;
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

  /* ---------- opening and closing ---------- */

  function open(target) {
    margin.hidden = false;
    options.beforeOpen();               // what the field holds is of this cell before anything is typed in it
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
  byId('margin-close').addEventListener('click', close);
  byId('margin-open').addEventListener('click', function () { open(comment); });

  return {
    comment, show, open, close, openObserved, saveComment, isUnsaved, edit,
    has: function (element) { return margin.contains(element); },
  };
};
