/* Writing in the grid, step by step: each can be undone and done again, except where somebody has written since. */
window.Spirale = window.Spirale || {};

/**
 * page: of readGrid. options: readOnly, onWrite(cell) for each level written, and what sends them on their way:
 * send(cells), sendComment(cell, text), sendObserved(cell, ids).
 */
Spirale.createSteps = function (page, options) {
  'use strict';

  const { words, fill, count, byId, valueOf, observedOf, inputOf, titleOf, show, setComment, setObserved, setPeer, name, notice, endNotice } = page;
  const done = [];                      // {what, kind, changes: [{td, before, after}]}
  const undone = [];

  /** What a step may change in a cell: what is held there now, and how other things are put there and sent. */
  const kinds = {
    level: { held: valueOf, put: put },
    comment: {
      held: function (td) { return td.dataset.comment || ''; },
      put: function (changes) {
        changes.forEach(function (change) {
          setComment(change.td, change.value);
          name(change.td);
          options.sendComment(change.td, change.value);
        });
      },
    },
    observed: {
      held: function (td) { return observedOf(td).join(','); },
      put: function (changes) {
        changes.forEach(function (change) {
          const ids = change.value.split(',').filter(Boolean).map(Number);
          setObserved(change.td, ids);
          options.sendObserved(change.td, ids);
        });
      },
    },
  };

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
      kind: 'level',
      changes: real.map(function (change) { return { td: change.td, before: valueOf(change.td), after: change.value }; }),
    });
    put(real);
    return real.length;
  }

  function writeOne(td, value) {
    write([{ td: td, value: value }], function () { return titleOf(td); });
  }

  /** A comment or ticks; a comment that is sent as it is typed is one step, unless a colleague's came between. */
  function writeBeside(td, kind, after, what) {
    const before = kinds[kind].held(td);
    if (options.readOnly || before === after) return;
    const last = done[done.length - 1];
    const goesOn = last && kind === 'comment' && last.kind === kind && last.changes[0].td === td && last.changes[0].after === before;
    undone.length = 0;
    if (goesOn) last.changes[0].after = after;
    else done.push({ what: titleOf(td) + ', ' + what, kind: kind, changes: [{ td: td, before: before, after: after }] });
    kinds[kind].put([{ td: td, value: after }]);
    showButtons();
  }

  function writeComment(td, text) { writeBeside(td, 'comment', text, words.comment); }

  /** In the server's order: a step can be undone only where the cell still holds what the step left in it. */
  function writeObserved(td, ids) {
    writeBeside(td, 'observed', ids.slice().sort(function (a, b) { return a - b; }).join(','), words.observed);
  }

  /** Moves the last step from one list to the other; `from` is what its cells hold now, `into` what they get. */
  function turn(list, other, from, into, said) {
    const step = list.pop();
    if (!step) return;
    const kind = kinds[step.kind];
    const still = step.changes.filter(function (change) { return kind.held(change.td) === change[from]; });
    if (still.length) {
      other.push({ what: step.what, kind: step.kind, changes: still });
      kind.put(still.map(function (change) { return { td: change.td, value: change[into] }; }));
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
    if (!last) return;
    button.querySelector('span').textContent = button.title = fill(text, { what: last.what });
  }

  function showButtons() {
    showButton(byId('grid-undo'), done, words.undo);
    showButton(byId('grid-redo'), undone, words.redo);
  }

  if (byId('grid-undo')) {
    byId('grid-undo').addEventListener('click', undo);
    byId('grid-redo').addEventListener('click', redo);
  }

  return { write, writeOne, writeComment, writeObserved, undo, redo };
};
