import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { runsAsRoot } from '../../scripts/services/directory';
import { startMariadb } from '../../scripts/services/mariadb';
import { startMysql } from '../../scripts/services/mysql';
import { startPostgres } from '../../scripts/services/postgres';
import type { NativeDatabaseService } from '../../scripts/services/service';
import { benchDirectory, literal, withDuckdb, type SourceData } from './source-data';
import type { BenchTable } from './tables';

export const databaseNames = ['mariadb', 'mysql', 'postgres'] as const;

export type DatabaseName = (typeof databaseNames)[number];

/** Which protocol and SQL a database speaks. */
export type Family = 'mysql' | 'postgres';

export interface BenchDatabase {
  readonly name: DatabaseName;
  readonly family: Family;
  readonly service: NativeDatabaseService;
  /** As the server tells it. */
  readonly version: string;
}

export const familyOf = (name: DatabaseName): Family =>
  name === 'postgres' ? 'postgres' : 'mysql';

/** Room for every table at scale 1, so that no run waits for the disk. */
const BUFFER = '5GB';

/**
 * Starts a database whose data folder stays in the cache, so that tables are loaded once.
 * One server per folder at a time: a second run of the benchmark fails to start.
 */
export async function startDatabase(
  name: DatabaseName,
  progress: (line: string) => void,
): Promise<BenchDatabase> {
  const directory = serverDirectory(name);
  await mkdir(dirname(directory), { recursive: true });
  const options = { directory, progress };
  const innodb = [
    `--innodb-buffer-pool-size=${BUFFER.replace('B', '')}`,
    '--innodb-flush-method=fsync',
    '--innodb-stats-auto-recalc=OFF',
    '--max-allowed-packet=64M',
  ];
  switch (name) {
    case 'mariadb': {
      const service = await startMariadb({
        ...options,
        binaryLog: false,
        extraArgs: [...innodb, '--innodb-log-file-size=1G', '--secure-file-priv='],
      });
      return { name, family: 'mysql', service, version: await mysqlVersion(service) };
    }
    case 'mysql': {
      const service = await startMysql({
        ...options,
        binaryLog: false,
        extraArgs: [...innodb, '--innodb-redo-log-capacity=2G'],
      });
      return { name, family: 'mysql', service, version: await mysqlVersion(service) };
    }
    case 'postgres': {
      const service = await startPostgres({
        ...options,
        settings: {
          shared_buffers: BUFFER,
          max_wal_size: '8GB',
          wal_level: 'minimal',
          max_wal_senders: '0',
          autovacuum: 'off',
          jit: 'off',
        },
      });
      const [row] = await postgresRows(service, 'SHOW server_version');
      return {
        name,
        family: 'postgres',
        service,
        version: `PostgreSQL ${String(row?.['server_version'])}`,
      };
    }
  }
}

/** PostgreSQL leaves root behind, and then cannot enter root's home, where the cache may lie. */
function serverDirectory(name: DatabaseName): string {
  return name === 'postgres' && runsAsRoot
    ? join(tmpdir(), 'comporta-bench', name)
    : join(benchDirectory(), 'servers', name);
}

async function mysqlVersion(service: NativeDatabaseService): Promise<string> {
  const connection = await createConnection(connectionOf(service));
  const [rows] = await connection.query('SELECT VERSION() AS version');
  await connection.end();
  const version = (rows as { version: string }[])[0]?.version ?? '';
  return version.includes('MariaDB') ? version : `MySQL ${version}`;
}

function connectionOf({ host, port, user, password, database }: NativeDatabaseService) {
  return { host, port, user, password, database };
}

async function postgresRows(
  service: NativeDatabaseService,
  ...statements: readonly string[]
): Promise<Record<string, unknown>[]> {
  const client = new Client(connectionOf(service));
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) {
      rows = (await client.query<Record<string, unknown>>(statement)).rows;
    }
    return rows;
  } finally {
    await client.end();
  }
}

/** Name of a table in the databases: another scale is another table. */
export function tableIn({ table, version }: SourceData): string {
  return `${table.name}_${version}`;
}

/** Loads a table into a database unless an earlier run has. */
export async function ensureLoaded(
  database: BenchDatabase,
  data: SourceData,
  postgresScanner: string,
  progress: (line: string) => void,
): Promise<void> {
  const directory = database.service.directory;
  const mark = join(directory, `${tableIn(data)}.loaded`);
  if (existsSync(mark)) return;
  progress(`loading ${data.table.name} into ${database.name}`);
  if (database.family === 'mysql') await loadMysql(database.service, data);
  else await loadPostgres(database.service, data, postgresScanner);
  await writeFile(mark, '');
}

function createTable(family: Family, name: string, table: BenchTable): string {
  const columns = table.columns.map((column) => `${column.name} ${column[family]}`);
  const suffix = family === 'mysql' ? ' DEFAULT CHARSET=utf8mb4' : '';
  return `CREATE TABLE ${name} (${columns.join(', ')}, PRIMARY KEY (${table.primaryKey.join(', ')}))${suffix}`;
}

/** By LOAD DATA from a file that DuckDB writes and the server itself reads. */
async function loadMysql(service: NativeDatabaseService, data: SourceData): Promise<void> {
  const name = tableIn(data);
  const file = join(service.directory, `${name}.csv`);
  const texts = data.table.columns.filter(({ duckdb }) => duckdb === 'VARCHAR');
  const values = data.table.columns.map((column) =>
    column.duckdb === 'BOOLEAN' ? `${column.name}::TINYINT AS ${column.name}` : column.name,
  );
  await withDuckdb(data.file, (duckdb) =>
    duckdb.run(
      `COPY (SELECT ${values.join(', ')} FROM ${data.table.name}) TO ${literal(file)} ` +
        // NULL is the bare word, so that a text "NULL" stays one in its quotes.
        `(FORMAT csv, HEADER false, NULLSTR 'NULL', FORCE_QUOTE (${texts.map(({ name: text }) => text).join(', ')}))`,
    ),
  );
  const connection = await createConnection(connectionOf(service));
  try {
    await connection.query(`DROP TABLE IF EXISTS ${name}`);
    await connection.query(createTable('mysql', name, data.table));
    await connection.query('SET unique_checks = 0, foreign_key_checks = 0');
    await connection.query(
      `LOAD DATA INFILE ${literal(file)} INTO TABLE ${name} CHARACTER SET utf8mb4 ` +
        `FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES TERMINATED BY '\\n'`,
    );
    await connection.query(`ANALYZE TABLE ${name}`);
  } finally {
    await connection.end();
    await rm(file, { force: true });
  }
}

/** By COPY in binary form, through DuckDB. */
async function loadPostgres(
  service: NativeDatabaseService,
  data: SourceData,
  postgresScanner: string,
): Promise<void> {
  const name = tableIn(data);
  const { host, port, user, password, database } = service;
  await postgresRows(
    service,
    `DROP TABLE IF EXISTS ${name}`,
    createTable('postgres', name, data.table),
  );
  const address = `host=${host} port=${port} user=${user} password=${password} dbname=${database}`;
  await withDuckdb(data.file, async (duckdb) => {
    await duckdb.run(`LOAD ${literal(postgresScanner)}`);
    await duckdb.run(`ATTACH ${literal(address)} AS target (TYPE postgres)`);
    await duckdb.run(`INSERT INTO target.public.${name} SELECT * FROM ${data.table.name}`);
  });
  // Settles the rows' visibility too, which the first reader would otherwise pay for.
  await postgresRows(service, `VACUUM (ANALYZE) ${name}`, 'CHECKPOINT');
}
