import type { HistoryEvent } from '../../../src/history/history';

let sequence = 0;

/** An event of the pipeline `sales`, recorded when it says. */
export function event(
  kind: HistoryEvent['kind'],
  table: string,
  recordedAt: string,
  more: Partial<HistoryEvent> = {},
): HistoryEvent {
  sequence += 1;
  const names = { pipeline: 'sales', table, batch: 'b1', run: `run-${sequence}` };
  return { id: String(sequence), kind, recordedAt, ...names, ...more };
}

export function loaded(
  table: string,
  recordedAt: string,
  rowsPublished: number,
  durationMs = 1_000,
): HistoryEvent {
  const counts = { rowsRead: rowsPublished, rowsPublished, durationMs, bytes: rowsPublished * 10 };
  return event('SUCCEEDED', table, recordedAt, { ...counts, startedAt: recordedAt });
}
