/*
  What a spreadsheet gives when a block is copied, and what each piece of it says. Knows nothing of the page.

  Excel, LibreOffice Calc and Google Sheets give lines of pieces parted by tabs. A piece that holds a tab, a line end or
  a quote comes between quotes, its own quotes doubled; a quote that opens and does not close is a plain character.
*/
window.Spirale = window.Spirale || {};

/** The rows of a block, each a list of texts; rows may differ in length. The last line end opens no row. */
Spirale.parseBlock = function (text) {
  'use strict';

  const QUOTED = /"([^"]*(?:""[^"]*)*)"(?=[\t\r\n]|$)/y;
  const PLAIN = /[^\t\r\n]*/y;
  const rows = [[]];
  let at = 0;

  function take() {
    QUOTED.lastIndex = PLAIN.lastIndex = at;
    const quoted = QUOTED.exec(text);
    const plain = quoted ? null : PLAIN.exec(text);
    at = quoted ? QUOTED.lastIndex : PLAIN.lastIndex;
    return quoted ? quoted[1].replace(/""/g, '"') : plain[0];
  }

  for (;;) {
    rows[rows.length - 1].push(take());
    if (at >= text.length) return rows;
    if (text[at] === '\t') {
      at += 1;
      continue;
    }
    at += text.startsWith('\r\n', at) ? 2 : 1;
    if (at >= text.length) return rows;
    rows.push([]);
  }
};

/**
 * words: {'maîtrisée': '3', 'absente': 'ABS', …}. Returns what reads a text: a level or a code, '' for a blank one,
 * null for one that is not understood. Case, accents and spaces do not matter.
 */
Spirale.createReader = function (words) {
  'use strict';

  function plain(text) {
    return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  }

  const known = new Map(Object.entries(words).map(function (one) { return [plain(one[0]), one[1]]; }));

  return function (text) {
    const said = plain(text);
    if (said === '') return '';
    if (known.has(said)) return known.get(said);
    const number = /^([1-4])(?:[.,]0+)?$/.exec(said);
    if (number) return number[1];
    const both = /^([1-4])(?: ?[-–·:,;] ?| )(\D.+)$/.exec(said);        // « 3 · maîtrisée », as our own tables write it
    return both && known.get(both[2]) === both[1] ? both[1] : null;
  };
};
