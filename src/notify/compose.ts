import type { HistoryEvent, TableState } from '../history/history';
import { verifiedTables } from '../metrics/freshness';
import type { BatchSummary } from '../workflows/api';
import type { FailureGroup, Notice, StaleTable } from './notice';

/** What people have been told of a pipeline's tables and not yet that it is over. */
export interface Told {
  /** By table, when its failure was first told, ISO 8601. */
  readonly failing: Readonly<Record<string, string>>;
  /** By table, likewise. */
  readonly stale: Readonly<Record<string, string>>;
}

export const NOTHING_TOLD: Told = { failing: {}, stale: {} };

export interface BatchNews {
  readonly summary: BatchSummary;
  /** The last outcome per table of the batch. */
  readonly outcomes: ReadonlyMap<string, HistoryEvent>;
  /** Tables of the pipeline as the history knows them now. */
  readonly states: ReadonlyMap<string, TableState>;
  /** Tables that the batch planned to load or found unchanged. */
  readonly planned: readonly string[];
  readonly told: Told;
  /** Milliseconds after which a table that nothing vouched for is stale; undefined: never. */
  readonly freshnessMs: number | undefined;
  readonly now: Date;
  readonly link?: string;
}

/** What there is to tell, if anything, and what will have been told then. */
export function compose(news: BatchNews): { readonly notice?: Notice; readonly told: Told } {
  const { summary, told } = news;
  const failed = failedTables(news);
  const stale = staleTables(news);
  const at = news.now.toISOString();

  const recovered = [
    ...Object.entries(told.failing).flatMap(([table, since]) =>
      !failed.has(table) && succeededSince(news.states.get(table), since) ? [table] : [],
    ),
    ...Object.keys(told.stale).filter((table) => !stale.has(table)),
  ];
  const newlyStale = [...stale.values()].filter(
    ({ table }) => told.stale[table] === undefined && !failed.has(table),
  );
  const next: Told = {
    failing: {
      ...without(told.failing, recovered),
      ...Object.fromEntries([...failed.keys()].map((table) => [table, told.failing[table] ?? at])),
    },
    stale: {
      ...without(told.stale, recovered),
      ...Object.fromEntries(newlyStale.map(({ table }) => [table, at])),
    },
  };
  const failures = grouped([...failed.values()]);
  if (failures.length + recovered.length + newlyStale.length === 0) return { told: next };
  const { pipeline, batch, loaded, skipped } = summary;
  return {
    told: next,
    notice: {
      ...{ pipeline, batch, loaded, skipped, failures },
      recovered: [...new Set(recovered)].sort(),
      stale: newlyStale,
      ...(news.link === undefined ? {} : { link: news.link }),
    },
  };
}

interface Failed {
  readonly table: string;
  readonly code: string;
  readonly error: string;
}

/** By the history, as the summary names fifty at most. */
function failedTables({ outcomes, summary }: BatchNews): Map<string, Failed> {
  const failed = new Map<string, Failed>();
  for (const { table, error } of summary.failures) {
    failed.set(table, { table, code: 'NotEnded', error });
  }
  for (const [table, { kind, errorCode, error }] of outcomes) {
    if (kind !== 'FAILED') continue;
    failed.set(table, { table, code: errorCode ?? 'Unknown', error: error ?? '' });
  }
  return failed;
}

function staleTables({ planned, states, freshnessMs, now }: BatchNews): Map<string, StaleTable> {
  if (freshnessMs === undefined) return new Map();
  const known = planned.flatMap((table) => states.get(table) ?? { table });
  const verified = new Map(verifiedTables(known).map(({ table, at }) => [table, at]));
  return new Map(
    planned.flatMap((table) => {
      const at = verified.get(table);
      if (at !== undefined && now.getTime() - at.getTime() <= freshnessMs) return [];
      return [[table, { table, ...(at === undefined ? {} : { verifiedAt: at.toISOString() }) }]];
    }),
  );
}

function succeededSince(state: TableState | undefined, since: string): boolean {
  const at = state?.lastSuccess?.recordedAt;
  return at !== undefined && at >= since;
}

function without(
  tables: Readonly<Record<string, string>>,
  gone: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(tables).filter(([table]) => !gone.includes(table)));
}

function grouped(failed: readonly Failed[]): FailureGroup[] {
  const groups = new Map<string, { table: string; error: string }[]>();
  for (const { table, code, error } of failed) {
    groups.set(code, [...(groups.get(code) ?? []), { table, error }]);
  }
  return [...groups]
    .map(([code, tables]) => ({
      code,
      tables: tables.sort((a, b) => (a.table < b.table ? -1 : 1)),
    }))
    .sort((a, b) => b.tables.length - a.tables.length || (a.code < b.code ? -1 : 1));
}
