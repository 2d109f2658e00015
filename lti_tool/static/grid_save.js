/*
  The way of an entry from the page to the server, and of colleagues' entries back. Knows nothing of the table.

  An entry leaves `unsent` only when the server has answered for its key. Whatever happens in between (no network,
  no answer, an answer lost on its way), the same entries go again, in order, under the same keys: the server
  recognises them. They live in the page's memory because inside the LMS's frame every storage throws.
*/
window.Spirale = window.Spirale || {};

/**
 * options: saveUrl, pollUrl, csrf, cursor, and what to call:
 * onState({kind: 'saved'|'saving'|'offline'|'stopped', at, count, message}), onSaved(entry), onRefused(entry, message),
 * onCells(cells of colleagues), onPeople(number of people in the course).
 */
Spirale.createOutbox = function (options) {
  'use strict';

  const WAITS_MS = [1000, 2000, 4000, 8000, 15000];
  const POLL_MS = 10000;
  const TIMEOUT_MS = 20000;
  const BATCH = 200;
  const KEEPALIVE_BYTES = 30000;        // a browser refuses to keep more than 64 kB alive after the page has gone
  const NO_LONGER_OURS = [401, 403, 404, 410];
  const LATER = [408, 425, 429];

  const unsent = [];
  let cursor = options.cursor;
  let sending = false;
  let oneByOne = false;                 // after a 400: which entry of the batch is the wrong one?
  let failures = 0;
  let timer = 0;
  let stopped = false;
  let message = '';
  let savedAt = '';

  function newKey() {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();   // absent outside https
    const bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, '0'); }).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  function tell() {
    const state = { count: unsent.length, at: savedAt, message: message };
    if (stopped) state.kind = 'stopped';
    else if (unsent.length && (failures || navigator.onLine === false)) state.kind = 'offline';
    else if (unsent.length) state.kind = 'saving';
    else state.kind = 'saved';
    options.onState(state);
  }

  /** {status, data}; throws when there is no answer, or when a 200 is not ours (a login page, a captive portal). */
  async function ask(url, init) {
    const abort = new AbortController();
    const clock = setTimeout(function () { abort.abort(); }, TIMEOUT_MS);
    try {
      const response = await fetch(url, Object.assign({ credentials: 'same-origin', signal: abort.signal }, init));
      const data = await response.json().catch(function () { return null; });
      if (response.ok && !data) throw new Error('not an answer of ours');
      return { status: response.status, data: data || {} };
    } finally {
      clearTimeout(clock);
    }
  }

  function post(batch) {
    const body = JSON.stringify({ entries: batch, since: cursor });
    return ask(options.saveUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': options.csrf },
      keepalive: body.length < KEEPALIVE_BYTES,
      body: body,
    });
  }

  function forget(key) {
    const i = unsent.findIndex(function (entry) { return entry.key === key; });
    return i < 0 ? null : unsent.splice(i, 1)[0];
  }

  function stop(why) {
    stopped = true;
    message = why || '';
    clearTimeout(timer);
    tell();
  }

  function later() {
    const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)];
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(send, wait);
    tell();
  }

  /** Colleagues' entries come before ours are forgotten: what is still unsent must not be written over. */
  function receive(data) {
    if (data.csrf) options.csrf = data.csrf;      // a session opened anew by another launch
    if (data.cells && data.cells.length) options.onCells(data.cells);
    if (typeof data.cursor === 'number') cursor = Math.max(cursor, data.cursor);
    if (typeof data.people === 'number') options.onPeople(data.people);
  }

  function settle(batch, data) {
    receive(data);
    (data.saved || []).forEach(function (saved) {
      if (forget(saved.key)) options.onSaved(saved);
    });
    (data.refused || []).forEach(function (refused) {
      const entry = forget(refused.key);
      if (entry) options.onRefused(entry, refused.message);
    });
    if (data.at) savedAt = data.at;
    // An entry the server said nothing about goes again, but not in a tight loop.
    if (batch.some(function (entry) { return unsent.includes(entry); })) return later();
    failures = 0;
    tell();
    return send();
  }

  function wrong(batch, message) {
    if (batch.length > 1) {
      oneByOne = true;
    } else {
      oneByOne = false;
      options.onRefused(forget(batch[0].key), message);
    }
    failures = 0;
    tell();
    return send();
  }

  async function send() {
    if (sending || stopped || !unsent.length) return;
    clearTimeout(timer);
    sending = true;
    tell();
    const batch = unsent.slice(0, oneByOne ? 1 : BATCH);
    const answer = await post(batch).catch(function () { return { status: 0, data: {} }; });
    sending = false;
    const status = answer.status;
    if (status === 200) settle(batch, answer.data);
    else if (NO_LONGER_OURS.includes(status)) stop(answer.data.message);
    else if (status >= 400 && status < 500 && !LATER.includes(status)) wrong(batch, answer.data.message);
    else later();
  }

  async function poll() {
    if (sending || stopped || document.hidden) return;
    const url = options.pollUrl + (options.pollUrl.includes('?') ? '&' : '?') + 'since=' + cursor;
    const answer = await ask(url).catch(function () { return { status: 0, data: {} }; });
    if (stopped) return;
    if (answer.status === 200) {
      receive(answer.data);
      send();                           // the server answers again: no need to wait for the clock
    } else if (NO_LONGER_OURS.includes(answer.status)) {
      stop(answer.data.message);
    }
  }

  /** Asks before sending: the answer may bring what a new session needs. */
  function resume() {
    stopped = false;
    failures = 0;
    tell();
    poll();
  }

  setInterval(poll, POLL_MS);
  document.addEventListener('visibilitychange', poll);
  window.addEventListener('online', function () { if (!stopped) resume(); });
  window.addEventListener('offline', tell);

  return {
    /** entries: list of {person, competence, value, comment, observed}; of the last three, null: unchanged. */
    add: function (entries) {
      entries.forEach(function (entry) { unsent.push(Object.assign({ key: newKey() }, entry)); });
      if (stopped || failures) tell(); else send();   // while waiting, the clock sends
    },
    /** Whether something of a cell is on its way; `what`: its value, its comment or its observed only. */
    holds: function (person, competence, what) {
      return unsent.some(function (entry) {
        return entry.person === person && entry.competence === competence && (!what || entry[what] !== null);
      });
    },
    count: function () { return unsent.length; },
    resume: resume,
  };
};
