/*
  The assessment grid: keys, pasting, and what comes back from the server.
  What a cell shows is in grid_cells.js, undoing in grid_steps.js, the margin in grid_margin.js, many cells at
  once in grid_fill.js, pasted text in grid_paste.js, how entries travel in grid_save.js.
*/
(function () {
  'use strict';

  const form = document.getElementById('grid');
  if (!form) return;

  const page = Spirale.readGrid(form);
  const {
    words, fill, count, codeOfKey, body, heads, cells, byId,
    inputOf, valueOf, entryOf, setEntry, setObserved, personOf, competenceOf, codeOf, nameOf, titleOf,
    isLevel, column, empty, at, find, show, name, setComment, setPeer, showCounts, notice, setState,
  } = page;

  const MOST_UNREAD = 12;
  const readOnly = form.hasAttribute('data-read-only');
  const read = Spirale.createReader(JSON.parse(form.dataset.readable));
  const notes = new Map();              // td → what the margin must say about it
  const rivals = new Map();             // td → a colleague's entry that came while ours was on its way
  const refusals = new Map();           // td → {value, comment, observed: the sentence}: refused, and not sent anew since
  const ours = new Set();               // cells written from this page
  let here = cells[0];
  let due = 0;                          // the next frame, when the margin is to be shown anew

  /* ---------- what goes out ---------- */

  /** value, comment, observed null: unchanged, whatever a colleague made of it meanwhile. */
  function entry(td, more) {
    return Object.assign({ person: personOf(td), competence: competenceOf(td), value: null, comment: null, observed: null }, more);
  }

  const steps = Spirale.createSteps(page, {
    readOnly: readOnly,
    onWrite: function (td) { accept(td, 'value'); notes.delete(td); ours.add(td); },
    send: function (list) {
      outbox.add(list.map(function (td) { return entry(td, { value: valueOf(td) }); }));
      showSoon();
    },
    sendComment: function (td, text) { sendBeside(td, { comment: text }); },
    sendObserved: function (td, ids) { sendBeside(td, { observed: ids }); },
  });

  function sendBeside(td, more) {
    Object.keys(more).forEach(function (what) { accept(td, what); });
    ours.add(td);
    outbox.add([entry(td, more)]);
    showSoon();
  }

  const margin = Spirale.createMargin(page, {
    here: function () { return here; },
    noteOf: function (td) { return notes.get(td); },
    beforeOpen: showNow,
    onComment: steps.writeComment,
    onObserved: steps.writeObserved,
  });

  const filling = Spirale.createFilling(page, { here: function () { return here; }, write: steps.write, open: margin.open });

  /** Once per frame, after the key has done its work: what comments on a cell must not hold the next one up. */
  function showSoon() {
    if (!due) due = window.requestAnimationFrame(showNow);
  }

  function showNow() {
    window.cancelAnimationFrame(due);
    due = 0;
    showCounts();
    margin.show();
    filling.show();
  }

  /* ---------- pasting ---------- */

  /** A block from the current cell on. Blank pieces leave the grid as it is; what cannot be placed stays in sight. */
  function paste(text) {
    const changes = [], unread = [];
    let replaced = 0;
    Spirale.parseBlock(text).forEach(function (line, i) {
      line.forEach(function (piece, j) {
        const value = read(piece);
        const td = at(here.parentNode.sectionRowIndex + i, here.cellIndex + j);
        if (value === '') return;
        if (value === null || !td) return unread.push((td ? titleOf(td) : words.outside) + ' : ' + piece.trim());
        if (valueOf(td) && valueOf(td) !== value) replaced += 1;
        changes.push({ td: td, value: value });
      });
    });
    steps.write(changes, function (n) { return count('paste', n); });
    if (readOnly) return;
    const rows = changes.map(function (change) { return nameOf(change.td); });
    const [first, last] = [rows[0], rows[rows.length - 1]];
    // Who got a level: a list in another order than the class would be seen here.
    const said = [count('pasted', changes.length) + (first === last ? '' : fill(words.rows, { first: first, last: last }))];
    if (replaced) said.push(count('paste_replaced', replaced));
    if (unread.length) said.push(count('paste_unread', unread.length));
    notice(said.join(words.and), unread.length > 0);
    showUnread(unread);
  }

  function showUnread(unread) {
    const part = byId('grid-unread');
    part.hidden = !unread.length;
    if (part.hidden) return;
    const shown = unread.slice(0, MOST_UNREAD);
    const rest = unread.length - shown.length;
    part.querySelector('[data-message]').textContent = count('paste_kept', unread.length);
    part.querySelector('[data-list]').textContent = shown.join(words.and) + (rest ? words.and + count('paste_more', rest) : '');
  }

  /* ---------- what comes back from the server ---------- */

  function isHeld(td, what) {
    return outbox.holds(personOf(td), competenceOf(td), what);
  }

  function onSaved(saved) {
    const td = find(saved.person, saved.competence);
    if (!td) return;
    const rival = rivals.get(td);
    if (!isHeld(td)) {
      rivals.delete(td);
      if (rival && rival.entry > saved.entry) take(td, rival); else showStored(td, saved);
    }
    setEntry(td, saved.entry);
    if (td === here) showSoon();
  }

  /** What a cell holds on the server, but for what of ours is on its way to it, and a comment that was refused. */
  function showStored(td, cell) {
    if (!isHeld(td, 'value')) {
      accept(td, 'value');
      if (valueOf(td) !== cell.value) show(td, cell.value);
    }
    if (!isHeld(td, 'comment') && !isRefused(td, 'comment')) setComment(td, cell.comment || '');
    if (!isHeld(td, 'observed')) {
      accept(td, 'observed');
      setObserved(td, cell.observed);
    }
    setEntry(td, cell.entry);
    name(td);
  }

  function onRefused(refused, message) {
    const td = find(refused.person, refused.competence);
    const text = fill(words.refused, { what: td ? titleOf(td) : '', message: message || words.bad_value });
    notice(text, true);
    if (!td) return;
    const whole = refusals.get(td) || {};
    ['value', 'comment', 'observed'].forEach(function (what) { if (refused[what] !== null) whole[what] = text; });
    refusals.set(td, whole);
    inputOf(td).setAttribute('aria-invalid', 'true');
    notes.set(td, text);
    if (td === here) showSoon();
  }

  function isRefused(td, what) {
    return refusals.has(td) && what in refusals.get(td);
  }

  /** What was refused in a cell is sent anew, or is shown no longer. */
  function accept(td, what) {
    if (!isRefused(td, what)) return;
    const rest = refusals.get(td);
    if (notes.get(td) === rest[what]) notes.delete(td);
    delete rest[what];
    if (Object.keys(rest).length) return;
    refusals.delete(td);
    inputOf(td).removeAttribute('aria-invalid');
  }

  /** The last sentence of what is refused and still shows: all is not saved then. */
  function lastRefusal() {
    const last = Array.from(refusals.values()).pop();
    return last ? Object.values(last).pop() : '';
  }

  /** A colleague's entry takes the cell; focus and scroll stay where they are. */
  function take(td, cell) {
    const mine = valueOf(td);
    if (ours.delete(td) && mine !== cell.value && !notes.has(td)) {
      notes.set(td, fill(words.replaced, { name: cell.by_name, theirs: cell.value || words.nothing, mine: mine || words.nothing }));
    }
    setPeer(td, cell.by, cell.by_name);
    showStored(td, cell);
    if (document.activeElement === inputOf(td)) inputOf(td).select();
  }

  /**
   * Never over a level of ours that is still on its way: both are kept, and the margin says so. A comment or a tick
   * on its way leaves the level to the colleague, so theirs shows.
   */
  function onCells(list) {
    list.forEach(function (cell) {
      const td = find(cell.person, cell.competence);
      if (!td || cell.entry <= entryOf(td)) return;
      if (isHeld(td)) rivals.set(td, cell);
      if (isHeld(td, 'value')) {
        notes.set(td, fill(words.both_kept, { name: cell.by_name, theirs: cell.value || words.nothing, mine: valueOf(td) || words.nothing }));
      } else {
        take(td, cell);
      }
      showColleague(cell.by, fill(words.at_work, { name: cell.by_name, code: codeOf(td) }));
    });
    showSoon();
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

  /* ---------- moving ---------- */

  function setHere(td) {
    if (td !== here) margin.saveComment();
    inputOf(here).tabIndex = -1;
    here.parentNode.classList.remove('here');
    heads[here.cellIndex].classList.remove('here');
    here = td;
    inputOf(here).tabIndex = 0;
    here.parentNode.classList.add('here');
    heads[here.cellIndex].classList.add('here');
    const link = byId('grid-one');
    if (link && here.parentNode.dataset.one) link.href = here.parentNode.dataset.one;
    showSoon();
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
    Delete: function () { steps.writeOne(here, ''); },
    Backspace: function () { steps.writeOne(here, ''); },
    Escape: margin.close,
  };

  /** One character typed in a cell, by a keyboard or on a screen. */
  function type(key) {
    const value = isLevel(key) ? key : codeOfKey[key.toLowerCase()];
    if (value) {
      steps.writeOne(here, value);
      go(1, 0);
    } else if (key.toLowerCase() === 'c') {
      margin.open(margin.comment);
    } else if (key === '?') {
      margin.openObserved();
    } else if (key.trim()) {
      notice(fill(/\d/.test(key) ? words.bad_level : words.bad_key, { key: key }), true);
    }
  }

  /** On a French keyboard the digits of the upper row need Shift: the key « & » is as good as « 1 ». */
  function keyOf(event) {
    const digit = /^Digit(\d)$/.exec(event.code);
    return digit && event.key !== '?' ? digit[1] : event.key;
  }

  /** Ctrl+Z, and Ctrl+Y or Ctrl+Shift+Z; a comment has the browser's own. */
  function onControl(event) {
    const key = event.key.toLowerCase();
    if (event.target === margin.comment || !['z', 'y'].includes(key)) return;
    event.preventDefault();
    if (key === 'z' && !event.shiftKey) steps.undo(); else steps.redo();
  }

  function onKeydown(event) {
    if (event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      onControl(event);
    } else if (event.target.matches('.cell input')) {
      const move = moves[event.key];
      if (!move && event.key.length > 1) return;     // Tab, F5, and what a screen keyboard does not name
      event.preventDefault();
      if (move) move(); else type(keyOf(event));
    } else if (event.key === 'Escape' && margin.has(event.target)) {
      margin.close();
    }
  }

  /** Only a screen keyboard, a voice or a drop come here: what a real keyboard types is stopped at keydown. */
  function onInput(event) {
    if (!event.target.matches('.cell input')) return;
    const td = event.target.closest('td');
    const text = event.target.value;
    const whole = (event.inputType || '').startsWith('delete') ? '' : read(text);
    show(td, valueOf(td));
    if (whole === null) type((event.data || text).trim().slice(-1));
    else if (whole === '') steps.writeOne(td, '');
    else type(isLevel(whole) ? whole : keyOfCode(whole));
  }

  function keyOfCode(code) {
    return Object.keys(codeOfKey).find(function (key) { return codeOfKey[key] === code; });
  }

  /* ---------- start ---------- */

  const outbox = Spirale.createOutbox({
    saveUrl: form.dataset.saveUrl, pollUrl: form.dataset.pollUrl, csrf: form.dataset.csrf,
    cursor: Number(form.dataset.cursor),
    onState: function (state) { setState(Object.assign(state, { refused: lastRefusal() })); },
    onSaved: onSaved, onRefused: onRefused, onCells: onCells, onPeople: onPeople,
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

  form.querySelectorAll('.fill').forEach(function (button) {
    button.addEventListener('click', function () {
      const list = column(body.rows[0].cells[button.closest('th').cellIndex]);
      setHere(empty(list)[0] || list[0]);
      if (!empty(list).length) notice(fill(words.full, { what: codeOf(here) }));
      else filling.open();
    });
  });
  byId('grid-unread').querySelector('button').addEventListener('click', function () {
    byId('grid-unread').hidden = true;
    inputOf(here).focus();
  });
  byId('grid-retry').addEventListener('click', outbox.resume);
  Spirale.offerComments(byId('margin-bank'), form.dataset.csrf, margin.edit);

  window.addEventListener('beforeunload', function (event) {
    margin.saveComment();
    if (outbox.count()) {
      event.preventDefault();
      event.returnValue = '';                      // older browsers ask only if this is set
    }
  });

  // Somebody who typed before this file came: keys do what they would have done, from the cell where they were typed.
  const early = body.contains(document.activeElement) && document.activeElement.closest('td');
  const unread = [];
  let place = early || here;
  setHere(place);
  cells.forEach(function (td) {
    const text = inputOf(td).value;
    if (text === valueOf(td) || inputOf(td).hasAttribute('aria-invalid')) return;
    const keys = Array.from(text.replace(valueOf(td), '').trim());      // « 23 »: a 3 over a 2
    show(td, valueOf(td));
    if (read(text) !== null) return steps.writeOne(td, read(text));
    if (!keys.every(function (key) { return isLevel(key) || codeOfKey[key.toLowerCase()]; })) return unread.push(text);
    setHere(td);
    keys.forEach(type);
    if (td === early) place = here;
  });
  setHere(place);
  if (unread.length) notice(fill(words.bad_key, { key: unread.join(words.and) }), true);
  showNow();
  byId('grid-margin').classList.add('ready');
  // A teacher with a keyboard types at once; on a touch screen the focus would only raise the soft keyboard.
  if (early || window.matchMedia('(hover: hover)').matches) inputOf(here).focus({ preventScroll: true });
})();
