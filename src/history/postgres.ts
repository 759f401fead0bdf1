import type { DatabaseConnection } from '../pipeline/pipeline';
import type { SecretStore } from '../pipeline/secrets';
import { fromRow, toRow } from './event-row';
import type { EventQuery, History, HistoryEvent } from './history';
import { acquireLease, holdersByTable, type LeaseStore } from './leases';
import type { Migration } from './migrations/migration';
import { POSTGRES_MIGRATIONS } from './migrations/postgres';
import { migratePostgres, openDatabase, type PostgresDatabase } from './postgres/database';
import { statementsFor, type Statements } from './postgres/statements';
import { bestOutcomes, checkedLimit, markedEvent, statesOf } from './results';

export interface PostgresHistoryOptions {
  /** The most connections at a time. Default 4: statements are short. */
  readonly poolSize?: number;
  /** Default: all that this version of Comporta has. */
  readonly migrations?: readonly Migration[];
}

/**
 * Historico_Execucao in a schema of a PostgreSQL database, shared by any number of machines.
 * When a lease runs out is decided by the server's clock alone.
 *
 * The schema is made where it is missing, if the user may create it.
 *
 * @throws ComportaError AuthenticationFailed, PermissionDenied, ConfigurationInvalid (TLS, no such
 *   database, a store written by a newer Comporta) or HistoryFailed, which another attempt may heal.
 */
export async function openPostgresHistory(
  connection: DatabaseConnection,
  schema: string,
  secrets: SecretStore,
  options: PostgresHistoryOptions = {},
): Promise<History> {
  const { poolSize = 4, migrations = POSTGRES_MIGRATIONS } = options;
  const database = await openDatabase(connection, secrets, poolSize);
  const { host, port, database: name } = connection;
  try {
    await migratePostgres(
      database,
      schema,
      migrations,
      `${host}:${port}/${name}, schema ${schema}`,
    );
  } catch (error) {
    await database.close();
    throw error;
  }
  const statements = statementsFor(schema);
  return historyOn(database, statements, leasesOn(database, statements));
}

/** Events per INSERT: bounds the memory for those that carry the columns of wide tables. */
const CHUNK = 2_000;

function historyOn(
  database: PostgresDatabase,
  statements: Statements,
  leases: LeaseStore,
): History {
  return {
    async append(events) {
      const rows = events.map(toRow);
      if (rows.length === 0) return;
      await database.transaction(async (run) => {
        for (let start = 0; start < rows.length; start += CHUNK) {
          await run(statements.append, transposed(rows.slice(start, start + CHUNK)));
        }
      });
    },

    async states(pipeline, tables) {
      const rows = await (tables === undefined
        ? database.rows(statements.states, [pipeline])
        : database.rows(statements.namedStates, [pipeline, tables]));
      return statesOf(rows.map(markedEvent));
    },

    async briefStates(pipeline) {
      const rows = await database.rows(statements.briefStates, [pipeline]);
      return statesOf(rows.map(markedEvent));
    },

    async events(query) {
      const { text, values } = eventsQuery(statements, query);
      return eventsOf(await database.rows(text, values));
    },

    async outcomes(pipeline, batch) {
      return bestOutcomes(eventsOf(await database.rows(statements.outcomes, [pipeline, batch])));
    },

    acquireLease: (request) => acquireLease(leases, request),
    leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
    leaseHolders: (pipeline) => leases.holders(pipeline),
    close: () => database.close(),
  };
}

function eventsOf(rows: readonly unknown[][]): HistoryEvent[] {
  return rows.map((row) => fromRow(row));
}

/** Rows of values as one array per column. */
function transposed<Value>(rows: readonly (readonly Value[])[]): Value[][] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, index) => rows.map((row) => row[index] as Value));
}

function eventsQuery(statements: Statements, query: EventQuery) {
  const limit = checkedLimit(query);
  const values: unknown[] = [query.pipeline];
  const conditions = ['e.pipeline = $1'];
  const add = (condition: (placeholder: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (query.table !== undefined) add((table) => `e.table_name = ${table}`, query.table);
  if (query.batch !== undefined) add((batch) => `e.batch = ${batch}`, query.batch);
  if (query.kinds !== undefined) {
    add((kinds) => `e.kind = ANY (${kinds}::text[])`, query.kinds);
    // The planner does not look into the array, and would not see that the small index serves.
    if (!query.kinds.includes('SKIPPED')) conditions.push(`e.kind <> 'SKIPPED'`);
  }
  values.push(limit);
  const text = `${statements.events} WHERE ${conditions.join(' AND ')}
    ORDER BY e.sequence DESC LIMIT $${values.length}`;
  return { text, values };
}

function leasesOn(database: PostgresDatabase, statements: Statements): LeaseStore {
  return {
    async take({ pipeline, table, owner, ttlMs, event }) {
      const values = [pipeline, table, owner, ttlMs];
      const [row] =
        event === undefined
          ? await database.rows(statements.take, values)
          : await database.transaction(async (run) => {
              const taken = await run(statements.take, values);
              if (taken.length > 0) await run(statements.append, transposed([toRow(event)]));
              return taken;
            });
      return row === undefined ? undefined : Number(row[0]);
    },
    async extend({ pipeline, table, owner, fence }, ttlMs) {
      const rows = await database.rows(statements.extend, [pipeline, table, owner, fence, ttlMs]);
      return rows.length > 0;
    },
    async isHeld({ pipeline, table, owner, fence }) {
      const rows = await database.rows(statements.held, [pipeline, table, owner, fence]);
      return rows.length > 0;
    },
    async free({ pipeline, table, owner, fence }) {
      await database.rows(statements.free, [pipeline, table, owner, fence]);
    },
    async holder(pipeline, table) {
      const [row] = await database.rows(statements.holder, [pipeline, table]);
      return row === undefined ? undefined : { owner: String(row[0]), until: String(row[1]) };
    },
    async holders(pipeline) {
      return holdersByTable(await database.rows(statements.holders, [pipeline]));
    },
  };
}
