import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { accounts, exchangeRates, invoiceLines, invoices, ledgerEntries } from './finance-tables';
import type { ServerAccess } from './server-access';
import { insertStatements } from './table';
import type { SampleValue } from './values';

/** Parents before children. */
export const financeTables = [
  accounts,
  ledgerEntries,
  invoices,
  invoiceLines,
  exchangeRates,
] as const;

/** Makes the database `finance` anew on a PostgreSQL server and fills its schema `public`. */
export async function seedFinance(server: ServerAccess): Promise<void> {
  await withClient({ ...server, database: 'postgres' }, async (client) => {
    await client.query('DROP DATABASE IF EXISTS finance WITH (FORCE)');
    await client.query("CREATE DATABASE finance ENCODING 'UTF8' TEMPLATE template0");
  });
  await withClient({ ...server, database: 'finance' }, async (client) => {
    await client.query('BEGIN');
    await client.query(
      "CREATE TYPE account_kind AS ENUM ('asset', 'liability', 'equity', 'revenue', 'expense')",
    );
    for (const table of financeTables) {
      await client.query(table.definition);
      for (const statement of insertStatements(table, postgresLiteral, escapeIdentifier))
        await client.query(statement);
    }
    await client.query(
      `SELECT setval(pg_get_serial_sequence('invoices', 'id'), (SELECT max(id) FROM invoices))`,
    );
    await client.query('COMMIT');
    await client.query('ANALYZE');
  });
}

export function postgresLiteral(value: SampleValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return escapeLiteral(value);
  if (Buffer.isBuffer(value)) return `'\\x${value.toString('hex')}'`;
  return String(value);
}

async function withClient(
  options: ServerAccess & { readonly database: string },
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client(options);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
