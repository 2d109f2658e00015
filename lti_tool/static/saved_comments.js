/*
  One's own comments beside a comment's field: <details class="bank" data-for="id of the field">. A click takes one up
  after what is typed, « Garder » keeps what is typed. Changing the list is a page of its own.
*/
window.Spirale = window.Spirale || {};

/** list: the element that holds the comments as JSON. onTake(field) after one was taken up. */
Spirale.offerComments = function (list, csrf, onTake) {
  'use strict';

  const SAID_MS = 4000;
  if (!list) return;
  let comments = JSON.parse(list.dataset.comments);
  const banks = Array.from(document.querySelectorAll('.bank'));

  function fieldOf(bank) { return document.getElementById(bank.dataset.for); }

  function takeUp(bank, text) {
    const field = fieldOf(bank);
    field.value = (field.value.trim() + ' ' + text).trim();
    field.focus();
    onTake(field);
  }

  function show(bank) {
    bank.querySelector('ul').replaceChildren(...comments.map(function (comment) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = comment.text;
      button.addEventListener('click', function () { takeUp(bank, comment.text); });
      const line = document.createElement('li');
      line.append(button);
      return line;
    }));
    bank.querySelector('[data-none]').hidden = comments.length > 0;
  }

  /** For a moment: under the next cell's comment it would be wrong. */
  function say(bank, text) {
    const line = bank.querySelector('[role=status]');
    line.textContent = text;
    setTimeout(function () { if (line.textContent === text) line.textContent = ''; }, SAID_MS);
  }

  async function keep(bank) {
    const body = new URLSearchParams({ text: fieldOf(bank).value });
    const answer = await fetch(list.dataset.keepUrl, {
      method: 'POST', credentials: 'same-origin', body: body,
      headers: { Accept: 'application/json', 'X-CSRF-Token': csrf },
    }).then(async function (response) { return { ok: response.ok, data: await response.json() }; })
      .catch(function () { return { ok: false, data: {} }; });
    if (answer.ok) {
      comments = answer.data.comments;
      banks.filter(function (one) { return one.open; }).forEach(show);
    }
    say(bank, answer.ok ? list.dataset.kept : answer.data.message || list.dataset.failed);
  }

  banks.forEach(function (bank) {
    bank.addEventListener('toggle', function () { if (bank.open) show(bank); });
    bank.querySelector('[data-keep]').addEventListener('click', function () { keep(bank); });
  });
};
