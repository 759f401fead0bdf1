import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { cacheDirectory } from '../../scripts/services/cache';
import type { BenchTable } from './tables';

/** One table as DuckDB made it: what the databases are loaded from and answers compared with. */
export interface SourceData {
  readonly table: BenchTable;
  readonly rows: number;
  /** A DuckDB database that holds the table under its name. */
  readonly file: string;
  /** Differs whenever the data may differ. */
  readonly version: string;
}

/** Folder of the cache for everything that the benchmarks keep. */
export function benchDirectory(): string {
  return join(cacheDirectory(), 'bench');
}

/** Makes a table's data unless an earlier run has, under a name that tells what it was made from. */
export async function ensureSourceData(
  table: BenchTable,
  scale: number,
  tpchExtension: string,
  progress: (line: string) => void,
): Promise<SourceData> {
  const statements = generation(table, scale, tpchExtension);
  const version = createHash('sha256')
    .update(JSON.stringify({ table, rows: rowsAt(table, scale) }))
    .digest('hex')
    .slice(0, 12);
  const file = join(benchDirectory(), 'source', `${table.name}-${version}.duckdb`);
  if (!existsSync(file)) {
    progress(`making ${table.name}`);
    const unfinished = `${file}.new`;
    await mkdir(dirname(file), { recursive: true });
    await rm(unfinished, { force: true });
    await withDuckdb(unfinished, async (connection) => {
      for (const statement of statements) await connection.run(statement);
    });
    await rename(unfinished, file);
  }
  const rows = await withDuckdb(file, (connection) =>
    oneNumber(connection, `SELECT count(*) FROM ${table.name}`),
  );
  return { table, rows, file, version };
}

function rowsAt(table: BenchTable, scale: number): string {
  return table.rows === 'tpch' ? `tpch ${scale}` : String(table.rows(scale));
}

function generation(table: BenchTable, scale: number, tpchExtension: string): string[] {
  const columns = table.columns.map(({ name, expression }) => `${expression} AS ${name}`);
  if (table.rows !== 'tpch')
    return [
      `CREATE TABLE ${table.name} AS SELECT ${columns.join(', ')} ` +
        `FROM (SELECT range AS i FROM range(${table.rows(scale)}))`,
    ];
  return [
    `LOAD '${tpchExtension}'`,
    `ATTACH ':memory:' AS tpch`,
    `CALL dbgen(sf = ${scale}, catalog = 'tpch')`,
    `CREATE TABLE ${table.name} AS SELECT ${columns.join(', ')} FROM tpch.${table.name} ` +
      `ORDER BY ${table.primaryKey.join(', ')}${table.limit === undefined ? '' : ` LIMIT ${table.limit}`}`,
  ];
}

/** Opens a DuckDB, hands over a connection and closes both. */
export async function withDuckdb<Result>(
  file: string,
  use: (connection: DuckDBConnection) => Promise<Result>,
): Promise<Result> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export async function oneNumber(connection: DuckDBConnection, sql: string): Promise<number> {
  const [row] = (await connection.runAndReadAll(sql)).getRows();
  return Number(row?.[0]);
}

/** A text as a literal of DuckDB, PostgreSQL and MySQL where backslashes are plain or absent. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
