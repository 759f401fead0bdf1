import { ApplicationFailure } from '@temporalio/common';
import type {
  ControlActivities,
  EngineActivities,
  IngestTableInput,
  PlannedLoad,
  RecordFailureRequest,
} from '../../src/workflows/api';

export interface FakePlan {
  readonly tables: readonly string[];
  readonly concurrency?: number;
  readonly maximumAttempts?: number;
  /** Whether people are to be told, and what happens then. */
  readonly notify?: () => Promise<void> | void;
  /** Called for every load; throw to fail it. */
  readonly load?: (input: IngestTableInput) => Promise<void> | void;
  /** Connections whose clusters the batch has, and what happens when one is to be deleted. */
  readonly clusters?: readonly string[];
  readonly deleteCluster?: () => void;
  /** The plan comes without its first page, as from a worker of before. Default: false. */
  readonly pagesApart?: boolean;
}

/** What the fakes saw, for assertions. */
export interface Seen {
  readonly loads: string[];
  readonly failures: RecordFailureRequest[];
  /** Loads at the same time, at most. */
  widest: number;
  readonly pages: number[];
  notices: number;
  readonly leftOut: string[];
  /** Connections, with how many loads had ended by then. */
  readonly deleted: string[];
}

/** Activities that plan the given tables and load nothing, keeping their own small history. */
export function fakeActivities({
  tables,
  concurrency = 4,
  maximumAttempts = 1,
  load,
  notify,
  clusters,
  deleteCluster,
  pagesApart = false,
}: FakePlan): {
  readonly activities: ControlActivities & EngineActivities;
  readonly seen: Seen;
} {
  const seen: Seen = {
    ...{ loads: [], failures: [], widest: 0, pages: [], notices: 0, leftOut: [], deleted: [] },
  };
  const succeeded = new Set<string>();
  let running = 0;
  const planned = (table: string): PlannedLoad => ({
    table,
    decision: { verdict: 'changed', reason: 'the test says so' },
    load: { taskQueue: 'comporta-embedded', timeoutMs: 60_000, maximumAttempts },
  });
  return {
    seen,
    activities: {
      planLoad: ({ pipeline, batch, pageSize }) => {
        if (!pagesApart) seen.pages.push(0);
        return Promise.resolve({
          pipeline,
          batch,
          path: `_plans/${pipeline}/${batch}.json`,
          considered: tables.length,
          toLoad: tables.length,
          skipped: 0,
          concurrency,
          ...(notify === undefined ? {} : { notify: true }),
          ...(clusters === undefined ? {} : { clusters }),
          ...(pagesApart ? {} : { firstPage: tables.slice(0, pageSize).map(planned) }),
        });
      },
      readPlanPage: ({ offset, limit }) => {
        seen.pages.push(offset);
        return Promise.resolve(tables.slice(offset, offset + limit).map(planned));
      },
      recordFailure: (request) => {
        seen.failures.push(request);
        return Promise.resolve();
      },
      summarizeBatch: ({ pipeline, batch, path }) => {
        const out = (table: string) => seen.leftOut.some((each) => each.startsWith(`${table}:`));
        const failed = tables.filter((table) => !succeeded.has(table) && !out(table));
        return Promise.resolve({
          pipeline,
          batch,
          plan: path,
          considered: tables.length,
          loaded: succeeded.size,
          failed: failed.length,
          skipped: 0,
          rows: 0,
          bytes: 0,
          failures: failed.map((table) => ({ table, error: 'failed in the test' })),
        });
      },
      recordLeftOut: ({ tables: all }) => {
        for (const { table, reason } of all) seen.leftOut.push(`${table}: ${reason}`);
        return Promise.resolve();
      },
      notifyBatch: async () => {
        seen.notices += 1;
        await notify?.();
      },
      deleteCluster: async ({ connection }) => {
        seen.deleted.push(`${connection} after ${seen.loads.length - running}`);
        await Promise.resolve(deleteCluster?.());
      },
      loadTable: async (input) => {
        seen.loads.push(input.table);
        running += 1;
        seen.widest = Math.max(seen.widest, running);
        try {
          await load?.(input);
        } finally {
          running -= 1;
        }
        succeeded.add(input.table);
        return { run: 'run', rows: 0, rowsPublished: 0, bytes: 0, durationMs: 0, files: 0 };
      },
    },
  };
}

export function failure(type: string, message: string, nonRetryable = true): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable });
}
