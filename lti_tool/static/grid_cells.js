/*
  What the grid shows: its words, its cells, its counts and the line that says whether all is saved.
  The page's own cells are the state: a level is in data-n, a code in data-c, the newest known entry in the hidden
  input beside. What happens to them is in grid.js.
*/
window.Spirale = window.Spirale || {};

Spirale.readGrid = function (form) {
  'use strict';

  const { fill, sayState } = Spirale;
  const NOTICE_MS = 6000;
  const QUIET_MS = 400;                 // a save shorter than this says nothing until it is done

  const words = JSON.parse(form.dataset.words);
  const counted = { one: JSON.parse(form.dataset.one), many: JSON.parse(form.dataset.many) };
  const body = form.querySelector('tbody');
  const heads = form.querySelector('thead').rows[0].cells;
  const cells = Array.from(body.querySelectorAll('td'));
  const byId = function (id) { return document.getElementById(id); };
  let noticeTimer = 0, stateTimer = 0;
  let state = { kind: 'saved', at: '', count: 0 };

  const meaning = {};                   // '3' → 'maîtrisée', 'ABS' → 'absent'
  form.querySelectorAll('#margin-fill [data-word]').forEach(function (button) { meaning[button.dataset.fill] = button.dataset.word; });
  const codeOfKey = {};                 // 'a' → 'ABS'
  document.querySelectorAll('.keys [data-key]').forEach(function (one) { codeOfKey[one.dataset.key] = one.dataset.value; });

  /* ---------- words ---------- */

  function count(name, n, values) {
    return fill(counted[n > 1 ? 'many' : 'one'][name], Object.assign({ n: n }, values));
  }

  /* ---------- a cell ---------- */

  const parts = new Map();              // looked for once: a key must not search 420 cells
  const places = new Map();
  const columns = Array.from(heads, function () { return []; });
  cells.forEach(function (td) {
    const box = td.querySelector('.cell');
    parts.set(td, { box: box, input: box.querySelector('input'), entry: td.querySelector('[type=hidden]') });
    places.set(personOf(td) + '-' + competenceOf(td), td);
    columns[td.cellIndex].push(td);
  });

  function inputOf(td) { return parts.get(td).input; }
  function valueOf(td) { const box = parts.get(td).box; return box.dataset.n || box.dataset.c || ''; }
  function entryOf(td) { return Number(parts.get(td).entry.value); }
  function observedOf(td) { return (td.dataset.observed || '').split(',').filter(Boolean).map(Number); }
  function personOf(td) { return Number(td.parentNode.dataset.person); }
  function competenceOf(td) { return Number(heads[td.cellIndex].dataset.competence); }
  function codeOf(td) { return heads[td.cellIndex].dataset.code; }
  function nameOf(td) { return td.parentNode.dataset.name; }
  function titleOf(td) { return nameOf(td) + ', ' + codeOf(td); }
  function isLevel(value) { return /^[1-4]$/.test(value); }
  function column(td) { return columns[td.cellIndex]; }
  function row(td) { return Array.from(td.parentNode.cells).slice(1); }
  function empty(list) { return list.filter(function (td) { return !valueOf(td); }); }

  function at(rowIndex, cellIndex) {
    const tr = body.rows[rowIndex];
    const td = tr && tr.cells[cellIndex];
    return td && td.tagName === 'TD' ? td : null;
  }

  function find(person, competence) {
    return places.get(person + '-' + competence);
  }

  function show(td, value) {
    const { box, input } = parts.get(td);
    delete box.dataset.n;
    delete box.dataset.c;
    if (isLevel(value)) {
      box.dataset.n = value;
      box.querySelector('use').setAttribute('href', '#i-s' + value);
    } else if (value) {
      box.dataset.c = value;
    }
    input.value = value;
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
    name(td);
  }

  /** The cell's accessible name; the value itself is read by the browser. */
  function name(td) {
    const parts = [nameOf(td), codeOf(td)];
    if (meaning[valueOf(td)]) parts.push(meaning[valueOf(td)]);
    if (td.dataset.comment) parts.push(words.comment);
    if (td.dataset.by) parts.push(fill(words.by, { name: td.dataset.by }));
    inputOf(td).setAttribute('aria-label', parts.join(', '));
  }

  function setComment(td, text) {
    td.dataset.comment = text;
    td.classList.toggle('noted', text !== '');
  }

  function setObserved(td, ids) { td.dataset.observed = ids.join(','); }

  function setEntry(td, number) {
    parts.get(td).entry.value = Math.max(entryOf(td), number);
  }

  /** Initials and dashed frame; called without them when the cell becomes ours. */
  function setPeer(td, initials, person) {
    const badge = td.querySelector('.who');
    if (badge) badge.remove();
    td.classList.toggle('peer', Boolean(initials));
    delete td.dataset.by;
    if (!initials) return;
    td.dataset.by = person;
    const who = document.createElement('span');
    who.className = 'who';
    who.setAttribute('aria-hidden', 'true');
    who.textContent = initials;
    parts.get(td).box.append(who);
  }

  function showCounts() {
    const filled = cells.filter(valueOf).length;
    byId('grid-count').textContent = count('count_all', filled, { total: cells.length });
    columns.slice(1).forEach(function (list, i) {
      heads[i + 1].querySelector('[data-count]').textContent =
        fill(words.count, { n: list.length - empty(list).length, total: list.length });
    });
  }

  /* ---------- the state, in words, always at the same place ---------- */

  function say(icon, text) { sayState(byId('grid-state'), icon, text); }

  function showState() {
    clearTimeout(stateTimer);
    if (noticeTimer) return;
    if (state.kind === 'saved' && state.refused) say('stop', state.refused);
    else if (state.kind === 'saved' && state.at) say('check', fill(words.saved, { at: state.at }));
    else if (state.kind === 'saved') say('', '');
    if (state.kind === 'offline') say('stop', count('offline', state.count));
    if (state.kind === 'stopped') say('stop', state.count ? count('kept', state.count) : '');
    if (state.kind === 'saving') stateTimer = setTimeout(function () { say('wait', words.saving); }, QUIET_MS);
  }

  /** A short word about what was just done or refused; the saving state comes back after it. */
  function notice(text, bad) {
    clearTimeout(noticeTimer);
    clearTimeout(stateTimer);
    say(bad ? 'stop' : 'info', text);
    noticeTimer = setTimeout(endNotice, NOTICE_MS);
  }

  function endNotice() {
    clearTimeout(noticeTimer);
    noticeTimer = 0;
    showState();
  }

  function setState(next) {
    state = next;
    showState();
    const stopped = byId('grid-stopped');
    stopped.hidden = state.kind !== 'stopped';
    if (stopped.hidden) return;
    stopped.querySelector('[data-message]').textContent = state.message;
    stopped.querySelector('[data-kept]').textContent = state.count ? count('kept', state.count) : '';
  }

  return {
    words, fill, count, meaning, codeOfKey, body, heads, cells, byId,
    inputOf, valueOf, entryOf, setEntry, observedOf, setObserved, personOf, competenceOf, codeOf, nameOf, titleOf,
    isLevel, column, row, empty, at, find, show, name, setComment, setPeer, showCounts, notice, endNotice, setState,
  };
};
