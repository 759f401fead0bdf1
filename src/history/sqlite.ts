import {
  EVENT_COLUMNS,
  fromRow,
  isBrief,
  toRow,
  type FieldColumn,
  type RowValue,
} from './event-row';
import type { History, HistoryEvent } from './history';
import { acquireLease, firstFence, holdersByTable, type LeaseStore } from './leases';
import { SQLITE_MIGRATIONS } from './migrations/sqlite';
import type { Migration } from './migrations/migration';
import { bestOutcomes, checkedLimit, markedEvent, statesOf } from './results';
import { migrateSqlite, openDatabase, type SqliteDatabase } from './sqlite/database';

export interface SqliteHistoryOptions {
  /** The clock that decides when a lease runs out, in milliseconds since 1970. Default: the machine's. */
  readonly now?: () => number;
  /** How long to keep trying while other processes write, in milliseconds. Default 60,000. */
  readonly busyMs?: number;
  /** Default: all that this version of Comporta has. */
  readonly migrations?: readonly Migration[];
}

/**
 * Historico_Execucao in one SQLite file: for one machine, any number of processes. Not for a
 * network file system, where SQLite's locks do not hold (https://www.sqlite.org/wal.html).
 *
 * The file and its folder are made where they are missing.
 *
 * @throws ComportaError ConfigurationInvalid when the file is something else or was written by a
 *   newer Comporta; PermissionDenied; HistoryFailed.
 */
export async function openSqliteHistory(
  path: string,
  options: SqliteHistoryOptions = {},
): Promise<History> {
  const { now = Date.now, busyMs = 60_000, migrations = SQLITE_MIGRATIONS } = options;
  const database = await openDatabase(path, busyMs);
  try {
    await migrateSqlite(database, migrations, path, () => new Date(now()));
  } catch (error) {
    database.close();
    throw error;
  }
  return historyOn(database, leasesOn(database, now));
}

const PLAIN_COLUMNS = EVENT_COLUMNS.filter(({ kind }) => kind !== 'json');
const PLAIN_LIST = listOf(PLAIN_COLUMNS);
/** In the places of the whole list. */
const BRIEF_LIST = PLAIN_COLUMNS.map((column) =>
  isBrief(column) ? listOf([column]) : 'NULL',
).join(', ');
const JSON_LIST = listOf(EVENT_COLUMNS.filter(({ kind }) => kind === 'json'));

function listOf(columns: readonly FieldColumn[]): string {
  return columns.map(({ column }) => `e.${column}`).join(', ');
}

/**
 * The columns of an event `e`, with `first` before them. What crosses from SQLite to JavaScript
 * costs by the cell, most of them NULL; as one JSON text they take a quarter less time.
 */
function packed(first?: string): string {
  return `json_array(${first === undefined ? '' : `${first}, `}${PLAIN_LIST}), ${JSON_LIST}`;
}

function unpacked([plain, ...json]: readonly unknown[]): unknown[] {
  return [...(JSON.parse(plain as string) as unknown[]), ...json];
}

function eventsOf(rows: readonly unknown[][]): HistoryEvent[] {
  return rows.map((row) => fromRow(unpacked(row)));
}

/** Names only the columns that have a value: binding the NULLs of a skip takes twice the time of the rest. */
function appendRow(database: SqliteDatabase, row: readonly RowValue[]): void {
  const present = EVENT_COLUMNS.flatMap(({ column }, index) => {
    const value = row[index] ?? null;
    return value === null ? [] : [{ column, value }];
  });
  const columns = present.map(({ column }) => column).join(', ');
  const values = present.map(() => '?').join(', ');
  database.rows(
    `INSERT INTO historico_execucao (${columns}) VALUES (${values}) ON CONFLICT (id) DO NOTHING`,
    present.map(({ value }) => value),
  );
}

/** From table to table through the index, without reading the events between. */
const EVERY_TABLE = `SELECT min(table_name) FROM historico_execucao WHERE pipeline = ?1
  UNION ALL
  SELECT (SELECT min(table_name) FROM historico_execucao
          WHERE pipeline = ?1 AND table_name > known.table_name)
  FROM known WHERE known.table_name IS NOT NULL`;

const NAMED_TABLES = 'SELECT DISTINCT value FROM json_each(?2)';

/**
 * Conditions of the indexes that leave most rows out: SQLite uses such an index only where the
 * statement repeats its condition (https://www.sqlite.org/partialindex.html).
 */
const NOT_SKIPPED = `kind <> 'SKIPPED'`;
const STANDING = `kind IN ('SUCCEEDED', 'RESET')`;

/** 1 for a table's last event, plus 2 for its success that no reset followed. */
const MARKS = `(e.sequence = last) + 2 * (e.sequence IS standing AND e.kind = 'SUCCEEDED')`;

/** @param selected of an event `e`. */
function statesStatement(tables: string, selected = packed(MARKS)): string {
  return `WITH RECURSIVE known (table_name) AS (${tables}),
    latest AS (
      SELECT
        (SELECT max(sequence) FROM historico_execucao
          WHERE pipeline = ?1 AND table_name = known.table_name) AS last,
        (SELECT max(sequence) FROM historico_execucao
          WHERE pipeline = ?1 AND table_name = known.table_name AND ${STANDING}) AS standing
      FROM known)
    SELECT ${selected}
    FROM latest JOIN historico_execucao e ON e.sequence IN (last, standing)`;
}

