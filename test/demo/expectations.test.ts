import assert from 'node:assert/strict';
import type { TriggerDocument } from '../../scripts/demo/commands';
import { deviations, rowDeviations } from '../../scripts/demo/expectations';
import type { HistoryEvent } from '../../src/history/history';

function documentWith(outcomes: readonly Partial<HistoryEvent>[]): TriggerDocument {
  return { pipeline: 'sales', outcomes } as unknown as TriggerDocument;
}

const loaded = (table: string) => ({ table, kind: 'SUCCEEDED', verdict: 'changed' }) as const;
const skipped = (table: string) => ({ table, kind: 'SKIPPED', verdict: 'unchanged' }) as const;

describe('what the demo promises', () => {
  it('is kept when just the expected tables loaded, in whatever order', () => {
    const document = documentWith([skipped('c'), loaded('b'), loaded('a')]);
    assert.deepEqual(deviations(document, { loaded: ['a', 'b'], unchanged: ['c'] }), []);
  });

  it('is broken by a table that loaded needlessly', () => {
    const document = documentWith([loaded('a'), loaded('b')]);
    assert.deepEqual(deviations(document, { loaded: ['a'], unchanged: ['b'] }), [
      'sales: tables that loaded: a, b instead of a',
      'sales: tables proved unchanged: none instead of b',
    ]);
  });

  it('is broken by a table that failed, did not end, or was skipped without a proof', () => {
    const document = documentWith([
      { table: 'a', kind: 'FAILED', error: 'no such column' },
      { table: 'b', kind: 'STARTED' },
      { table: 'c', kind: 'SKIPPED', verdict: 'unknown' },
    ]);
    assert.deepEqual(deviations(document, { loaded: [], unchanged: ['c'] }), [
      'sales: a failed: no such column',
      'sales: b failed: it did not end',
      'sales: c was skipped although unknown',
    ]);
  });

  it('is broken by other rows in the lake than at the source', () => {
    const source = new Map([
      ['sales.a', 1],
      ['sales.b', 2],
      ['sales.c', 3],
    ]);
    const lake = [
      { view: 'sales.a', rows: 1 },
      { view: 'sales.b', rows: 3 },
      { view: 'sales.d', rows: 4 },
    ];
    assert.deepEqual(rowDeviations(source, lake), [
      'sales.b: 2 rows at the source, 3 in the lake',
      'sales.c: 3 rows at the source, none in the lake',
      'sales.d: in the lake, but not at the source',
    ]);
  });
});
