import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import type { Source } from '../source';
import { checkSource } from './check';
import { openSession, type Session } from './session';
import { openSnapshot } from './snapshot';
import { listTables } from './tables';
import { readTokens, type Wait } from './tokens';

export interface PostgresSourceOptions {
  /** Passes the time until late counters have come in. Default: a timer. */
  readonly wait?: Wait;
}

/**
 * PostgreSQL 13 and later. Every call opens a connection and ends it: nothing is left on the
 * server between calls, and a pooler in front of it sees whole transactions only.
 */
export function createPostgresSource(
  connection: DatabaseConnection,
  schemas: readonly string[],
  secrets: SecretStore,
  { wait = delay }: PostgresSourceOptions = {},
): Source {
  const open = new Set<Session>();

  const withSession = async <Result>(use: (session: Session) => Promise<Result>) => {
    const session = await openSession(connection, secrets);
    open.add(session);
    try {
      return await use(session);
    } finally {
      open.delete(session);
      await session.close();
    }
  };

  return {
    dialect: 'postgres',
    listTables: (only) => withSession((session) => listTables(session, schemas, only)),
    readTokens: async (requests) =>
      requests.length === 0
        ? new Map()
        : withSession((session) => readTokens(session, requests, wait)),
    changeTimes: (tables) =>
      Promise.resolve({
        stamped: 'commit',
        tables: new Map(
          tables.map(({ id }) => [id, { unknown: 'PostgreSQL keeps no time of a change' }]),
        ),
      }),
    openSnapshot: (table, signal, shared) =>
      openSnapshot(connection, secrets, table, signal, shared),
    check: (tables) => checkSource(connection, schemas, tables, withSession),
    async close() {
      await Promise.all([...open].map((session) => session.close()));
    },
  };
}
