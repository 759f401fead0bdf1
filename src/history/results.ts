import { ComportaError } from '../errors';
import { fromRow } from './event-row';
import type { EventQuery, HistoryEvent, HistoryEventKind, TableState } from './history';

/** An event that a store found while looking for the states of tables. */
export interface MarkedEvent {
  readonly event: HistoryEvent;
  /** It is its table's last event. */
  readonly last: boolean;
  /** It is its table's last success since its last reset. */
  readonly success: boolean;
}

/** From a row that begins with 1 for `last` plus 2 for `success` and goes on with the event. */
export function markedEvent(row: readonly unknown[]): MarkedEvent {
  const marks = Number(row[0]);
  return { event: fromRow(row, 1), last: (marks & 1) !== 0, success: (marks & 2) !== 0 };
}

export function statesOf(events: Iterable<MarkedEvent>): ReadonlyMap<string, TableState> {
  const states = new Map<string, TableState>();
  for (const { event, last, success } of events) {
    if (!last && !success) continue;
    states.set(event.table, {
      ...states.get(event.table),
      table: event.table,
      ...(last ? { last: event } : {}),
      ...(success ? { lastSuccess: event } : {}),
    });
  }
  return states;
}

/** What outweighs what within one batch. A reset belongs to no batch. */
const WEIGHTS: Readonly<Record<HistoryEventKind, number>> = {
  RESET: 0,
  SKIPPED: 1,
  STARTED: 2,
  FAILED: 3,
  SUCCEEDED: 4,
};

/**
 * The event of each table that says how it went.
 * @param events of one batch, oldest first; of two with the same weight the later counts.
 */
export function bestOutcomes(events: Iterable<HistoryEvent>): ReadonlyMap<string, HistoryEvent> {
  const outcomes = new Map<string, HistoryEvent>();
  for (const event of events) {
    const best = outcomes.get(event.table);
    if (event.kind === 'RESET') continue;
    if (best === undefined || WEIGHTS[event.kind] >= WEIGHTS[best.kind]) {
      outcomes.set(event.table, event);
    }
  }
  return outcomes;
}

/** @throws ComportaError ConfigurationInvalid for a limit that is no number of events. */
export function checkedLimit({ limit = 100 }: EventQuery): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  throw new ComportaError('ConfigurationInvalid', `${limit} is not a number of events`, {
    remedy: 'ask for 0 or more',
  });
}
