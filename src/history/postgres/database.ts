import { Pool, type PoolClient } from 'pg';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { isTlsRefusal } from '../../sources/postgres/errors';
import { quoteIdentifier } from '../../sources/postgres/identifiers';
import { tlsAttempts } from '../../sources/postgres/tls';
import { ComportaError } from '../../errors';
import { pendingMigrations, type Migration } from '../migrations/migration';
import { historyErrorOfPostgres } from './errors';

/** All rows of one statement, each as an array. */
export type Rows = (sql: string, values?: readonly unknown[]) => Promise<unknown[][]>;

export interface PostgresDatabase {
  /** Runs one statement alone. Throws ComportaError. */
  readonly rows: Rows;
  /** Runs `work` on one connection and commits what it did, or nothing of it. Throws ComportaError. */
  transaction<T>(work: (rows: Rows) => Promise<T>): Promise<T>;
  /** Waits for what runs. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * The longest time for one statement. The slowest here take a second; a server that vanished
 * without a word must not keep a connection of the pool for ever.
 */
const QUERY_TIMEOUT_MS = 60_000;

/**
 * Connects, in the ways that the connection's `tls.mode` allows.
 * @param poolSize the most connections at a time.
 * @throws ComportaError as `historyErrorOfPostgres` says.
 */
export async function openDatabase(
  connection: DatabaseConnection,
  secrets: SecretStore,
  poolSize: number,
): Promise<PostgresDatabase> {
  const attempts = await tlsAttempts(connection);
  for (const [index, ssl] of attempts.entries()) {
    const pool = new Pool({
      host: connection.host,
      port: connection.port,
      user: connection.user,
      database: connection.database,
      // Read anew for each connection, so that a changed password is taken up; as a function also
      // so that no PGPASSWORD or ~/.pgpass of this machine takes its place.
      password: async () =>
        connection.password === undefined ? '' : secrets.read(connection.password),
      ssl,
      max: poolSize,
      application_name: 'comporta history',
      connectionTimeoutMillis: connection.connectTimeoutMs,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    // A connection lost while idle leaves the pool by itself; without a listener it would end the process.
    pool.on('error', () => undefined);
    try {
      await pool.query('SELECT 1');
      return wrapped(pool, connection);
    } catch (error) {
      await pool.end();
      const mayTryAgain = index + 1 < attempts.length && isTlsRefusal(error);
      if (!mayTryAgain) throw historyErrorOfPostgres(error, connection, 'connect');
    }
  }
  throw new RangeError('no way to connect was tried');
}

function wrapped(pool: Pool, connection: DatabaseConnection): PostgresDatabase {
  let closing: Promise<void> | undefined;

  const connected = async (): Promise<PoolClient> => {
    if (closing !== undefined) {
      throw new ComportaError('HistoryFailed', `the history ${connection.name} is closed`);
    }
    try {
      return await pool.connect();
    } catch (error) {
      throw historyErrorOfPostgres(error, connection, 'connect');
    }
  };

  const onOneClient = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await connected();
    let failure: Error | undefined;
    // Without a listener, a connection lost between two statements would end the process.
    const lost = (error: Error) => (failure = error);
    client.on('error', lost);
    try {
      return await work(client);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw historyErrorOfPostgres(error, connection, 'query');
    } finally {
      client.off('error', lost);
      // A connection on which something failed is not used again; errors here are rare.
      client.release(failure);
    }
  };

  const rowsOn =
    (client: PoolClient): Rows =>
    async (text, values = []) =>
      (await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })).rows;

  return {
    rows: (sql, values) => onOneClient((client) => rowsOn(client)(sql, values)),
    transaction: (work) =>
      onOneClient(async (client) => {
        // A failure closes the connection, which rolls back.
        await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
        const result = await work(rowsOn(client));
        await client.query('COMMIT');
        return result;
      }),
    close: () => (closing ??= pool.end()),
  };
}

/** Keeps two processes from migrating at once; the second number tells the schemas apart. */
const MIGRATION_LOCK = 0x434f4d50;

/**
 * Brings the schema up to date. Of several processes that open a new store at once, one does it
 * and the others wait. A store that is up to date is only read: its user needs no right to create.
 */
export async function migratePostgres(
  database: PostgresDatabase,
  schema: string,
  migrations: readonly Migration[],
  place: string,
): Promise<void> {
  const version = await appliedVersion(database.rows, schema);
  if (pendingMigrations(migrations, version, place).length === 0) return;
  await database.transaction(async (rows) => {
    await rows('SELECT pg_advisory_xact_lock($1, hashtext($2))', [MIGRATION_LOCK, schema]);
    // IF NOT EXISTS would ask for the right to create even where nothing is to be created.
    const [exists] = await rows('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
    if (exists === undefined) await rows(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
    await rows(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
    await rows(
      `CREATE TABLE IF NOT EXISTS comporta_migration (
        version integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`,
    );
    const current = await appliedVersion(rows, schema);
    for (const migration of pendingMigrations(migrations, current, place)) {
      for (const statement of migration.statements) await rows(statement);
      await rows('INSERT INTO comporta_migration (version, name) VALUES ($1, $2)', [
        migration.version,
        migration.name,
      ]);
    }
  });
}

async function appliedVersion(rows: Rows, schema: string): Promise<number> {
  const [table] = await rows(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'comporta_migration'`,
    [schema],
  );
  if (table === undefined) return 0;
  const [row] = await rows(
    `SELECT coalesce(max(version), 0) FROM ${quoteIdentifier(schema)}.comporta_migration`,
  );
  return Number(row?.[0] ?? 0);
}
