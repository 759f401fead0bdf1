import type { HistoryEvent } from '../../src/history/history';
import type { Plan } from '../../src/plan/plan';
import type { Change } from './changes';
import type { Fault } from './faults';
import { SETTLE_MARGIN_MS } from './world';

/** One batch of one pipeline, with everything it said. Times are milliseconds since 1970. */
export interface Batch {
  readonly pipeline: string;
  readonly batch: string;
  readonly from: number;
  readonly to: number;
  /** Undefined when it ended before there was one. */
  readonly plan: Plan | undefined;
}

export interface Records {
  readonly batches: readonly Batch[];
  /** All events of all pipelines, oldest first. */
  readonly events: readonly HistoryEvent[];
  readonly changes: readonly Change[];
  readonly faults: readonly Fault[];
}

export interface Verdicts {
  /** Tables that were skipped although they had changed. */
  readonly missed: readonly string[];
  /** Loads without a change, a restart or a first time behind them. */
  readonly unexplained: readonly string[];
  /** Failed loads in a batch without a fault and without a change to the table meanwhile. */
  readonly unexplainedFailures: readonly string[];
  /** Runs that the history tells two ends of, or none; tables that one batch loaded twice. */
  readonly contradictions: readonly string[];
}

/**
 * How long a change can stay out of a database's own evidence, or of what Comporta trusts of it.
 * MariaDB: the second to which it rounds, and the settle margin. PostgreSQL: a session that was busy
 * may keep its counts for ten seconds (PGSTAT_IDLE_INTERVAL in pgstat.c), of which Comporta waits
 * for the settle margin at most; docs/pipelines.md says so.
 */
const LATENESS_MS: Readonly<Record<string, number>> = {
  shop: SETTLE_MARGIN_MS + 1_000,
  books: 10_500 + SETTLE_MARGIN_MS,
};

/** A skip is wrong when the change was there to be seen. The log of MariaDB tells at once. */
const NOTICED_AFTER_MS: Readonly<Record<string, number>> = { shop: 0, books: 10_500 };

export function judge(records: Records): Verdicts {
  const { batches, events } = records;
  const planned = batches.flatMap((batch) =>
    (batch.plan?.loads ?? []).map((load) => ({ batch, table: load.table, load })),
  );
  const skipped = batches.flatMap((batch) =>
    (batch.plan?.skips ?? []).map((skip) => ({ batch, table: skip.table, skip })),
  );
  const failed = events.filter(({ kind }) => kind === 'FAILED');
  return {
    missed: skipped.flatMap(({ batch, table, skip }) => {
      const change = missedChange(records, batch, table);
      if (change === undefined) return [];
      return [
        `${batch.pipeline} ${batch.batch} skipped ${table} (${skip.decision.reason}) after: ${told(change)}`,
      ];
    }),
    unexplained: planned
      .filter(({ batch, load }) => !isExplained(records, batch, load))
      .map(
        ({ batch, table, load }) =>
          `${batch.pipeline} ${batch.batch} loaded ${table}: ${load.decision.reason}`,
      ),
    unexplainedFailures: failed
      .filter((event) => !isFailureExplained(records, event))
      .map(({ pipeline, batch, table, error }) => `${pipeline} ${batch} ${table}: ${error ?? ''}`),
    contradictions: contradictions(events),
  };
}

