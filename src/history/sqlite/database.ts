import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { ComportaError } from '../../errors';
import { pendingMigrations, type Migration } from '../migrations/migration';
import { historyErrorOfSqlite, isBusy } from './errors';
import { sharedCommits } from './shared-commits';

/**
 * How long one statement may wait inside SQLite. That wait holds up the whole process, so it is
 * short; the longer one, between attempts, does not.
 */
const BLOCKING_WAIT_MS = 100;
const LONGEST_PAUSE_MS = 50;

export interface SqliteDatabase {
  /** All rows of one statement, each as an array. Alone it is its own transaction. */
  rows(sql: string, values: readonly unknown[]): unknown[][];
  /**
   * Runs `work`, again from the start while another process is in the way.
   * @throws ComportaError, whatever `work` threw.
   */
  attempt<T>(work: () => T): Promise<T>;
  /**
   * As `attempt`, in a transaction that has the right to write from its start. Asked for in the
   * same moment as others, it shares their commit.
   */
  transaction<T>(work: () => T): Promise<T>;
  close(): void;
}

/**
 * Opens the file, makes it and its folder where they are missing.
 *
 * Write-ahead log, so that readers and the one writer never wait for each other; `synchronous` is
 * FULL, so that a commit is on the disk when it returns: NORMAL keeps it over a kill, but after a
 * power cut the last fences and resets could be gone (https://www.sqlite.org/pragma.html#pragma_synchronous).
 *
 * @param busyMs how long to keep trying while other processes write.
 */
export async function openDatabase(path: string, busyMs: number): Promise<SqliteDatabase> {
  const file = resolve(path);
  let connection: Database.Database;
  try {
    await mkdir(dirname(file), { recursive: true });
    connection = new Database(file, { timeout: BLOCKING_WAIT_MS });
  } catch (error) {
    throw historyErrorOfSqlite(error, path);
  }
  const database = wrapped(connection, path, busyMs);
  try {
    await database.attempt(() => {
      database.rows('PRAGMA journal_mode = WAL', []);
      database.rows('PRAGMA synchronous = FULL', []);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function wrapped(connection: Database.Database, path: string, busyMs: number): SqliteDatabase {
  const statements = new Map<string, Database.Statement>();
  let closed = false;

  const prepared = (sql: string): Database.Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      // Only what returns columns can be asked for arrays.
      if (statement.columns().length > 0) statement.raw();
      statements.set(sql, statement);
    }
    return statement;
  };

  const attempt = async <T>(work: () => T): Promise<T> => {
    const deadline = performance.now() + busyMs;
    for (let attempts = 1; ; attempts++) {
      if (closed) throw new ComportaError('HistoryFailed', `the history in ${path} is closed`);
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) {
          throw historyErrorOfSqlite(error, path);
        }
        // SQLite gives no signal when another process lets go. Uneven, so that two do not keep meeting.
        await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, attempts * 5));
      }
    }
  };

  return {
    rows(sql, values) {
      return prepared(sql).all(values) as unknown[][];
    },
    attempt,
    transaction: sharedCommits((works) =>
      attempt(() => {
        connection.exec('BEGIN IMMEDIATE');
        try {
          const results = works.map((work) => work());
          connection.exec('COMMIT');
          return results;
        } catch (error) {
          if (connection.inTransaction) connection.exec('ROLLBACK');
          throw error;
        }
      }),
    ),
    close() {
      if (closed) return;
      closed = true;
      statements.clear();
      connection.close();
    },
  };
}

/** Brings the schema up to date. Of several processes that open a new store at once, one does it. */
export async function migrateSqlite(
  database: SqliteDatabase,
  migrations: readonly Migration[],
  path: string,
  now: () => Date,
): Promise<void> {
  const version = await database.attempt(() => appliedVersion(database));
  if (pendingMigrations(migrations, version, path).length === 0) return;
  await database.transaction(() => {
    database.rows(
      `CREATE TABLE IF NOT EXISTS comporta_migration (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at TEXT NOT NULL
      ) STRICT`,
      [],
    );
    for (const { version, name, statements } of pendingMigrations(
      migrations,
      appliedVersion(database),
      path,
    )) {
      for (const statement of statements) database.rows(statement, []);
      database.rows('INSERT INTO comporta_migration (version, name, applied_at) VALUES (?, ?, ?)', [
        version,
        name,
        now().toISOString(),
      ]);
    }
  });
}

function appliedVersion(database: SqliteDatabase): number {
  const [table] = database.rows(
    `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'comporta_migration'`,
    [],
  );
  if (table === undefined) return 0;
  const [row] = database.rows('SELECT coalesce(max(version), 0) FROM comporta_migration', []);
  return Number(row?.[0] ?? 0);
}
