import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import type { Source } from '../source';
import { listTables } from './catalog';
import { openSession, type Session } from './connection';
import { DEFAULT_BATCH_LIMITS, type BatchLimits } from './read';
import { openSnapshot } from './snapshot';

export interface MysqlSourceOptions {
  /** When a batch of rows is handed over. Default: 65,536 rows or 8 MiB, whichever comes first. */
  readonly batch?: BatchLimits;
}

/**
 * MySQL 8 and 9, Aurora MySQL and MariaDB from 10.5. Every operation has a connection of its own,
 * opened for it and closed after it.
 */
export function createMysqlSource(
  connection: DatabaseConnection,
  secrets: SecretStore,
  options: MysqlSourceOptions = {},
): Source {
  const open = () => openSession(connection, secrets);
  const limits = options.batch ?? DEFAULT_BATCH_LIMITS;

  async function withSession<Result>(work: (session: Session) => Promise<Result>) {
    const session = await open();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  return {
    dialect: 'mysql',
    listTables: (only) => withSession((session) => listTables(session, connection.database, only)),
    readTokens: () => Promise.resolve(new Map()),
    openSnapshot: (table, signal) => openSnapshot({ open, secrets, limits }, table, signal),
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}