function told({ kind, effect, from, to }: Change): string {
  return `${kind} (${effect}) from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
}

/** The success that the batch's plan compared with. */
function previousSuccess(
  { events }: Records,
  { pipeline, from }: Batch,
  table: string,
): HistoryEvent | undefined {
  return events.findLast(
    (event) =>
      event.kind === 'SUCCEEDED' &&
      event.pipeline === pipeline &&
      event.table === table &&
      Date.parse(event.recordedAt) < from,
  );
}

/** A change that was committed after the last load had ended and well before the plan was asked for. */
function missedChange(records: Records, batch: Batch, table: string): Change | undefined {
  const previous = previousSuccess(records, batch, table);
  const since = Date.parse(previous?.endedAt ?? '');
  const until = batch.from - (NOTICED_AFTER_MS[batch.pipeline] ?? 0);
  return records.changes.find(
    (change) =>
      change.pipeline === batch.pipeline &&
      change.table === table &&
      change.effect === 'changed' &&
      change.from > since &&
      change.to < until,
  );
}

/**
 * A load has a reason when it is the table's first, when the table may have changed since the token
 * of its last load was read (or so shortly before that the token could not be trusted, or while a
 * transaction was open that had begun before), when the server forgot what it knew, or when nothing
 * of what it knows vouches for the table.
 */
function isExplained(records: Records, batch: Batch, { table, decision }: PlannedTable): boolean {
  const previous = previousSuccess(records, batch, table);
  if (previous?.token === undefined) return true;
  const readAt = Date.parse(previous.token.sourceTime);
  const changes = records.changes.filter(({ pipeline }) => pipeline === batch.pipeline);
  const restarts = records.faults.filter(({ forgetful }) => forgetful === batch.pipeline);
  const open = changes.filter(({ from, to }) => from <= readAt && to >= readAt);
  const since =
    Math.min(readAt, ...open.map(({ from }) => from)) - (LATENESS_MS[batch.pipeline] ?? 0);
  const isRecent = ({ from, to }: Change | Fault) => to >= since && from <= batch.to;
  const ofTable = changes.filter((change) => change.table === table);
  return (
    ofTable.some((change) => change.effect !== 'nothing' && isRecent(change)) ||
    restarts.some(isRecent) ||
    (changes.some((change) => change.isDefinition && isRecent(change)) &&
      (ESTIMATES_MOVED.test(decision.reason) || forgotten(ofTable, restarts, batch)))
  );
}

type PlannedTable = Plan['loads'][number];

/**
 * While MariaDB's log holds a changed definition, of any table, a table's own token has to vouch for
 * it; and in that, estimates count that the server makes anew in its own time.
 */
const ESTIMATES_MOVED = /^token: (?:(?:table_rows|data_length) \d+ → \d+(?:, )?)+$/;

/** Whether the server restarted after the last change of a table, of whose time it then knows nothing. */
function forgotten(ofTable: readonly Change[], restarts: readonly Fault[], batch: Batch): boolean {
  if (batch.pipeline !== 'shop') return false;
  const certain = ofTable.filter(({ effect, to }) => effect === 'changed' && to <= batch.from);
  const last = Math.max(0, ...certain.map(({ to }) => to));
  return restarts.some(({ from, to }) => to >= last && from <= batch.to);
}

/** What a fault breaks may show later: a worker's silence is noticed after 15 seconds. */
const AFTERMATH_MS = 30_000;

function isFailureExplained({ batches, faults, changes }: Records, event: HistoryEvent): boolean {
  const batch = batches.find(
    ({ pipeline, batch: name }) => pipeline === event.pipeline && name === event.batch,
  );
  if (batch === undefined) return false;
  return (
    faults.some(({ from, to }) => from <= batch.to && to + AFTERMATH_MS >= batch.from) ||
    changes.some(
      ({ pipeline, table, from, to }) =>
        pipeline === event.pipeline &&
        table === event.table &&
        from <= batch.to &&
        to >= batch.from,
    )
  );
}

function groupBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function contradictions(events: readonly HistoryEvent[]): string[] {
  const runs = groupBy(
    events.filter(({ run }) => run !== ''),
    ({ pipeline, table, run }) => `${pipeline} ${table} ${run}`,
  );
  const oddRuns = [...runs].flatMap(([run, own]) => {
    const ends = own.filter(({ kind }) => kind === 'SUCCEEDED' || kind === 'FAILED');
    return ends.length === 1
      ? []
      : [`${run} has the ends ${JSON.stringify(ends.map(({ kind }) => kind))}`];
  });
  const successes = groupBy(
    events.filter(({ kind }) => kind === 'SUCCEEDED'),
    ({ pipeline, table, batch }) => `${pipeline} ${table} ${batch}`,
  );
  const twice = [...successes].flatMap(([load, own]) =>
    own.length === 1 ? [] : [`${load} was loaded ${own.length} times`],
  );
  return [...oddRuns, ...twice];
}
