import { DuckDBInstance } from '@duckdb/node-api';

/** Runs a query in a DuckDB of its own, in UTC, and returns its rows. */
export async function duckdbRows(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    const reader = await connection.runAndReadAll(sql);
    connection.closeSync();
    return reader.getRows();
  } finally {
    instance.closeSync();
  }
}

export function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
