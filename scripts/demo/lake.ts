import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** One table as a reader of the lake sees it now. */
export interface LakeTable {
  /** Its name in DuckDB: `sales.orders`. */
  readonly view: string;
  readonly rows: number;
}

/** Reads the lake as any DuckDB would: by the views that lie in it. */
export async function readLake(lake: string): Promise<readonly LakeTable[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const file of await viewFiles(lake)) await connection.run(await readFile(file, 'utf8'));
    const views = await connection.runAndReadAll(
      `SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL`,
    );
    const tables: LakeTable[] = [];
    for (const [view] of views.getRows()) {
      const name = String(view);
      const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${name}`);
      tables.push({ view: name, rows: Number(counted.getRows()[0]![0]) });
    }
    return tables;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function viewFiles(lake: string): Promise<string[]> {
  const folder = join(lake, 'raw', '_views');
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((name) => name.endsWith('.sql')).map((name) => join(folder, name));
}
