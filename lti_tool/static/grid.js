/*
  The assessment grid: moving, writing, undoing, filling, pasting, and the margin that comments on one cell.
  What a cell shows is in grid_cells.js, how entries travel in grid_save.js.
*/
(function () {
  'use strict';

  const form = document.getElementById('grid');
  if (!form) return;

  const {
    words, fill, count, meaning, codeOfKey, body, heads, cells, byId,
    inputOf, valueOf, entryOf, setEntry, personOf, competenceOf, codeOf, nameOf, titleOf,
    isLevel, column, row, empty, at, find, show, name, setComment, setPeer, showCounts, notice, endNotice, setState,
  } = Spirale.readGrid(form);

  const IDLE_MS = 1000;
  const readOnly = form.hasAttribute('data-read-only');
  const margin = byId('grid-margin');
  const comment = byId('margin-comment');

  const steps = [];                     // what can be undone: {what, changes: [{td, before, after}]}
  const notes = new Map();              // td → what the margin must say about it
  const rivals = new Map();             // td → a colleague's entry that came while ours was on its way
  const ours = new Set();               // cells written from this page
  let here = cells[0];
  let edited = false;                   // the textarea holds something typed here that is not yet in the outbox
  let idleTimer = 0;

  /* ---------- writing and undoing ---------- */

  function put(changes) {
    changes.forEach(function (change) {
      show(change.td, change.value);
      setPeer(change.td, '');
      name(change.td);
      notes.delete(change.td);
      ours.add(change.td);
    });
    outbox.add(changes.map(function (change) { return entry(change.td, null); }));
    showCounts();
    showUndo();
    showMargin();
  }

  /** comment null: unchanged. */
  function entry(td, text) {
    return { person: personOf(td), competence: competenceOf(td), value: valueOf(td), comment: text };
  }

  /** changes: [{td, value}]; what(n) names the step. Cells that do not change are left out. Returns their number. */
  function write(changes, what) {
    if (readOnly) {
      notice(words.read_only, true);
      return 0;
    }
    endNotice();
    const real = changes.filter(function (change) { return valueOf(change.td) !== change.value; });
    changes.forEach(function (change) { if (!real.includes(change)) show(change.td, change.value); });
    if (!real.length) return 0;
    steps.push({
      what: what(real.length),
      changes: real.map(function (change) { return { td: change.td, before: valueOf(change.td), after: change.value }; }),
    });
    put(real);
    return real.length;
  }

  function writeOne(td, value) {
    write([{ td: td, value: value }], function () { return titleOf(td); });
  }

  /** Gives back the former values, except where somebody has written since. */
  function undo() {
    const step = steps.pop();
    if (!step) return;
    const still = step.changes.filter(function (change) { return valueOf(change.td) === change.after; });
    if (still.length) {
      put(still.map(function (change) { return { td: change.td, value: change.before }; }));
      inputOf(still[0].td).focus();
    }
    showUndo();
    const changed = step.changes.length - still.length;
    const done = still.length ? [fill(words.undone, { what: step.what })] : [];
    notice(done.concat(changed ? [count('undo_changed', changed)] : []).join(words.and));
  }

  function showUndo() {
    const button = byId('grid-undo');
    if (!button) return;
    const last = steps[steps.length - 1];
    button.hidden = !last;
    if (last) button.querySelector('span').textContent = fill(words.undo, { what: last.what });
  }

  function fillEmpty(scope, value) {
    const list = empty(scope === 'row' ? row(here) : column(here));
    const what = scope === 'row' ? nameOf(here) : codeOf(here);
    const n = write(list.map(function (td) { return { td: td, value: value }; }), function (n) { return count('fill', n, { what: what }); });
    if (n) notice(count('filled', n));
    inputOf(here).focus();
  }

  /** What a spreadsheet or a whole word says: '3', 'abs'; null when it is not understood. */
  function understand(text) {
    const value = text.trim().toUpperCase();
    return value === '' || meaning[value] ? value : null;
  }

  /** A block of lines and tabs, from the current cell on. Blank cells of the block leave the grid as it is. */
  function paste(text) {
    const changes = [];
    let unknown = 0, outside = 0;
    text.replace(/\r?\n$/, '').split(/\r?\n/).forEach(function (line, i) {
      line.split('\t').forEach(function (piece, j) {
        const value = understand(piece);
        const td = at(here.parentNode.sectionRowIndex + i, here.cellIndex + j);
        if (value === '') return;
        if (value === null) unknown += 1;
        else if (!td) outside += 1;
        else changes.push({ td: td, value: value });
      });
    });
    write(changes, function (n) { return count('paste', n); });
    if (readOnly) return;
    const said = [count('pasted', changes.length)];
    if (unknown) said.push(count('paste_unknown', unknown));
    if (outside) said.push(count('paste_outside', outside));
    notice(said.join(words.and), unknown + outside > 0);
  }

  /* ---------- what comes back from the server ---------- */

  function isHeld(td) {
    return outbox.holds(personOf(td), competenceOf(td)) || (td === here && isCommentUnsaved());
  }

  function onSaved(saved) {
    const td = find(saved.person, saved.competence);
    if (!td) return;
    const rival = rivals.get(td);
    if (!isHeld(td) && rival && rival.entry > saved.entry) {
      take(td, rival);
    } else if (!isHeld(td)) {
      if (valueOf(td) !== saved.value) show(td, saved.value);
      setComment(td, saved.comment || '');
      name(td);
    }
    if (!isHeld(td)) rivals.delete(td);
    setEntry(td, saved.entry);
    if (td === here) showMargin();
  }

  function onRefused(refused, message) {
    const td = find(refused.person, refused.competence);
    const text = fill(words.refused, { what: td ? titleOf(td) : '', message: message || words.bad_value });
    notice(text, true);
    if (!td) return;
    inputOf(td).setAttribute('aria-invalid', 'true');
    notes.set(td, text);
    if (td === here) showMargin();
  }

  /** A colleague's entry takes the cell; focus and scroll stay where they are. */
  function take(td, cell) {
    const mine = valueOf(td);
    if (ours.delete(td) && mine !== cell.value && !notes.has(td)) {
      notes.set(td, fill(words.replaced, { name: cell.by_name, theirs: cell.value || words.nothing, mine: mine || words.nothing }));
    }
    setEntry(td, cell.entry);
    setComment(td, cell.comment || '');
    setPeer(td, cell.by, cell.by_name);
    show(td, cell.value);
    if (document.activeElement === inputOf(td)) inputOf(td).select();
  }

  /** Never over an entry of ours that is still on its way: both are kept, and the margin says so. */
  function onCells(list) {
    list.forEach(function (cell) {
      const td = find(cell.person, cell.competence);
      if (!td || cell.entry <= entryOf(td)) return;
      if (isHeld(td)) {
        rivals.set(td, cell);
        notes.set(td, fill(words.both_kept, { name: cell.by_name, theirs: cell.value || words.nothing, mine: valueOf(td) || words.nothing }));
      } else {
        take(td, cell);
      }
      showColleague(cell.by, fill(words.at_work, { name: cell.by_name, code: codeOf(td) }));
    });
    showCounts();
    showMargin();
  }

  function showColleague(initials, text) {
    const list = byId('grid-colleagues');
    let line = Array.from(list.children).find(function (one) { return one.dataset.initials === initials; });
    if (!line) {
      line = list.appendChild(byId('colleague-line').content.firstElementChild.cloneNode(true));
      line.dataset.initials = initials;
      line.firstElementChild.textContent = initials;
    }
    line.lastElementChild.textContent = text;
  }

  function onPeople(n) {
    const more = n - body.rows.length;
    byId('grid-newcomers').hidden = more < 1;
    if (more > 0) byId('grid-newcomers').querySelector('[data-message]').textContent = count('newcomers', more);
  }

  /* ---------- the margin ---------- */

  function showMargin() {
    byId('margin-title').textContent = nameOf(here) + ' · ' + codeOf(here);
    showValue();
    byId('margin-previous').textContent = here.dataset.previous || '';
    const note = notes.get(here) || (here.dataset.by ? fill(words.peer_here, { name: here.dataset.by }) : '');
    byId('margin-note').textContent = note;
    byId('margin-note').hidden = !note;
    // A colleague's comment shows even while the textarea has the focus, but never under what is being typed.
    if (!edited && tidy(comment.value) !== tidy(here.dataset.comment)) comment.value = here.dataset.comment || '';
    margin.querySelectorAll('[data-observed]').forEach(function (part) {
      part.hidden = Number(part.dataset.observed) !== competenceOf(here);
    });
    showFill('column', codeOf(here), empty(column(here)).length);
    showFill('row', nameOf(here), empty(row(here)).length);
  }

  function showValue() {
    const value = valueOf(here);
    const tile = value && margin.querySelector('[data-fill="' + value + '"]').firstElementChild.cloneNode(true);
    const word = document.createElement('span');
    word.textContent = value ? meaning[value] : words.empty_cell;
    byId('margin-value').replaceChildren(...(tile ? [tile, word] : [word]));
  }

  function showFill(scope, what, n) {
    const part = margin.querySelector('[data-fill-scope=' + scope + ']');
    const title = n ? count('fill_title', n, { what: what }) : fill(words.full, { what: what });
    part.querySelector('h3').textContent = title;
    part.querySelector('[role=group]').setAttribute('aria-label', title);
    part.querySelector('[role=group]').hidden = !n;
    part.hidden = !n && scope === 'row';
  }

  function openMargin(target) {
    margin.hidden = false;
    byId('margin-open').hidden = true;
    if (target) target.focus();
  }

  function closeMargin() {
    margin.hidden = true;
    byId('margin-open').hidden = false;
    inputOf(here).focus();
  }

  /** A comment posted by a form has carriage returns, a textarea's value has none. */
  function tidy(text) {
    return (text || '').replace(/\r\n/g, '\n').trim();
  }

  function isCommentUnsaved() {
    return edited && tidy(comment.value) !== tidy(here.dataset.comment);
  }

  function saveComment() {
    clearTimeout(idleTimer);
    const unsaved = isCommentUnsaved();
    edited = false;
    if (!unsaved) return;
    const text = tidy(comment.value);
    setComment(here, text);
    name(here);
    ours.add(here);
    outbox.add([entry(here, text)]);
  }

  /* ---------- moving ---------- */

  function setHere(td) {
    if (td !== here) saveComment();
    inputOf(here).tabIndex = -1;
    here.parentNode.classList.remove('here');
    heads[here.cellIndex].classList.remove('here');
    here = td;
    inputOf(here).tabIndex = 0;
    here.parentNode.classList.add('here');
    heads[here.cellIndex].classList.add('here');
    const link = byId('grid-one');
    if (link && here.parentNode.dataset.one) link.href = here.parentNode.dataset.one;
    showMargin();
  }

  function go(down, right) {
    const td = at(here.parentNode.sectionRowIndex + down, here.cellIndex + right);
    if (td) inputOf(td).focus();
  }

  const moves = {
    ArrowUp: function () { go(-1, 0); },
    ArrowDown: function () { go(1, 0); },
    ArrowLeft: function () { go(0, -1); },
    ArrowRight: function () { go(0, 1); },
    Enter: function () { go(1, 0); },
    Home: function () { go(0, 1 - here.cellIndex); },
    End: function () { go(0, heads.length - 1 - here.cellIndex); },
    Delete: function () { writeOne(here, ''); },
    Backspace: function () { writeOne(here, ''); },
    Escape: closeMargin,
  };

  /** One character typed in a cell, by a keyboard or on a screen. */
  function type(key) {
    const value = isLevel(key) ? key : codeOfKey[key.toLowerCase()];
    if (value) {
      writeOne(here, value);
      go(1, 0);
    } else if (key.toLowerCase() === 'c') {
      openMargin(comment);
    } else if (key === '?') {
      openMargin(byId('margin-observed'));
    } else if (key.trim()) {
      notice(fill(/\d/.test(key) ? words.bad_level : words.bad_key, { key: key }), true);
    }
  }

  /** On a French keyboard the digits of the upper row need Shift: the key « & » is as good as « 1 ». */
  function keyOf(event) {
    const digit = /^Digit(\d)$/.exec(event.code);
    return digit && event.key !== '?' ? digit[1] : event.key;
  }

  function onKeydown(event) {
    if (event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== 'z' || event.shiftKey || event.target === comment) return;
      event.preventDefault();
      undo();
    } else if (event.target.matches('.cell input')) {
      const move = moves[event.key];
      if (!move && event.key.length > 1) return;     // Tab, F5, and what a screen keyboard does not name
      event.preventDefault();
      if (move) move(); else type(keyOf(event));
    } else if (event.key === 'Escape' && margin.contains(event.target)) {
      closeMargin();
    }
  }

  /** Only a screen keyboard, a voice or a drop come here: what a real keyboard types is stopped at keydown. */
  function onInput(event) {
    if (event.target === comment) {
      edited = true;
      clearTimeout(idleTimer);
      idleTimer = setTimeout(saveComment, IDLE_MS);
      return;
    }
    const td = event.target.closest('td');
    const text = event.target.value;
    const whole = (event.inputType || '').startsWith('delete') ? '' : understand(text);
    show(td, valueOf(td));
    if (whole === null) type((event.data || text).trim().slice(-1));
    else if (whole === '') writeOne(td, '');
    else type(isLevel(whole) ? whole : keyOfCode(whole));
  }

  function keyOfCode(code) {
    return Object.keys(codeOfKey).find(function (key) { return codeOfKey[key] === code; });
  }

  /* ---------- start ---------- */

  const outbox = Spirale.createOutbox({
    saveUrl: form.dataset.saveUrl, pollUrl: form.dataset.pollUrl, csrf: form.dataset.csrf,
    cursor: Number(form.dataset.cursor),
    onState: setState, onSaved: onSaved, onRefused: onRefused, onCells: onCells, onPeople: onPeople,
  });

  cells.forEach(function (td) {
    inputOf(td).tabIndex = -1;
    inputOf(td).removeAttribute('maxlength');      // a fifth letter must be refused in words, not in silence
  });

  body.addEventListener('focusin', function (event) {
    if (!event.target.matches('.cell input')) return;
    setHere(event.target.closest('td'));
    event.target.select();
  });
  form.addEventListener('keydown', onKeydown);
  form.addEventListener('input', onInput);
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  body.addEventListener('paste', function (event) {
    event.preventDefault();
    paste(event.clipboardData.getData('text'));
  });
  comment.addEventListener('change', saveComment);
  comment.addEventListener('blur', saveComment);

  form.querySelectorAll('.fill').forEach(function (button) {
    button.addEventListener('click', function () {
      const list = column(body.rows[0].cells[button.closest('th').cellIndex]);
      setHere(empty(list)[0] || list[0]);
      if (!empty(list).length) notice(fill(words.full, { what: codeOf(here) }));
      else openMargin(margin.querySelector('[data-fill-scope=column] button'));
    });
  });
  margin.querySelectorAll('[data-fill]').forEach(function (button) {
    button.addEventListener('click', function () {
      fillEmpty(button.closest('[data-fill-scope]').dataset.fillScope, button.dataset.fill);
    });
  });
  byId('margin-close').addEventListener('click', closeMargin);
  byId('margin-open').addEventListener('click', function () { openMargin(comment); });
  byId('grid-retry').addEventListener('click', outbox.resume);
  if (byId('grid-undo')) byId('grid-undo').addEventListener('click', undo);

  window.addEventListener('beforeunload', function (event) {
    saveComment();
    if (outbox.count()) {
      event.preventDefault();
      event.returnValue = '';                      // older browsers ask only if this is set
    }
  });

  // A teacher with a keyboard types at once; on a touch screen the focus would only raise the soft keyboard.
  setHere(here);
  if (window.matchMedia('(hover: hover)').matches) inputOf(here).focus({ preventScroll: true });
  showCounts();
})();
