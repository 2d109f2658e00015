/* Writing in the grid, step by step: each can be undone and done again, except where somebody has written since. */
window.Spirale = window.Spirale || {};

/** page: of readGrid. options: readOnly, send(cells) when values have changed here, onWrite(cell) for each. */
Spirale.createSteps = function (page, options) {
  'use strict';

  const { words, fill, count, byId, valueOf, inputOf, titleOf, show, setPeer, name, notice, endNotice } = page;
  const done = [];                      // {what, changes: [{td, before, after}]}
  const undone = [];

  function put(changes) {
    changes.forEach(function (change) {
      show(change.td, change.value);
      setPeer(change.td, '');
      name(change.td);
      options.onWrite(change.td);
    });
    options.send(changes.map(function (change) { return change.td; }));
    showButtons();
  }

  /** changes: [{td, value}]; what(n) names the step. Cells that do not change are left out. Returns their number. */
  function write(changes, what) {
    if (options.readOnly) {
      notice(words.read_only, true);
      return 0;
    }
    endNotice();
    const real = changes.filter(function (change) { return valueOf(change.td) !== change.value; });
    changes.forEach(function (change) { if (!real.includes(change)) show(change.td, change.value); });
    if (!real.length) return 0;
    undone.length = 0;
    done.push({
      what: what(real.length),
      changes: real.map(function (change) { return { td: change.td, before: valueOf(change.td), after: change.value }; }),
    });
    put(real);
    return real.length;
  }

  function writeOne(td, value) {
    write([{ td: td, value: value }], function () { return titleOf(td); });
  }

  /** Moves the last step from one list to the other; `from` is what its cells hold now, `into` what they get. */
  function turn(list, other, from, into, said) {
    const step = list.pop();
    if (!step) return;
    const still = step.changes.filter(function (change) { return valueOf(change.td) === change[from]; });
    if (still.length) {
      other.push({ what: step.what, changes: still });
      put(still.map(function (change) { return { td: change.td, value: change[into] }; }));
      inputOf(still[0].td).focus();
    }
    showButtons();
    const changed = step.changes.length - still.length;
    const told = still.length ? [fill(said, { what: step.what })] : [];
    notice(told.concat(changed ? [count('undo_changed', changed)] : []).join(words.and));
  }

  function undo() { turn(done, undone, 'after', 'before', words.undone); }
  function redo() { turn(undone, done, 'before', 'after', words.redone); }

  function showButton(button, list, text) {
    if (!button) return;
    const last = list[list.length - 1];
    button.hidden = !last;
    if (last) button.querySelector('span').textContent = fill(text, { what: last.what });
  }

  function showButtons() {
    showButton(byId('grid-undo'), done, words.undo);
    showButton(byId('grid-redo'), undone, words.redo);
  }

  if (byId('grid-undo')) {
    byId('grid-undo').addEventListener('click', undo);
    byId('grid-redo').addEventListener('click', redo);
  }

  return { write, writeOne, undo, redo };
};
