import assert from 'node:assert/strict';
import { COLOURED, PLAIN, styleFor } from '../../../src/client/render/style';
import { renderTable, type Column } from '../../../src/client/render/table';
import { createLiveView } from '../../../src/client/render/live-view';

const COLUMNS: readonly Column[] = [
  { title: 'table' },
  { title: 'rows', align: 'right' },
  { title: 'size' },
  { title: 'why', flexible: true },
];

const ROWS = [
  ['orders', '1,200', '', 'changed: the token moved from here to there'],
  ['注文', '7', '', ''],
];

describe('renderTable', () => {
  it('aligns columns, leaves out empty ones, and ends no line with spaces', () => {
    assert.deepEqual(renderTable(COLUMNS, ROWS, { width: undefined, style: PLAIN }), [
      'table    rows  why',
      'orders  1,200  changed: the token moved from here to there',
      '注文        7',
    ]);
  });

  it('wraps the flexible column where the terminal is narrow', () => {
    assert.deepEqual(renderTable(COLUMNS, ROWS, { width: 36, style: PLAIN }), [
      'table    rows  why',
      'orders  1,200  changed: the token',
      '               moved from here to',
      '               there',
      '注文        7',
    ]);
  });

  it('does not squeeze a column into nothing', () => {
    const lines = renderTable(COLUMNS, ROWS, { width: 10, style: PLAIN });
    assert.equal(lines[1], 'orders  1,200  changed: the');
  });

  it('pads by what is seen, not by what a colour adds', () => {
    const rows = [
      [{ text: 'loaded', paint: COLOURED.green }, '1'],
      ['failed!', '2'],
    ];
    const columns = [{ title: 'outcome' }, { title: 'rows' }];
    assert.deepEqual(renderTable(columns, rows, { width: undefined, style: COLOURED }), [
      '\x1b[2moutcome\x1b[22m  \x1b[2mrows\x1b[22m',
      '\x1b[32mloaded\x1b[39m   1',
      'failed!  2',
    ]);
  });

  it('keeps a hostile name in its cell', () => {
    const lines = renderTable([{ title: 'table' }], [['a\x1b[2J\nb']], {
      width: undefined,
      style: PLAIN,
    });
    assert.deepEqual(lines, ['table', 'a␛[2J␊b']);
  });
});

describe('styleFor', () => {
  const terminal = { write: () => undefined, isTerminal: true, columns: 80 };
  it('has colours on a terminal only, and never with NO_COLOR', () => {
    assert.equal(styleFor(terminal, {}), COLOURED);
    assert.equal(styleFor({ ...terminal, isTerminal: false }, {}), PLAIN);
    assert.equal(styleFor(terminal, { NO_COLOR: '1' }), PLAIN);
    assert.equal(styleFor(terminal, { NO_COLOR: '' }), COLOURED);
    assert.equal(styleFor(terminal, { TERM: 'dumb' }), PLAIN);
  });
});

describe('a live view', () => {
  it('draws over what it drew before, in one write, and cleans up', () => {
    const writes: string[] = [];
    const view = createLiveView({
      write: (text) => writes.push(text),
      isTerminal: true,
      columns: 80,
    });
    view.show(['one', 'two']);
    view.show(['three']);
    view.clear();
    view.clear();
    assert.deepEqual(writes, [
      '\x1b[?7lone\ntwo\n\x1b[?7h',
      '\x1b[2F\x1b[0J\x1b[?7lthree\n\x1b[?7h',
      '\x1b[1F\x1b[0J',
      '',
    ]);
  });

  it('stays within the height of the terminal', () => {
    const writes: string[] = [];
    const write = (text: string) => void writes.push(text);
    const view = createLiveView({ write, isTerminal: true, columns: 80, rows: 3 });
    view.show(['one', 'two', 'three']);
    view.clear();
    assert.deepEqual(writes, ['\x1b[?7lone\ntwo\n\x1b[?7h', '\x1b[2F\x1b[0J']);
  });
});
