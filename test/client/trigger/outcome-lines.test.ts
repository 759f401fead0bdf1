import assert from 'node:assert/strict';
import type { HistoryEvent, HistoryEventKind } from '../../../src/history/history';
import { outcomeLines } from '../../../src/client/trigger/outcome-lines';
import { PLAIN } from '../../../src/client/render/style';

const SUMMARY = {
  pipeline: 'sales',
  batch: 'b1',
  plan: '_plans/sales/b1.json',
  considered: 4,
  loaded: 1,
  failed: 2,
  skipped: 1,
  rows: 1_200_000,
  bytes: 45_000_000,
  failures: [{ table: 'ghosts', error: 'did not run' }],
};

function outcome(table: string, kind: HistoryEventKind, more: Partial<HistoryEvent> = {}) {
  const event: HistoryEvent = {
    id: table,
    kind,
    recordedAt: '2026-11-21T03:00:00.000Z',
    pipeline: 'sales',
    table,
    batch: 'b1',
    run: 'r',
    ...more,
  };
  return [table, event] as const;
}

function lines(events: readonly (readonly [string, HistoryEvent])[], summary = SUMMARY) {
  return outcomeLines(summary, new Map(events), 3_400, undefined, PLAIN);
}

describe('outcomeLines', () => {
  it('puts what failed last, with the cause, and counts it all', () => {
    assert.deepEqual(
      lines([
        outcome('customers', 'FAILED', { errorCode: 'PermissionDenied', error: 'no right' }),
        outcome('orders', 'SUCCEEDED', {
          rowsRead: 1_200_000,
          bytes: 45_000_000,
          durationMs: 2_100,
          verdict: 'changed',
          reason: 'token: version a → b',
        }),
        outcome('countries', 'SKIPPED', { verdict: 'unchanged', reason: 'token: same token' }),
      ]),
      [
        'table      outcome         rows     size   took  why',
        'countries  unchanged                             token: same token',
        'orders     loaded     1,200,000  45.0 MB  2.1 s  changed: token: version a → b',
        'customers  failed                                no right',
        'ghosts     failed                                did not run',
        '',
        'sales b1  1 loaded, 2 failed, 1 unchanged; 1,200,000 rows, 45.0 MB in 3.4 s',
      ],
    );
  });

  it('only counts the unchanged tables when they are many', () => {
    const skips = Array.from({ length: 41 }, (_, index) => outcome(`t${index}`, 'SKIPPED'));
    const summary = { ...SUMMARY, loaded: 0, failed: 0, skipped: 41, failures: [] };
    assert.deepEqual(lines(skips, summary), ['sales b1  0 loaded, 41 unchanged in 3.4 s']);
  });
});
