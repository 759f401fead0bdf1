import { escapeId } from 'mysql2';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { Client, escapeIdentifier } from 'pg';
import { financeTables } from './sample/seed-finance';
import { salesTables } from './sample/seed-sales';
import type { ServerAccess } from './sample/server-access';

/** Rows of every sample table now, by name. */
export type RowCounts = ReadonlyMap<string, number>;

export async function countSales(server: ServerAccess): Promise<RowCounts> {
  const connection = await createConnection({ ...server, database: 'sales' });
  try {
    const counts = new Map<string, number>();
    for (const { name } of salesTables) {
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT COUNT(*) AS count FROM ${escapeId(name)}`,
      );
      counts.set(name, Number(rows[0]!['count']));
    }
    return counts;
  } finally {
    await connection.end();
  }
}

export async function countFinance(server: ServerAccess): Promise<RowCounts> {
  const client = new Client({ ...server, database: 'finance' });
  await client.connect();
  try {
    const counts = new Map<string, number>();
    for (const { name } of financeTables) {
      const { rows } = await client.query<{ count: string }>(
        `SELECT count(*) FROM ${escapeIdentifier(name)}`,
      );
      counts.set(name, Number(rows[0]!.count));
    }
    return counts;
  } finally {
    await client.end();
  }
}
