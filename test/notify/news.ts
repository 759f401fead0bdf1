import type { HistoryEvent, TableState } from '../../src/history/history';
import { NOTHING_TOLD, type BatchNews } from '../../src/notify/compose';

export const NOW = new Date('2026-01-10T03:30:00.000Z');

export function event(
  kind: HistoryEvent['kind'],
  table: string,
  more: Partial<HistoryEvent> = {},
): HistoryEvent {
  const names = { pipeline: 'sales', table, batch: 'b1', run: 'r1' };
  return { id: `${kind}/${table}`, kind, recordedAt: NOW.toISOString(), ...names, ...more };
}

/** A batch of the pipeline `sales` with these outcomes. */
export function news(
  outcomes: readonly HistoryEvent[],
  more: Partial<BatchNews> & { readonly knownStates?: readonly TableState[] } = {},
): BatchNews {
  const { knownStates = [], ...rest } = more;
  const failed = outcomes.filter(({ kind }) => kind === 'FAILED');
  return {
    summary: {
      ...{ pipeline: 'sales', batch: 'b1', plan: 'p', considered: outcomes.length, skipped: 0 },
      loaded: outcomes.length - failed.length,
      failed: failed.length,
      ...{ rows: 0, bytes: 0 },
      failures: failed.map(({ table, error = '' }) => ({ table, error })),
    },
    outcomes: new Map(outcomes.map((outcome) => [outcome.table, outcome])),
    states: new Map(knownStates.map((state) => [state.table, state])),
    planned: outcomes.map(({ table }) => table),
    told: NOTHING_TOLD,
    freshnessMs: undefined,
    now: NOW,
    ...rest,
  };
}

export function failed(table: string, errorCode: string, error: string): HistoryEvent {
  return event('FAILED', table, { errorCode, error });
}
