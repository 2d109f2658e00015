/*
  One pupil at a time: each choice is saved as it is made, a comment after a pause (typed or dictated).
  Without this file the form is saved by its buttons.
*/
(function () {
  'use strict';

  const form = document.getElementById('one');
  const state = document.getElementById('one-state');
  if (!form || !window.Spirale) return;

  const IDLE_MS = 1000;
  const SWIPE_PX = 80;
  const SLOPE = 2;                      // a swipe goes twice as far sideways as up or down
  const person = Number(form.dataset.person);
  const parts = Array.from(form.querySelectorAll('fieldset'));
  const edited = new Map();             // fieldset → the timer of a comment that is not yet on its way
  let leaving = '';                     // where to go once all is saved

  /* ---------- a competence ---------- */

  function competenceOf(part) { return Number(part.dataset.competence); }
  function codeOf(part) { return part.querySelector('select'); }
  function radioOf(part) { return part.querySelector('input[type=radio]:checked'); }
  function valueOf(part) { return codeOf(part).value || (radioOf(part) ? radioOf(part).value : ''); }
  function commentOf(part) { return part.querySelector('textarea'); }
  function entryOf(part) { return part.querySelector('input[type=hidden]'); }

  function observedOf(part) {
    return Array.from(part.querySelectorAll('.seen input:checked'), function (box) { return Number(box.value); });
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

  /** A colleague's entry, where nothing of ours is on its way. */
  function take(part, cell) {
    codeOf(part).value = /^\D/.test(cell.value) ? cell.value : '';
    part.querySelectorAll('input[type=radio]').forEach(function (radio) { radio.checked = radio.value === cell.value; });
    part.querySelectorAll('.seen input').forEach(function (box) { box.checked = cell.observed.includes(Number(box.value)); });
    commentOf(part).value = cell.comment;
    entryOf(part).value = cell.entry;
    showWord(part);
    const note = part.querySelector('[data-note]');
    note.textContent = form.dataset.colleague.replace('{name}', cell.by_name);
    note.hidden = false;
  }

  /** value, comment, observed null: unchanged, whatever a colleague made of it meanwhile. */
  function send(part, more) {
    outbox.add([Object.assign({ person: person, competence: competenceOf(part), value: null, comment: null, observed: null }, more)]);
  }

  function sendValue(part) {
    part.querySelector('[data-note]').hidden = true;
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

  /* ---------- the state ---------- */

  function say(name, words) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    svg.setAttribute('class', 'ico');
    svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#i-' + name);
    svg.append(use);
    state.classList.toggle('bad', name === 'stop');
    state.replaceChildren(svg, words);
  }

  function onState(now) {
    if (now.kind === 'saving') say('wait', state.dataset.saving);
    else if (now.kind === 'offline') say('stop', state.dataset[now.count > 1 ? 'offlineMany' : 'offlineOne'].replace('{n}', now.count));
    else if (now.kind === 'stopped') say('stop', now.message);
    else if (now.at) say('check', state.dataset.saved.replace('{at}', now.at));
    if (now.kind === 'saved' && leaving) window.location.assign(leaving);
  }

  const outbox = Spirale.createOutbox({
    saveUrl: form.dataset.saveUrl,
    pollUrl: form.dataset.saveUrl,
    csrf: form.dataset.csrf,
    cursor: Number(form.dataset.cursor),
    onState: onState,
    onSaved: function (saved) {
      const part = parts.find(function (one) { return competenceOf(one) === saved.competence; });
      if (part) entryOf(part).value = saved.entry;
    },
    onRefused: function (entry, message) {
      leaving = '';
      say('stop', message);
    },
    onCells: function (list) {
      list.filter(function (cell) { return cell.person === person; }).forEach(function (cell) {
        const part = parts.find(function (one) { return competenceOf(one) === cell.competence; });
        const held = part && (edited.has(part) || outbox.holds(person, cell.competence));
        if (part && !held && cell.entry > Number(entryOf(part).value)) take(part, cell);
      });
    },
    onPeople: function () {},
  });

  /* ---------- going to another pupil: never before all is saved ---------- */

  function leave(url) {
    parts.forEach(sendComment);
    if (outbox.count()) leaving = url;
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

  form.addEventListener('keydown', function (event) {
    if (event.isComposing || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
      event.preventDefault();
      goOn();
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

  form.addEventListener('input', function (event) { if (event.target.matches('textarea')) edit(event.target); });
  form.addEventListener('change', function (event) {
    const part = event.target.closest('fieldset');
    if (!part) return;
    if (event.target.matches('textarea')) return sendComment(part);
    if (event.target.matches('.seen input')) return send(part, { observed: observedOf(part) });
    settle(part, event.target);
    sendValue(part);
  });
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
    if (outbox.count()) event.preventDefault();
  });
})();
