/*
  One pupil at a time: each choice is saved as it is made, a comment after a pause (typed or dictated).
  Without this file the form is saved by its buttons.
*/
(function () {
  'use strict';

  const form = document.getElementById('one');
  const state = document.getElementById('one-state');
  const stopped = document.getElementById('one-stopped');
  const retry = document.getElementById('one-retry');
  if (!form || !window.Spirale) return;

  const { fill, sayState } = Spirale;
  const IDLE_MS = 1000;
  const SWIPE_PX = 80;
  const SLOPE = 2;                      // a swipe goes twice as far sideways as up or down
  const person = Number(form.dataset.person);
  const parts = Array.from(form.querySelectorAll('fieldset'));
  const edited = new Map();             // fieldset → the timer of a comment that is not yet on its way
  const news = new Map();               // fieldset → the newest entry there is of it, until it is shown
  const ours = new Set();               // fieldsets whose level was chosen in this page
  const onItsWay = new Set();           // of these, those whose level has no answer yet
  let leaving = '';                     // where to go once all is saved

  /* ---------- a competence ---------- */

  function competenceOf(part) { return Number(part.dataset.competence); }
  function codeOf(part) { return part.querySelector('select'); }
  function radioOf(part) { return part.querySelector('input[type=radio]:checked'); }
  function valueOf(part) { return codeOf(part).value || (radioOf(part) ? radioOf(part).value : ''); }
  function commentOf(part) { return part.querySelector('textarea'); }
  function entryOf(part) { return part.querySelector('input[type=hidden]'); }

  function boxesOf(part) { return Array.from(part.querySelectorAll('.seen input')); }
  function codeNameOf(part) { return part.querySelector('.kode').textContent; }

  /** In the server's order. */
  function observedOf(part) {
    return boxesOf(part).filter(function (box) { return box.checked; })
      .map(function (box) { return Number(box.value); }).sort(function (a, b) { return a - b; });
  }

  function showWord(part) {
    const radio = radioOf(part);
    part.querySelector('[data-word]').textContent = radio ? radio.getAttribute('aria-label').replace(/^\d, /, '') : '';
  }

  /** A code takes the place of a level, and the other way round. */
  function settle(part, target) {
    if (target.type === 'radio') codeOf(part).value = '';
    if (target === codeOf(part)) part.querySelectorAll('input[type=radio]').forEach(function (radio) { radio.checked = false; });
    showWord(part);
  }

  function showValue(part, value) {
    codeOf(part).value = /^\D/.test(value) ? value : '';
    part.querySelectorAll('input[type=radio]').forEach(function (radio) { radio.checked = radio.value === value; });
    showWord(part);
  }

  /**
   * What is stored. A field is only touched where it says something else: a comment goes on under the teacher's hands.
   * What was refused stays until it is corrected.
   */
  function take(part, cell) {
    if (valueOf(part) === cell.value) {
      accept(part, 'value');
    } else if (!isRefused(part, 'value')) {
      showValue(part, cell.value);
      ours.delete(part);
    }
    if (observedOf(part).join() === cell.observed.join()) accept(part, 'observed');
    else if (!isRefused(part, 'observed')) boxesOf(part).forEach(function (box) { box.checked = cell.observed.includes(Number(box.value)); });
    if (commentOf(part).value.trim() === cell.comment) accept(part, 'comment');
    else if (!isRefused(part, 'comment')) commentOf(part).value = cell.comment;
  }

  /** value, comment, observed null: unchanged, whatever a colleague made of it meanwhile. */
  function send(part, more) {
    Object.keys(more).forEach(function (what) { accept(part, what); });
    outbox.add([Object.assign({ person: person, competence: competenceOf(part), value: null, comment: null, observed: null }, more)]);
  }

  function sendValue(part) {
    part.querySelector('[data-note]').hidden = true;
    ours.add(part);
    onItsWay.add(part);
    send(part, { value: valueOf(part) });
  }

  function sendComment(part) {
    clearTimeout(edited.get(part));
    if (edited.delete(part)) send(part, { comment: commentOf(part).value.trim() });
  }

  /** Typed, dictated or taken from one's own. */
  function edit(field) {
    const part = field.closest('fieldset');
    clearTimeout(edited.get(part));
    edited.set(part, setTimeout(function () { sendComment(part); }, IDLE_MS));
  }

  /* ---------- what comes back from the server ---------- */

  function partOf(entry) {
    return entry.person === person ? parts.find(function (one) { return competenceOf(one) === entry.competence; }) : undefined;
  }

  /** What is stored is what is shown, once nothing of ours is on its way or being typed. */
  function catchUp(part) {
    const sent = outbox.holds(person, competenceOf(part));
    if (!sent) onItsWay.delete(part);
    if (sent || edited.has(part) || !news.has(part)) return;
    take(part, news.get(part));
    news.delete(part);
  }

  function learn(part, cell) {
    if (cell.entry >= Number(entryOf(part).value)) news.set(part, cell);
    entryOf(part).value = Math.max(cell.entry, Number(entryOf(part).value));
    catchUp(part);
  }

  function onSaved(saved) {
    const part = partOf(saved);
    if (part) learn(part, saved);
  }

  /** Never over an entry of ours that is still on its way: both are kept, and the page says so. */
  function onCells(list) {
    list.forEach(function (cell) {
      const part = partOf(cell);
      if (!part || cell.entry <= Number(entryOf(part).value)) return;
      const mine = valueOf(part);
      let words = form.dataset.colleague;
      if (ours.has(part) && mine !== cell.value) words = onItsWay.has(part) ? form.dataset.bothKept : form.dataset.replaced;
      const note = part.querySelector('[data-note]');
      note.textContent = fill(words, { name: cell.by_name, theirs: cell.value || form.dataset.nothing, mine: mine || form.dataset.nothing });
      note.hidden = false;
      learn(part, cell);
    });
  }

  /* ---------- what was refused: said beside it until it is sent anew ---------- */

  function lineOf(part, what) { return part.querySelector('[data-refused=' + what + ']'); }
  function isRefused(part, what) { return !!lineOf(part, what) && !lineOf(part, what).hidden; }
  function refusals() { return Array.from(form.querySelectorAll('[data-refused]:not([hidden])')); }
  function untold() { return refusals().filter(function (line) { return !line.hasAttribute('data-told'); }); }

  /** What a refusal is of, in its fieldset. */
  function fieldsOf(part, what) {
    if (what === 'comment') return [commentOf(part)];
    if (what === 'observed') return boxesOf(part);
    return codeOf(part).value || !radioOf(part) ? [codeOf(part)] : [radioOf(part)];
  }

  function refuse(part, what, message) {
    const line = lineOf(part, what);
    line.lastElementChild.textContent = fill(form.dataset.refused, { what: codeNameOf(part), message: message });
    line.removeAttribute('data-told');
    line.hidden = false;
    if (line.closest('details')) line.closest('details').open = true;
    fieldsOf(part, what).forEach(function (field) {
      field.setAttribute('aria-invalid', 'true');
      field.setAttribute('aria-describedby', line.id);
    });
  }

  function accept(part, what) {
    if (!isRefused(part, what)) return;
    const line = lineOf(part, what);
    line.hidden = true;
    part.querySelectorAll('[aria-describedby=' + line.id + ']').forEach(function (field) {
      field.removeAttribute('aria-invalid');
      field.removeAttribute('aria-describedby');
    });
  }

  function onRefused(entry, message) {
    const part = partOf(entry);
    ['value', 'observed', 'comment'].forEach(function (what) {
      if (entry[what] !== null) refuse(part, what, message || form.dataset.badValue);
    });
    if (entry.value !== null) ours.delete(part);
    catchUp(part);
  }

  /** Before somebody leaves, once: where it is, and that the next time they go. */
  function tellRefusals(lines) {
    lines.forEach(function (line) {
      line.lastElementChild.textContent += ' ' + form.dataset.again;
      line.setAttribute('data-told', '');
    });
    const field = form.querySelector('[aria-describedby=' + lines[0].id + ']');
    if (field.closest('details')) field.closest('details').open = true;
    field.focus({ preventScroll: true });
    lines[0].scrollIntoView({ block: 'center' });
  }

  /* ---------- the state ---------- */

  function say(icon, text) { sayState(state, icon, text); }

  function refusedNames() {
    return Array.from(new Set(refusals().map(function (line) { return codeNameOf(line.closest('fieldset')); }))).join(', ');
  }

  function count(name, n) { return fill(state.dataset[name + (n > 1 ? 'Many' : 'One')], { n: n }); }

  function onState(now) {
    showStopped(now);
    if (now.kind === 'saving') say('wait', state.dataset.saving);
    else if (now.kind === 'offline') say('stop', count('offline', now.count));
    else if (now.kind === 'stopped') say('stop', now.count ? count('kept', now.count) : state.dataset.stopped);
    else if (refusals().length) say('stop', fill(form.dataset.refused, { what: refusedNames(), message: '' }).trim());
    else if (now.at) say('check', fill(state.dataset.saved, { at: now.at }));
    else say('', '');
    if (now.kind === 'saved' && leaving) leave(leaving);
  }

  function showStopped(now) {
    stopped.hidden = now.kind !== 'stopped';
    if (stopped.hidden) return;
    stopped.querySelector('[data-message]').textContent = now.message;
    stopped.querySelector('[data-kept]').textContent = now.count ? count('kept', now.count) : '';
  }

  const outbox = Spirale.createOutbox({
    saveUrl: form.dataset.saveUrl,
    pollUrl: form.dataset.saveUrl,
    csrf: form.dataset.csrf,
    cursor: Number(form.dataset.cursor),
    onState: onState,
    onSaved: onSaved,
    onRefused: onRefused,
    onCells: onCells,
    onPeople: function () {},
  });

  /* ---------- going to another pupil: never before all is saved, or known not to be ---------- */

  /** A page that can no longer save waits for the teacher: above, where somebody at the foot does not see it. */
  function waitFor(url) {
    leaving = url;
    if (!stopped.hidden) retry.focus();
  }

  function leave(url) {
    leaving = '';
    parts.forEach(sendComment);
    if (outbox.count()) waitFor(url);
    else if (untold().length) tellRefusals(untold());
    else window.location.assign(url);
  }

  function goTo(id) {
    const link = document.getElementById(id);
    if (link) leave(link.href);
  }

  function goOn() {
    goTo(document.getElementById('one-after') ? 'one-after' : 'one-grid');
  }

  let start = null;
  form.addEventListener('touchstart', function (event) {
    const still = event.touches.length === 1 && !event.target.closest('textarea, select');
    start = still ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
  }, { passive: true });
  form.addEventListener('touchend', function (event) {
    if (!start || event.touches.length) return;
    const right = event.changedTouches[0].clientX - start.x;
    const down = event.changedTouches[0].clientY - start.y;
    start = null;
    if (Math.abs(right) < SWIPE_PX || Math.abs(right) < SLOPE * Math.abs(down)) return;
    goTo(right < 0 ? 'one-after' : 'one-before');
  }, { passive: true });

  /* ---------- keys: a digit acts only on a level, so that a comment can be typed or dictated ---------- */

  document.addEventListener('keydown', function (event) {
    if (event.isComposing || event.altKey) return;
    const inField = event.target.closest('input, select, textarea');
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
      event.preventDefault();
      goOn();
    } else if (!inField && !event.ctrlKey && !event.metaKey && !event.shiftKey && /^Arrow(Left|Right)$/.test(event.key)) {
      event.preventDefault();
      goTo(event.key === 'ArrowRight' ? 'one-after' : 'one-before');
    } else if (event.target.type === 'radio' && !event.ctrlKey && !event.metaKey) {
      const digit = /^(?:Digit|Numpad)([1-4])$/.exec(event.code) || /^([1-4])$/.exec(event.key);
      const part = event.target.closest('fieldset');
      const next = parts[parts.indexOf(part) + 1];
      if (digit) part.querySelector('input[type=radio][value="' + digit[1] + '"]').click();
      else if (event.key !== 'Enter') return;
      event.preventDefault();
      if (digit) radioOf(part).focus();
      else if (next) (radioOf(next) || next.querySelector('input[type=radio]')).focus();
      else form.querySelector('[name=then]').focus();
    }
  });

  // A level that was refused can be chosen again: a radio that is checked already tells of no change.
  form.addEventListener('click', function (event) {
    if (event.target.matches('[type=radio][aria-invalid]')) sendValue(event.target.closest('fieldset'));
  });
  form.addEventListener('input', function (event) { if (event.target.matches('textarea')) edit(event.target); });
  form.addEventListener('change', function (event) {
    const part = event.target.closest('fieldset');
    if (!part) return;
    if (event.target.matches('textarea')) return sendComment(part);
    if (event.target.matches('.seen input')) return send(part, { observed: observedOf(part) });
    settle(part, event.target);
    sendValue(part);
  });
  retry.addEventListener('click', outbox.resume);
  form.addEventListener('submit', function (event) {
    event.preventDefault();
    goOn();
  });
  Spirale.offerComments(document.getElementById('one-bank'), form.dataset.csrf, edit);
  ['one-before', 'one-after', 'one-grid'].forEach(function (id) {
    const link = document.getElementById(id);
    if (!link) return;
    link.addEventListener('click', function (event) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      leave(link.href);
    });
  });
  window.addEventListener('beforeunload', function (event) {
    parts.forEach(sendComment);
    if (outbox.count() || untold().length) event.preventDefault();
  });

  /* ---------- start ---------- */

  /** As if the script had been there: a level over a code, or the other way round; of both, the code, as in the form. */
  function sendEarlyValue(part) {
    const radio = radioOf(part);
    const drawn = Array.from(codeOf(part).options).find(function (option) { return option.defaultSelected; });
    const newCode = codeOf(part).value !== (drawn ? drawn.value : '');
    const newLevel = radio && !radio.defaultChecked;
    if (!newCode && !newLevel) return;
    settle(part, newCode && codeOf(part).value ? codeOf(part) : radio || codeOf(part));
    sendValue(part);
  }

  // What was chosen or typed before this file came is saved.
  parts.filter(function (part) { return !part.disabled; }).forEach(function (part) {
    const redrawn = part.hasAttribute('data-typed');       // a form that was refused: shown as typed, stored nowhere
    if (redrawn) sendValue(part); else sendEarlyValue(part);
    if (boxesOf(part).some(function (box) { return redrawn || box.checked !== box.defaultChecked; })) send(part, { observed: observedOf(part) });
    if (redrawn || commentOf(part).value !== commentOf(part).defaultValue) edit(commentOf(part));
  });
})();
