import { escape, escapeId } from 'mysql2';
import { createConnection, type Connection } from 'mysql2/promise';
import { categories, products } from './sales-catalog';
import { addresses, customers, sessions } from './sales-customers';
import { orderItems, orders, orderTotalsView, payments, shipments } from './sales-orders';
import type { ServerAccess } from './server-access';
import { insertStatements } from './table';
import type { SampleValue } from './values';

/** Parents before children. */
export const salesTables = [
  categories,
  products,
  customers,
  addresses,
  sessions,
  orders,
  orderItems,
  payments,
  shipments,
] as const;

/** Makes the database `sales` anew on a server of the MySQL family and fills it. */
export async function seedSales(server: ServerAccess): Promise<void> {
  const connection = await createConnection({ ...server, charset: 'utf8mb4', timezone: 'Z' });
  try {
    await connection.query('DROP DATABASE IF EXISTS sales');
    await connection.query('CREATE DATABASE sales CHARACTER SET utf8mb4');
    await connection.query('USE sales');
    // The rows are known to be right, and the sample's moments are in UTC.
    await connection.query(
      "SET time_zone = '+00:00', unique_checks = 0, foreign_key_checks = 0, autocommit = 0",
    );
    for (const table of salesTables) {
      await connection.query(table.definition);
      for (const statement of insertStatements(table, mysqlLiteral, escapeId))
        await connection.query(statement);
      await connection.query('COMMIT');
    }
    await connection.query(orderTotalsView);
    await settleStatistics(connection);
  } finally {
    await connection.end();
  }
}

/**
 * The server estimates sizes in the background some seconds after a large insert. A change
 * detector that looks at them would see a change where there is none, so it is done here.
 */
async function settleStatistics(connection: Connection): Promise<void> {
  const names = salesTables.map((table) => escapeId(table.name));
  await connection.query(`ANALYZE LOCAL TABLE ${names.join(', ')}`);
}

export function mysqlLiteral(value: SampleValue): string {
  return typeof value === 'bigint' ? String(value) : escape(value);
}
