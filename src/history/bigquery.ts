import type { BigqueryHistorySettings } from '../pipeline/pipeline';
import { appendQueue, runsOfBytes } from './bigquery/append-queue';
import { createDatabase, type BigqueryDatabase, type Row } from './bigquery/database';
import { statementsFor, type Statements } from './bigquery/statements';
import { EVENT_COLUMNS, fromRow, toRow } from './event-row';
import type { EventQuery, History, HistoryEvent } from './history';
import { acquireLease, type LeaseStore } from './leases';
import { bigqueryMigrations } from './migrations/bigquery';
import { bestOutcomes, checkedLimit, markedEvent, statesOf } from './results';

/** Where a history that cannot decide between two who ask at once keeps its leases. */
export interface LeasePlace {
  readonly leases: LeaseStore;
  close(): Promise<void>;
}

/**
 * Historico_Execucao in a dataset of BigQuery, with the leases somewhere else.
 *
 * Events are added and never changed. An event that is recorded twice is there twice, and every
 * reading takes its first recording: so an append reads nothing, conflicts with no other, and what
 * is asked for at the same moment is one INSERT. BigQuery runs ten INSERTs into a table at a time
 * beyond the first 1,500 of a day, and has no other limit on their number
 * (https://cloud.google.com/bigquery/docs/data-manipulation-language#insert_dml_concurrency).
 *
 * Dataset, tables and views are made where they are missing, if the account may.
 *
 * @throws ComportaError AuthenticationFailed, PermissionDenied, ConfigurationInvalid (also a dataset
 *   written by a newer Comporta) or HistoryFailed, which another attempt may heal.
 */
export async function openBigqueryHistory(
  settings: BigqueryHistorySettings,
  place: LeasePlace,
): Promise<History> {
  const database = createDatabase(settings);
  await database.migrate(bigqueryMigrations((table) => database.place(table)));
  const statements = statementsFor((table) => database.place(table));
  return historyOn(database, statements, place);
}

/**
 * Of one INSERT's events. A request may have 10 MB, its parameters included
 * (https://cloud.google.com/bigquery/quotas#query_jobs), and quotes within them take two bytes.
 */
const INSERT_BYTES = 4_000_000;

function historyOn(database: BigqueryDatabase, statements: Statements, place: LeasePlace): History {
  const { leases } = place;
  const write = appendQueue<string>(async (rows) => {
    for (const run of runsOfBytes(rows, INSERT_BYTES)) {
      await database.rows(statements.append, { values: { events: `[${run.join(',')}]` } });
    }
  });
  const append = async (events: readonly HistoryEvent[]) => {
    const rows = events.map(parameterOf);
    if (rows.length > 0) await write(rows);
  };

  return {
    append,

    async states(pipeline, tables) {
      const rows = await (tables === undefined
        ? database.rows(statements.states, { values: { pipeline } })
        : tables.length === 0
          ? database.rows(statements.nothing)
          : database.rows(statements.namedStates, {
              values: { pipeline, tables },
              arrays: ['tables'],
            }));
      return statesOf(rows.map((row) => markedEvent([row['marks'], ...valuesOf(row)])));
    },

    async briefStates(pipeline) {
      const rows = await database.rows(statements.briefStates, { values: { pipeline } });
      return statesOf(rows.map((row) => markedEvent([row['marks'], ...valuesOf(row)])));
    },

    async events(query) {
      const { sql, parameters } = eventsQuery(statements, query);
      return (await database.rows(sql, parameters)).map((row) => fromRow(valuesOf(row)));
    },

    async outcomes(pipeline, batch) {
      const rows = await database.rows(statements.outcomes, { values: { pipeline, batch } });
      return bestOutcomes(rows.map((row) => fromRow(valuesOf(row))));
    },

    acquireLease: (request) => acquireLease(withEvents(leases, append), request),
    leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
    leaseHolders: (pipeline) => leases.holders(pipeline),
    close: () => place.close(),
  };
}

/**
 * Lease and event are in two places: the lease comes first, and goes back when the event cannot be
 * recorded. A process that dies in between leaves a lease that runs out, and no event.
 */
function withEvents(
  leases: LeaseStore,
  append: (events: readonly HistoryEvent[]) => Promise<void>,
): LeaseStore {
  return {
    ...leases,
    async take({ event, ...request }) {
      const fence = await leases.take(request);
      if (fence === undefined || event === undefined) return fence;
      try {
        await append([event]);
        return fence;
      } catch (error) {
        // What cannot be given back runs out by itself.
        await leases.free({ ...request, fence }).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** An event as an element of the parameter that an append takes. */
function parameterOf(event: HistoryEvent): string {
  return JSON.stringify(toRow(event).map((value) => (value === null ? null : String(value))));
}

/** A row of the columns in the form that `fromRow` takes. */
function valuesOf(row: Row): unknown[] {
  return EVENT_COLUMNS.map(({ column, kind }) => {
    const value = row[column];
    return kind === 'time' && typeof value === 'number' ? new Date(value).toISOString() : value;
  });
}

function eventsQuery(statements: Statements, query: EventQuery) {
  const limit = checkedLimit(query);
  const { pipeline, table, batch, kinds } = query;
  const given = {
    table: table !== undefined,
    batch: batch !== undefined,
    kinds: kinds !== undefined,
  };
  return {
    sql: statements.events(given),
    parameters: {
      values: {
        pipeline,
        limit,
        ...(table === undefined ? {} : { table }),
        ...(batch === undefined ? {} : { batch }),
        ...(kinds === undefined ? {} : { kinds }),
      },
      arrays: kinds === undefined ? [] : ['kinds'],
    },
  };
}
