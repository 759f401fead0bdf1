import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { Client } from 'pg';
import { startMariadb } from '../../scripts/services/mariadb';
import { startPostgres } from '../../scripts/services/postgres';
import { loopback, type NativeDatabaseService } from '../../scripts/services/service';
import { eventually } from './eventually';
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy';

/** What a pipeline's own user is called, so that its sessions can be told from the test's. */
const READER = 'reader';
export const READER_PASSWORD = 'reader-secret';

const ROWS = 80_000;

/**
 * A database server behind a proxy, with the table `big` (some 16 MB, more than the sockets in
 * between hold) and the empty table `calm`. It belongs to one test file.
 */
export interface FaultyDatabase {
  /** Of its connection and its pipeline as well. */
  readonly name: 'mariadb' | 'postgres';
  readonly service: NativeDatabaseService;
  readonly proxy: FaultyProxy;
  /** Its entry in connections.yaml. */
  readonly connection: string;
  /** A table's id in plans and the history. */
  id(table: string): string;
  /** Runs a statement as the administrator, on the direct way; rows as arrays. */
  run(statement: string): Promise<unknown[][]>;
  /** Count and sum of the digests of a table's rows, as `LAKE_FINGERPRINT` has them. */
  fingerprint(table: string): Promise<string>;
  /** Sessions of the pipeline's user. */
  sessions(): Promise<number>;
  /** Ends the statement that reads `big`, as an administrator would. */
  killReading(): Promise<void>;
  /** Makes a view whose reading fails in the midst of its rows. */
  makeBrokenView(name: string): Promise<unknown>;
  /** Turns the server into a replica that takes no writes, as after a failover. */
  demote(): Promise<void>;
  promote(): Promise<void>;
  /** Locks a table against being read, until called again. */
  lock(table: string): Promise<() => Promise<void>>;
  /** Takes every connection that the server has for ordinary users, until called again. */
  takeAllConnections(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Of a lake's rows, for `readCurrent`. */
export const LAKE_FINGERPRINT = `count(*) || ' ' || coalesce(sum(('0x' || substr(md5(id || ':' || label), 1, 8))::BIGINT), 0)`;

const BEHIND_PROXY = `user: ${READER}, password: env:READER_PASSWORD, connectTimeout: 2s, silenceTimeout: 1s`;

export async function startFaultyMariadb(): Promise<FaultyDatabase> {
  const service = await startMariadb();
  const proxy = await startFaultyProxy(service.port);
  const { port, user, password } = service;
  const open = () =>
    createConnection({ host: loopback, port, user, password, database: 'shop', rowsAsArray: true });
  const using = async <Result>(use: (session: Connection) => Promise<Result>) => {
    const session = await open();
    try {
      return await use(session);
    } finally {
      await session.end();
    }
  };
  const run = (statement: string) =>
    using(async (session) => (await session.query(statement))[0] as unknown[][]);

  const admin = await createConnection({ host: loopback, port, user, password });
  for (const statement of [
    'CREATE DATABASE shop',
    'USE shop',
    'CREATE TABLE big (id INT PRIMARY KEY, label VARCHAR(250))',
    `INSERT INTO big SELECT seq, REPEAT(MD5(seq), 6) FROM seq_1_to_${ROWS}`,
    'CREATE TABLE calm (id INT PRIMARY KEY, label VARCHAR(250))',
    `CREATE USER ${READER} IDENTIFIED BY '${READER_PASSWORD}'`,
    `GRANT SELECT, SHOW VIEW ON shop.* TO ${READER}`,
    `GRANT PROCESS, BINLOG MONITOR ON *.* TO ${READER}`,
  ]) {
    await admin.query(statement);
  }
  await admin.end();

  return {
    name: 'mariadb',
    service,
    proxy,
    connection: `{ type: mysql, host: ${loopback}, port: ${proxy.port}, database: shop, ${BEHIND_PROXY} }`,
    id: (table) => table,
    run,
    async fingerprint(table) {
      const [row] = await run(
        `SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CONV(SUBSTR(MD5(CONCAT(id, ':', label)), 1, 8), 16, 10)), 0)) FROM ${table}`,
      );
      return String(row?.[0]);
    },
    async sessions() {
      const [row] = await run(
        `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '${READER}'`,
      );
      return Number(row?.[0]);
    },
    killReading: () =>
      using(async (session) => {
        const [rows] = await session.query(
          `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '${READER}' AND INFO LIKE '%\`big\`%'`,
        );
        const [[id] = []] = rows as unknown[][];
        await session.query(`KILL QUERY ${Number(id)}`);
      }),
    async makeBrokenView(name) {
      await run('CREATE TABLE twice (big INT, KEY (big))');
      await run('INSERT INTO twice VALUES (60000), (60000)');
      await run(
        `CREATE VIEW ${name} AS SELECT id, label, (SELECT 1 FROM twice WHERE big = id) AS one FROM big`,
      );
    },
    async demote() {
      await run(`CHANGE MASTER TO MASTER_HOST = '${loopback}', MASTER_PORT = 1`);
      await run('SET GLOBAL read_only = 1');
    },
    async promote() {
      await run('SET GLOBAL read_only = 0');
      await run('RESET SLAVE ALL');
    },
    async lock(table) {
      const session = await open();
      await session.query(`LOCK TABLES ${table} WRITE`);
      return () => session.end();
    },
    async takeAllConnections() {
      // The least that can be set, and one more for administrators.
      await run('SET GLOBAL max_connections = 10');
      const sessions: Connection[] = [];
      for (let next; (next = await open().catch(() => undefined));) sessions.push(next);
      return async () => {
        await sessions[0]!.query('SET GLOBAL max_connections = 151');
        for (const session of sessions) await session.end();
      };
    },
    async stop() {
      await proxy.close();
      await service.stop();
    },
  };
}

export async function startFaultyPostgres(): Promise<FaultyDatabase> {
  const CONNECTIONS = 20;
  const RESERVED = 3;
  const service = await startPostgres({ settings: { max_connections: String(CONNECTIONS) } });
  const proxy = await startFaultyProxy(service.port);
  const open = async () => {
    const { host, port, user, password, database } = service;
    const client = new Client({ host, port, user, password, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const run = async (statement: string) => {
    const client = await open();
    try {
      return (await client.query<unknown[]>({ text: statement, rowMode: 'array' })).rows;
    } finally {
      await client.end();
    }
  };
  for (const statement of [
    'CREATE TABLE big (id int PRIMARY KEY, label text)',
    `INSERT INTO big SELECT i, repeat(md5(i::text), 6) FROM generate_series(1, ${ROWS}) AS i`,
    'CREATE TABLE calm (id int PRIMARY KEY, label text)',
    `CREATE USER ${READER} PASSWORD '${READER_PASSWORD}'`,
    `GRANT pg_read_all_data TO ${READER}`,
  ]) {
    await run(statement);
  }
  return {
    name: 'postgres',
    service,
    proxy,
    connection: `{ type: postgres, host: ${loopback}, port: ${proxy.port}, database: ${service.database}, ${BEHIND_PROXY} }`,
    id: (table) => `public.${table}`,
    run,
    async fingerprint(table) {
      const [row] = await run(
        `SELECT count(*) || ' ' || coalesce(sum(('x' || substr(md5(id || ':' || label), 1, 8))::bit(32)::bigint), 0) FROM ${table}`,
      );
      return String(row?.[0]);
    },
    async sessions() {
      const [row] = await run(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${READER}'`);
      return Number(row?.[0]);
    },
    async killReading() {
      const killed = await run(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '${READER}' AND query LIKE 'COPY%big%'`,
      );
      assert.deepEqual(killed, [[true]]);
    },
    makeBrokenView: (name) =>
      run(`CREATE VIEW ${name} AS SELECT id, label, 1 / (60000 - id) AS one FROM big`),
    async demote() {
      await writeFile(join(service.directory, 'data', 'standby.signal'), '', { mode: 0o666 });
      await service.restart();
    },
    async promote() {
      await run('SELECT pg_promote()');
    },
    async lock(table) {
      const client = await open();
      await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      return () => client.end();
    },
    async takeAllConnections() {
      const clients: Client[] = [];
      for (let taken = 0; taken < CONNECTIONS - RESERVED; taken++) clients.push(await open());
      return async () => {
        for (const client of clients) await client.end();
      };
    },
    async stop() {
      await proxy.close();
      await service.stop();
    },
  };
}

/** Fails while the server or the way to it still has a connection of the pipeline's. */
export function noConnectionLeft(database: FaultyDatabase): Promise<void> {
  return eventually(async () => {
    assert.equal(await database.sessions(), 0, `${database.name} still has a session`);
    assert.equal(database.proxy.connections(), 0, 'the proxy still has a connection');
  }, 5_000);
}
