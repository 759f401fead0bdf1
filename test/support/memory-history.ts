import { fromRow, toRow } from '../../src/history/event-row';
import type { History, HistoryEvent, LeaseHolder, TableState } from '../../src/history/history';
import { acquireLease, firstFence, type LeaseStore } from '../../src/history/leases';
import { bestOutcomes, checkedLimit } from '../../src/history/results';

export interface MemoryHistoryOptions {
  /** Decides when a lease runs out, in milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
}

/** A History that lives as long as the test; it passes the same contract as the real stores. */
export function createMemoryHistory({ now = Date.now }: MemoryHistoryOptions = {}): History {
  // In the order of their appending, which Map keeps.
  const events = new Map<string, HistoryEvent>();
  const append = (appended: readonly HistoryEvent[]) => {
    const recorded = appended.map((event) => fromRow(toRow(event)));
    for (const event of recorded) {
      if (!events.has(event.id)) events.set(event.id, event);
    }
  };
  const leases = memoryLeases(now, append);

  const states: History['states'] = (pipeline, tables) => {
    const found = new Map<string, TableState>();
    for (const event of events.values()) {
      if (event.pipeline !== pipeline) continue;
      if (tables !== undefined && !tables.includes(event.table)) continue;
      found.set(event.table, after(found.get(event.table), event));
    }
    return Promise.resolve(found);
  };

  return {
    append: (appended) => Promise.resolve().then(() => append(appended)),
    states,
    briefStates: (pipeline) => states(pipeline),

    async events(query) {
      const limit = checkedLimit(query);
      const found = [...events.values()].filter(
        ({ pipeline, table, batch, kind }) =>
          pipeline === query.pipeline &&
          (query.table === undefined || table === query.table) &&
          (query.batch === undefined || batch === query.batch) &&
          (query.kinds === undefined || query.kinds.includes(kind)),
      );
      return Promise.resolve(found.reverse().slice(0, limit));
    },

    async outcomes(pipeline, batch) {
      const all = [...events.values()];
      return Promise.resolve(
        bestOutcomes(all.filter((event) => event.pipeline === pipeline && event.batch === batch)),
      );
    },

    acquireLease: (request) => acquireLease(leases, request),
    leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
    leaseHolders: (pipeline) => leases.holders(pipeline),
    close: () => Promise.resolve(),
  };
}

function after(state: TableState | undefined, event: HistoryEvent): TableState {
  const lastSuccess =
    event.kind === 'SUCCEEDED' ? event : event.kind === 'RESET' ? undefined : state?.lastSuccess;
  const common = { table: event.table, last: event };
  return lastSuccess === undefined ? common : { ...common, lastSuccess };
}

interface LeaseRow {
  fence: number;
  owner?: string;
  expiresAt: number;
}

function memoryLeases(
  now: () => number,
  append: (events: readonly HistoryEvent[]) => void,
): LeaseStore {
  const rows = new Map<string, LeaseRow>();
  const rowOf = (pipeline: string, table: string) => rows.get(JSON.stringify([pipeline, table]));
  const owned = (key: { pipeline: string; table: string; owner: string; fence: number }) => {
    const row = rowOf(key.pipeline, key.table);
    return row?.owner === key.owner && row.fence === key.fence ? row : undefined;
  };

  return {
    async take({ pipeline, table, owner, ttlMs, event }) {
      const row = rowOf(pipeline, table);
      const taken = row?.owner !== undefined && row.owner !== owner && row.expiresAt > now();
      if (taken) return Promise.resolve(undefined);
      const fence = row === undefined ? firstFence(now()) : row.fence + 1;
      rows.set(JSON.stringify([pipeline, table]), { fence, owner, expiresAt: now() + ttlMs });
      if (event !== undefined) append([event]);
      return Promise.resolve(fence);
    },
    async extend(key, ttlMs) {
      const row = owned(key);
      if (row !== undefined) row.expiresAt = now() + ttlMs;
      return Promise.resolve(row !== undefined);
    },
    async isHeld(key) {
      const row = owned(key);
      return Promise.resolve(row !== undefined && row.expiresAt > now());
    },
    async free(key) {
      const row = owned(key);
      if (row !== undefined) delete row.owner;
      return Promise.resolve();
    },
    async holder(pipeline, table) {
      const row = rowOf(pipeline, table);
      if (row?.owner === undefined || row.expiresAt <= now()) return Promise.resolve(undefined);
      const until = new Date(row.expiresAt).toISOString();
      return Promise.resolve({ owner: row.owner, until });
    },
    async holders(pipeline) {
      const tables = [...rows.keys()].map((key) => JSON.parse(key) as [string, string]);
      const held = new Map<string, LeaseHolder>();
      for (const [of, table] of tables) {
        const holder = of === pipeline ? await this.holder(pipeline, table) : undefined;
        if (holder !== undefined) held.set(table, holder);
      }
      return held;
    },
  };
}
