import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import type { Source } from '../source';
import { checkSource, connectionFinding } from './check';
import { listTables } from './catalog';
import { readChangeTimes } from './change-times';
import { openErrand, openSession, type Session } from './connection';
import { DEFAULT_BATCH_LIMITS, type BatchLimits } from './read';
import { openSnapshot } from './snapshot';
import { DEFAULT_SCAN_BUDGET, type ScanBudget } from './tokens/binlog-scan';
import { readTokens } from './tokens/read-tokens';
import type { LogMemory } from './tokens/touched';
import { readOpenTransactions, sharedReading } from './tokens/transactions';

export interface MysqlSourceOptions {
  /** When a batch of rows is handed over. Default: 65,536 rows or 1 MiB, whichever comes first. */
  readonly batch?: BatchLimits;
  /** How much of the binary log one reading of tokens may read. Default: 50,000 events or 5 s. */
  readonly scan?: ScanBudget;
}

/**
 * MySQL 8 and 9, Aurora MySQL and MariaDB from 10.5. Every operation has a connection of its own,
 * opened for it and closed after it: a session that stays does not learn of rights granted
 * meanwhile, and asks so soon again that InnoDB's list of transactions is never renewed.
 */
export function createMysqlSource(
  connection: DatabaseConnection,
  secrets: SecretStore,
  options: MysqlSourceOptions = {},
): Source {
  const open = () => openSession(connection, secrets);
  const limits = options.batch ?? DEFAULT_BATCH_LIMITS;
  const dependencies = {
    ...{ open, secrets, limits },
    openErrand: () => openErrand(connection, secrets),
  };
  const budget = options.scan ?? DEFAULT_SCAN_BUDGET;

  async function withSession<Result>(work: (session: Session) => Promise<Result>) {
    const session = await open();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  const memory: LogMemory = {};
  const readTransactions = sharedReading(() =>
    withSession((session) => readOpenTransactions(session, delay)),
  );

  return {
    dialect: 'mysql',
    listTables: (only) => withSession((session) => listTables(session, connection.database, only)),
    readTokens: (requests) =>
      requests.length === 0
        ? Promise.resolve(new Map())
        : withSession((session) =>
            readTokens(session, requests, { readTransactions, memory, budget }),
          ),
    changeTimes: (tables) => withSession((session) => readChangeTimes(session, tables)),
    openSnapshot: (table, signal) => openSnapshot(dependencies, table, signal),
    async check(tables) {
      let session: Session;
      try {
        session = await open();
      } catch (error) {
        return [connectionFinding(connection.name, error)];
      }
      try {
        return await checkSource(session, connection.name, tables, readTransactions);
      } finally {
        await session.close();
      }
    },
    close: () => Promise.resolve(),
  };
}