const STATES = statesStatement(EVERY_TABLE);
const BRIEF_STATES = statesStatement(EVERY_TABLE, `json_array(${MARKS}, ${BRIEF_LIST})`);
const NAMED_STATES = statesStatement(NAMED_TABLES);

const OUTCOMES = `SELECT ${packed()} FROM historico_execucao e
  WHERE pipeline = ?1 AND batch = ?2 AND kind <> 'RESET' ORDER BY sequence`;

function historyOn(database: SqliteDatabase, leases: LeaseStore): History {
  return {
    async append(events) {
      const rows = events.map(toRow);
      await database.transaction(() => {
        for (const row of rows) appendRow(database, row);
      });
    },

    async states(pipeline, tables) {
      const rows = await database.attempt(() =>
        tables === undefined
          ? database.rows(STATES, [pipeline])
          : database.rows(NAMED_STATES, [pipeline, JSON.stringify(tables)]),
      );
      return statesOf(rows.map((row) => markedEvent(unpacked(row))));
    },

    async briefStates(pipeline) {
      const rows = await database.attempt(() => database.rows(BRIEF_STATES, [pipeline]));
      return statesOf(rows.map((row) => markedEvent(unpacked(row))));
    },

    async events(query) {
      const { pipeline, table, batch, kinds } = query;
      const limit = checkedLimit(query);
      const conditions = ['pipeline = ?'];
      const values: RowValue[] = [pipeline];
      if (table !== undefined) {
        conditions.push('table_name = ?');
        values.push(table);
      }
      if (batch !== undefined) {
        conditions.push('batch = ?');
        values.push(batch);
      }
      if (kinds !== undefined) {
        conditions.push(`kind IN (${kinds.map(() => '?').join(', ')})`);
        values.push(...kinds);
        if (!kinds.includes('SKIPPED')) conditions.push(NOT_SKIPPED);
      }
      const sql = `SELECT ${packed()} FROM historico_execucao e
        WHERE ${conditions.join(' AND ')} ORDER BY sequence DESC LIMIT ?`;
      const rows = await database.attempt(() => database.rows(sql, [...values, limit]));
      return eventsOf(rows);
    },

    async outcomes(pipeline, batch) {
      const rows = await database.attempt(() => database.rows(OUTCOMES, [pipeline, batch]));
      return bestOutcomes(eventsOf(rows));
    },

    acquireLease: (request) => acquireLease(leases, request),
    leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
    leaseHolders: (pipeline) => leases.holders(pipeline),
    close: () => Promise.resolve(database.close()),
  };
}

/** Times are kept as ISO 8601 text of one length, which sorts as the times do. */
function leasesOn(database: SqliteDatabase, now: () => number): LeaseStore {
  const iso = (time: number) => new Date(time).toISOString();
  return {
    async take({ pipeline, table, owner, ttlMs, event }) {
      const eventRow = event === undefined ? undefined : toRow(event);
      const rows = await database.transaction(() => {
        const time = now();
        const taken = database.rows(TAKE, [
          pipeline,
          table,
          firstFence(time),
          owner,
          iso(time + ttlMs),
          iso(time),
        ]);
        if (taken.length > 0 && eventRow !== undefined) appendRow(database, eventRow);
        return taken;
      });
      return rows[0] === undefined ? undefined : Number(rows[0][0]);
    },

    async extend({ pipeline, table, owner, fence }, ttlMs) {
      const rows = await database.transaction(() =>
        database.rows(EXTEND, [pipeline, table, owner, fence, iso(now() + ttlMs)]),
      );
      return rows.length > 0;
    },

    async isHeld({ pipeline, table, owner, fence }) {
      const rows = await database.attempt(() =>
        database.rows(HELD, [pipeline, table, owner, fence, iso(now())]),
      );
      return rows.length > 0;
    },

    async free({ pipeline, table, owner, fence }) {
      await database.transaction(() => database.rows(FREE, [pipeline, table, owner, fence]));
    },

    async holder(pipeline, table) {
      const [row] = await database.attempt(() =>
        database.rows(HOLDER, [pipeline, table, iso(now())]),
      );
      return row === undefined ? undefined : { owner: String(row[0]), until: String(row[1]) };
    },

    async holders(pipeline) {
      const rows = await database.attempt(() => database.rows(HOLDERS, [pipeline, iso(now())]));
      return holdersByTable(rows);
    },
  };
}

const TAKE = `INSERT INTO comporta_lease (pipeline, table_name, fence, owner, expires_at)
  VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT (pipeline, table_name) DO UPDATE
    SET fence = fence + 1, owner = excluded.owner, expires_at = excluded.expires_at
    WHERE owner IS NULL OR owner = excluded.owner OR expires_at <= ?6
  RETURNING fence`;

const EXTEND = `UPDATE comporta_lease SET expires_at = ?5
  WHERE pipeline = ?1 AND table_name = ?2 AND owner = ?3 AND fence = ?4 RETURNING fence`;

const HELD = `SELECT fence FROM comporta_lease
  WHERE pipeline = ?1 AND table_name = ?2 AND owner = ?3 AND fence = ?4 AND expires_at > ?5`;

const FREE = `UPDATE comporta_lease SET owner = NULL, expires_at = NULL
  WHERE pipeline = ?1 AND table_name = ?2 AND owner = ?3 AND fence = ?4`;

const HOLDERS = `SELECT table_name, owner, expires_at FROM comporta_lease
  WHERE pipeline = ?1 AND expires_at > ?2`;

const HOLDER = `SELECT owner, expires_at FROM comporta_lease
  WHERE pipeline = ?1 AND table_name = ?2 AND expires_at > ?3`;
