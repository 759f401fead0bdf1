import { createConnection, type Connection, type ResultSetHeader } from 'mysql2/promise';
import { Client } from 'pg';
import type { NativeDatabaseService } from '../../scripts/services/service';

export type Dialect = 'mariadb' | 'postgres';

/** A database that the soak changes while Comporta reads it. */
export interface SoakSource {
  readonly dialect: Dialect;
  readonly pipeline: string;
  readonly server: NativeDatabaseService;
  readonly tables: readonly SoakTable[];
}

export interface SoakTable {
  readonly dialect: Dialect;
  readonly pipeline: string;
  /** Without schema. */
  readonly name: string;
  /** As Comporta names it. */
  readonly id: string;
  /** Columns that were added so far. */
  extraColumns: number;
}

/** A connection of a user of the database. */
export interface Session {
  /** Rows that the statement touched, as far as the server says. */
  run(statement: string): Promise<number>;
  rows(query: string): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** No statement of a user waits for others any longer: it fails then, as an impatient user would. */
const PATIENCE_SECONDS = 2;

export async function openSession({ dialect, server }: SoakSource): Promise<Session> {
  const { host, port, user, password, database } = server;
  const access = { host, port, user, password, database };
  return dialect === 'mariadb' ? mariadbSession(access) : postgresSession(access);
}

type Access = Pick<NativeDatabaseService, 'host' | 'port' | 'user' | 'password' | 'database'>;

async function mariadbSession(access: Access): Promise<Session> {
  const connection: Connection = await createConnection({
    ...access,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
  });
  // What happens to it shows at the next statement.
  connection.on('error', () => undefined);
  await connection.query(
    `SET innodb_lock_wait_timeout = ${PATIENCE_SECONDS}, lock_wait_timeout = ${PATIENCE_SECONDS}`,
  );
  return {
    async run(statement) {
      const [result] = await connection.query(statement);
      return (result as ResultSetHeader).affectedRows;
    },
    async rows(query) {
      const [rows] = await connection.query({ sql: query, rowsAsArray: true });
      return rows as unknown[][];
    },
    close: () => {
      connection.destroy();
      return Promise.resolve();
    },
  };
}

async function postgresSession(access: Access): Promise<Session> {
  const client = new Client(access);
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`SET lock_timeout = '${PATIENCE_SECONDS}s'`);
  return {
    run: async (statement) => (await client.query(statement)).rowCount ?? 0,
    rows: async (query) => {
      const { rows } = await client.query<unknown[]>({ text: query, rowMode: 'array' });
      return rows;
    },
    close: () => client.end().catch(() => undefined),
  };
}

/** `name` of a few hundred rows, in one of ten cases of twenty thousand. */
export function createTableStatements(dialect: Dialect, name: string, rows: number): string[] {
  const time = dialect === 'mariadb' ? 'DATETIME(6)' : 'TIMESTAMPTZ';
  return [
    `CREATE TABLE ${name} (id BIGINT PRIMARY KEY, name VARCHAR(60) NOT NULL, amount DECIMAL(12,2), note TEXT, made_at ${time})`,
    insertStatement(dialect, name, rows, 0),
  ];
}

/** Adds rows behind the last one; `salt` makes them unlike those of other times. */
export function insertStatement(
  dialect: Dialect,
  name: string,
  rows: number,
  salt: number,
): string {
  const [series, made] =
    dialect === 'mariadb'
      ? [
          `(SELECT seq AS n FROM seq_1_to_${rows}) s`,
          `'2026-01-01' + INTERVAL s.n * 61 MICROSECOND`,
        ]
      : [
          `generate_series(1, ${rows}) AS s (n)`,
          `'2026-01-01 UTC'::timestamptz + s.n * 61 * interval '1 microsecond'`,
        ];
  return `INSERT INTO ${name} (id, name, amount, note, made_at)
    SELECT m.top + s.n, CONCAT('name ', s.n, ' of ', ${salt}), s.n * 7 % 1000 / 100.0 + ${salt % 97},
      CASE WHEN s.n % 3 = 0 THEN NULL ELSE CONCAT('note ', ${salt}) END, ${made}
    FROM ${series} CROSS JOIN (SELECT COALESCE(MAX(id), 0) AS top FROM ${name}) m`;
}

/** Makes the tables of one source, empty databases given. */
export async function createTables(source: SoakSource, rowsOf: (index: number) => number) {
  const session = await openSession(source);
  try {
    for (const [index, { name }] of source.tables.entries()) {
      for (const statement of createTableStatements(source.dialect, name, rowsOf(index))) {
        await session.run(statement);
      }
    }
  } finally {
    await session.close();
  }
}
