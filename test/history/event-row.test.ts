import assert from 'node:assert/strict';
import { EVENT_COLUMNS, fromRow, toRow } from '../../src/history/event-row';
import { event, FULL_EVENT } from './events';

describe('event rows', () => {
  it('hold every field, and give it back', () => {
    const row = toRow(FULL_EVENT);
    assert.strictEqual(row.length, EVENT_COLUMNS.length);
    assert.ok(row.every((value) => value !== null));
    assert.deepStrictEqual(fromRow(row), FULL_EVENT);
  });

  it('take whole numbers as text, as pg gives them', () => {
    const row = toRow(FULL_EVENT).map((value) =>
      typeof value === 'number' ? String(value) : value,
    );
    assert.deepStrictEqual(fromRow(row), FULL_EVENT);
  });

  it('begin where the caller says', () => {
    assert.deepStrictEqual(fromRow(['mark', ...toRow(FULL_EVENT)], 1), FULL_EVENT);
  });

  it('parse what is JSON once, and only when asked for', () => {
    const found = fromRow(toRow(FULL_EVENT));
    assert.strictEqual(found.columns, found.columns);
    const torn = toRow(FULL_EVENT);
    const index = EVENT_COLUMNS.findIndex(({ column }) => column === 'columns');
    torn[index] = '[broken';
    const untouched = fromRow(torn);
    assert.deepStrictEqual(untouched.token, FULL_EVENT.token);
    assert.throws(() => untouched.columns, SyntaxError);
  });

  it('survive spreading and JSON', () => {
    const found = fromRow(toRow(FULL_EVENT));
    assert.deepStrictEqual({ ...found }, FULL_EVENT);
    assert.deepStrictEqual(JSON.parse(JSON.stringify(found)), FULL_EVENT);
  });

  it('turn any ISO time into UTC with milliseconds', () => {
    const row = toRow(event('STARTED', 'orders', 'b', { startedAt: '2026-03-01T02:00:00+02:00' }));
    assert.strictEqual(fromRow(row).startedAt, '2026-03-01T00:00:00.000Z');
  });

  it('hold little for a skip', () => {
    const skipped = toRow(event('SKIPPED', 'orders', 'b1', { reason: 'same token' }));
    const filled = EVENT_COLUMNS.filter((_, index) => skipped[index] !== null);
    assert.deepStrictEqual(
      filled.map(({ column }) => column),
      ['id', 'kind', 'recorded_at', 'pipeline', 'table_name', 'batch', 'run', 'reason'],
    );
  });
});
