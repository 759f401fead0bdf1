import { createConnection } from 'mysql2/promise';
import type { ResultSetHeader } from 'mysql2';
import { Client } from 'pg';
import type { ServerAccess } from './server-access';

/** What was done to one table, for people. */
export interface TableChange {
  readonly pipeline: 'sales' | 'finance';
  readonly table: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Inserts, updates and deletes in one table of each database and in no other. The rows deleted are
 * drafts, on which nothing hangs. No foreign key cascades from `orders`: MySQL logs no cascades, so
 * a table that one might have reached counts as changed.
 */
export async function changeTwoTables(
  sales: ServerAccess,
  finance: ServerAccess,
): Promise<readonly TableChange[]> {
  return Promise.all([changeOrders(sales), changeInvoices(finance)]);
}

async function changeOrders(server: ServerAccess): Promise<TableChange> {
  const connection = await createConnection({ ...server, database: 'sales', charset: 'utf8mb4' });
  const affected = async (statement: string) => {
    const [result] = await connection.query<ResultSetHeader>(statement);
    return result.affectedRows;
  };
  try {
    await connection.beginTransaction();
    const inserted = await affected(`
      INSERT INTO orders (customer_id, address_id, status, channel, total, notes, placed_at)
      VALUES (1, 1, 'aberto', 'app', 249.90, 'Chegou agora 🆕', UTC_TIMESTAMP(6)),
             (2, 2, 'aberto', 'site', 18.50, NULL, UTC_TIMESTAMP(6)),
             (3, NULL, 'rascunho', 'telefone', 0, NULL, UTC_TIMESTAMP(6))`);
    const updated = await affected(`
      UPDATE orders SET status = 'cancelado', notes = 'Cancelado pelo cliente'
      WHERE status = 'aberto' ORDER BY id LIMIT 5`);
    const deleted = await affected(
      `DELETE FROM orders WHERE status = 'rascunho' ORDER BY id LIMIT 2`,
    );
    await connection.commit();
    return { pipeline: 'sales', table: 'orders', inserted, updated, deleted };
  } finally {
    await connection.end();
  }
}

async function changeInvoices(server: ServerAccess): Promise<TableChange> {
  const client = new Client({ ...server, database: 'finance' });
  await client.connect();
  const affected = async (statement: string) => (await client.query(statement)).rowCount ?? 0;
  try {
    await client.query('BEGIN');
    const inserted = await affected(`
      INSERT INTO invoices (account_id, number, customer, status, issued_on, total, tax_rates)
      SELECT account_id, 'NF-' || nextval(pg_get_serial_sequence('invoices', 'id')) || '-B',
             customer, 'issued', current_date, total, tax_rates
      FROM invoices ORDER BY id LIMIT 3`);
    const updated = await affected(`
      UPDATE invoices SET status = 'paid', paid_at = now()
      WHERE id IN (SELECT id FROM invoices WHERE status = 'overdue' ORDER BY id LIMIT 4)`);
    const deleted = await affected(`
      DELETE FROM invoices
      WHERE id IN (SELECT id FROM invoices WHERE status = 'draft' ORDER BY id LIMIT 2)`);
    await client.query('COMMIT');
    return { pipeline: 'finance', table: 'public.invoices', inserted, updated, deleted };
  } finally {
    await client.end();
  }
}
