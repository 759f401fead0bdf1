import assert from 'node:assert/strict';
import type { HistoryEvent, TableState } from '../../src/history/history';
import { verifiedTables } from '../../src/metrics/freshness';

function event(kind: HistoryEvent['kind'], recordedAt: string, startedAt?: string): HistoryEvent {
  const names = { pipeline: 'sales', table: 'orders', batch: 'b', run: 'r' };
  return {
    ...{ ...names, id: `${kind} ${recordedAt}`, kind, recordedAt },
    ...(startedAt === undefined ? {} : { startedAt }),
  };
}

function verifiedAt(state: Omit<TableState, 'table'>): string | undefined {
  return verifiedTables([{ table: 'orders', ...state }])[0]?.at.toISOString();
}

const LOADED = event('SUCCEEDED', '2026-01-01T03:10:00.000Z', '2026-01-01T03:00:00.000Z');

describe('the freshness of a table', () => {
  it('is the beginning of its last load, as later changes may not be in it', () => {
    assert.equal(verifiedAt({ lastSuccess: LOADED, last: LOADED }), '2026-01-01T03:00:00.000Z');
  });

  it('is the plan that found it unchanged since', () => {
    const skipped = event('SKIPPED', '2026-01-02T03:00:00.000Z');
    const proven = { ...skipped, verdict: 'unchanged' as const };
    assert.equal(verifiedAt({ lastSuccess: LOADED, last: proven }), '2026-01-02T03:00:00.000Z');
    const leftOut = { ...skipped, verdict: 'changed' as const };
    assert.equal(verifiedAt({ lastSuccess: LOADED, last: leftOut }), '2026-01-01T03:00:00.000Z');
  });

  it('does not get newer by an attempt or a failure', () => {
    for (const kind of ['STARTED', 'FAILED'] as const) {
      const last = event(kind, '2026-01-03T03:00:00.000Z', '2026-01-03T03:00:00.000Z');
      assert.equal(verifiedAt({ lastSuccess: LOADED, last }), '2026-01-01T03:00:00.000Z');
    }
  });

  it('is unknown without a load', () => {
    assert.equal(verifiedAt({ last: event('FAILED', '2026-01-03T03:00:00.000Z') }), undefined);
    assert.equal(verifiedAt({ last: event('RESET', '2026-01-03T03:00:00.000Z') }), undefined);
  });
});
