/*
  Many cells at once: filling the empty ones of a column or a row, replacing filled ones, copying a pupil's levels to
  their team. Each is one step to undo; what would replace anything says how many cells, and waits for a yes.
*/
window.Spirale = window.Spirale || {};

/** page: of readGrid. options: here() the current cell, write(changes, what) of createSteps, open(target) the margin. */
Spirale.createFilling = function (page, options) {
  'use strict';

  const { words, fill, count, meaning, body, byId, isLevel, inputOf, valueOf, codeOf, nameOf, column, row, empty, notice } = page;
  const part = byId('margin-fill');
  const over = byId('margin-over');
  const team = byId('margin-team');
  const groups = JSON.parse(part.dataset.groups);
  let asked = null;                     // {changes, what, done, here}: a step that waits for a yes

  function cellsOf(scope) { return scope === 'row' ? row(options.here()) : column(options.here()); }
  function nameOfScope(scope) { return scope === 'row' ? nameOf(options.here()) : codeOf(options.here()); }

  /* ---------- showing ---------- */

  function show() {
    if (part.closest('aside').hidden) return;
    const here = options.here();
    showScope('column');
    showScope('row');
    byId('margin-replace').hidden = !column(here).concat(row(here)).some(valueOf);
    showTeam();
    if (asked && asked.here !== here) close();
  }

  function showScope(scope) {
    const what = nameOfScope(scope);
    const block = part.querySelector('[data-fill-scope=' + scope + ']');
    const n = empty(cellsOf(scope)).length;
    const title = n ? count('fill_title', n, { what: what }) : fill(words.full, { what: what });
    block.querySelector('h3').textContent = title;
    block.querySelector('[role=group]').setAttribute('aria-label', title);
    block.querySelector('[role=group]').hidden = !n;
    block.hidden = !n && scope === 'row';
    over.querySelector('[value=' + scope + ']').textContent = fill(words[scope], { what: what });
  }

  /* ---------- a yes ---------- */

  /** A cell that a colleague has written since it was asked stays theirs. */
  function write(step) {
    const still = step.changes.filter(function (change) { return !('was' in change) || valueOf(change.td) === change.was; });
    const n = options.write(still, step.what);
    if (n) notice(count(step.done, n));
    close();
    inputOf(options.here()).focus();
  }

  /** In the place that asks: `beside` is its button's block. Without changes it only says so. */
  function ask(step, text, beside) {
    asked = Object.assign(step, { here: options.here() });
    step.changes.forEach(function (change) { change.was = valueOf(change.td); });
    const sure = byId('margin-sure');
    beside.append(sure);
    sure.hidden = false;
    sure.querySelector('p').textContent = text;
    byId('margin-yes').hidden = !step.changes.length;
    byId(step.changes.length ? 'margin-yes' : 'margin-no').focus();
  }

  function close() {
    asked = null;
    byId('margin-sure').hidden = true;
  }

  /* ---------- a column, a row ---------- */

  function changesTo(list, value) {
    return list.map(function (td) { return { td: td, value: value }; });
  }

  function fillEmpty(scope, value) {
    const what = nameOfScope(scope);
    write({ changes: changesTo(empty(cellsOf(scope)), value), what: function (n) { return count('fill', n, { what: what }); }, done: 'filled' });
  }

  function replace(value) {
    const what = nameOfScope(over.value);
    const list = cellsOf(over.value).filter(function (td) { return valueOf(td) && valueOf(td) !== value; });
    const said = { what: what, value: value + ', ' + meaning[value] };
    const step = { changes: changesTo(list, value), what: function (n) { return count('replaced_step', n, { what: what }); }, done: 'replaced_cells' };
    ask(step, list.length ? count('replace', list.length, said) : fill(words.replace_none, said), byId('margin-replace'));
  }

  /* ---------- a team ---------- */

  function groupsOf(tr) { return (tr.dataset.groups || '').split(',').filter(Boolean); }

  function mates(group) {
    const mine = options.here().parentNode;
    return Array.from(body.rows).filter(function (tr) { return tr !== mine && groupsOf(tr).includes(group); });
  }

  function showTeam() {
    if (!team) return;
    const here = options.here();
    const mine = groupsOf(here.parentNode).filter(function (group) { return mates(group).length; });
    team.hidden = !mine.length || !row(here).some(function (td) { return isLevel(valueOf(td)); });
    if (team.hidden) return;
    team.querySelector('h3').textContent = fill(words.copy_title, { what: nameOf(here) });
    team.querySelector('.actions').replaceChildren(...mine.map(function (group) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'btn';
      button.textContent = count('copy_to', mates(group).length, { what: groups[group] });
      button.addEventListener('click', function () { copy(group); });
      return button;
    }));
  }

  /** Levels only: an absence is one's own. */
  function copy(group) {
    const changes = [];
    row(options.here()).filter(function (td) { return isLevel(valueOf(td)); }).forEach(function (from) {
      mates(group).forEach(function (tr) {
        const td = tr.cells[from.cellIndex];
        if (valueOf(td) !== valueOf(from)) changes.push({ td: td, value: valueOf(from) });
      });
    });
    const what = fill(words.copy_step, { what: nameOf(options.here()), to: groups[group] });
    const step = { changes: changes, what: function () { return what; }, done: 'copied' };
    const replaced = changes.filter(function (change) { return valueOf(change.td); }).length;
    if (!changes.length) ask(step, words.copy_none, team);
    else if (replaced) ask(step, count('copy_all', changes.length) + ' ' + count('copy_over', replaced), team);
    else write(step);
  }

  part.querySelectorAll('[data-fill]').forEach(function (button) {
    button.addEventListener('click', function () {
      const scope = button.closest('[data-fill-scope]');
      if (scope) fillEmpty(scope.dataset.fillScope, button.dataset.fill);
      else replace(button.dataset.fill);
    });
  });
  over.addEventListener('change', close);
  byId('margin-yes').addEventListener('click', function () { write(asked); });
  byId('margin-no').addEventListener('click', function () {
    close();
    inputOf(options.here()).focus();
  });

  return { show, open: function () { options.open(part.querySelector('[data-fill-scope=column] button')); } };
};
