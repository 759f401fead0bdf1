import assert from 'node:assert/strict';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createConnection, type Connection } from 'mysql2/promise';
import { Client as PostgresClient } from 'pg';
import { currentPath } from '../../src/destinations/parquet/layout';
import type { HistoryEvent } from '../../src/history/history';
import { planPath, type Plan } from '../../src/plan/plan';
import { createDocumentedUser } from '../support/documented';
import { readCurrent } from '../support/lake';
import { sharedMariadb, sharedPostgres, uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

const PIPELINE_OPTIONS = `
destination: { connection: lake }
concurrency: 2
`;

/** A shop's database on MariaDB with three tables and a view. */
async function seedMariadb(sql: Connection, database: string): Promise<void> {
  await sql.query(`CREATE DATABASE ${database}`);
  await sql.query(`USE ${database}`);
  await sql.query(
    'CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50))',
  );
  await sql.query(
    'CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, total DECIMAL(10,2), FOREIGN KEY (customer_id) REFERENCES customers (id))',
  );
  await sql.query('CREATE TABLE empty_table (id INT PRIMARY KEY)');
  await sql.query(`INSERT INTO customers VALUES (1, 'Ana', 'ana@example.org'), (2, 'João', NULL)`);
  await sql.query('INSERT INTO orders VALUES (1, 1, 10.50), (2, 1, 99.99), (3, 2, 0.01)');
}

describe('the main job, on real servers', function () {
  this.timeout(180_000);

  let sql: Connection;
  let postgres: PostgresClient;
  let database: string;
  let world: World;
  let batchNumber = 0;

  before(async () => {
    const mariadb = await sharedMariadb();
    database = uniqueName('shop');
    sql = await createConnection({
      host: mariadb.host,
      port: mariadb.port,
      user: mariadb.user,
      password: mariadb.password,
    });
    await seedMariadb(sql, database);
    // A user with the documented rights and no other: all that follows shows that they are enough.
    const reader = { user: uniqueName('reader'), password: 'least-secret' };
    await createDocumentedUser('mariadb', { ...reader, reads: database }, (statement) =>
      sql.query(statement),
    );

    const server = await sharedPostgres();
    const schema = uniqueName('finance');
    postgres = new PostgresClient({
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      database: server.database,
    });
    await postgres.connect();
    await postgres.query(`CREATE SCHEMA ${schema}`);
    await postgres.query(`SET search_path = ${schema}`);
    await postgres.query('CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(12,2))');
    await postgres.query('INSERT INTO accounts VALUES (1, 10.00), (2, -5.25)');
    await postgres.query('CREATE TABLE ledger (id int PRIMARY KEY, at timestamptz DEFAULT now())');
    await postgres.query('INSERT INTO ledger SELECT generate_series(1, 1000)');
    await flushCounters(postgres);
    await createDocumentedUser('postgres', { ...reader, reads: schema }, (statement) =>
      postgres.query(statement),
    );

    world = await startWorld({
      environment: {
        READER_PASSWORD: reader.password,
        NARROW_PASSWORD: 'reader-secret',
      },
      files: {
        'connections.yaml': `
connections:
  shop: { type: mysql, host: ${mariadb.host}, port: ${mariadb.port}, user: ${reader.user}, password: env:READER_PASSWORD, database: ${database} }
  finance: { type: postgres, host: ${server.host}, port: ${server.port}, user: ${reader.user}, password: env:READER_PASSWORD, database: ${server.database} }
  lake: { type: file, path: ../lake }
`,
        'shop.yaml': `pipeline: shop\nsource: { connection: shop }\n${PIPELINE_OPTIONS}`,
        'finance.yaml': `pipeline: finance\nsource: { connection: finance, schemas: [${schema}] }\n${PIPELINE_OPTIONS}`,
      },
    });
  });

  after(async () => {
    await world?.close();
    await sql?.end();
    await postgres?.end();
  });

  /** Runs one batch and returns its plan as ids. */
  async function run(pipeline: string, more: object = {}) {
    const batch = `batch-${(batchNumber += 1)}`;
    const summary = await world.run({ pipeline, batch, ...more });
    const plan = JSON.parse(
      await readFile(join(world.lake, planPath(pipeline, batch)), 'utf8'),
    ) as Plan;
    return { summary, plan, loaded: plan.loads.map(({ table }) => table).sort() };
  }

  /** A token read right after a write is not settled, and rightly loads again: wait until it is. */
  async function settle(pipeline: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { loaded, plan } = await run(pipeline);
      if (loaded.length === 0) return;
      assert.ok(Date.now() < deadline, `never settled: ${JSON.stringify(plan.loads)}`);
    }
  }

  it('loads everything first, then nothing, then only what changed', async () => {
    const first = await run('shop');
    assert.deepEqual(first.loaded, ['customers', 'empty_table', 'orders']);
    assert.equal(first.summary.loaded, 3);

    await settle('shop');
    const quiet = await run('shop');
    assert.equal(quiet.summary.skipped, 3);
    for (const skip of quiet.plan.skips) {
      assert.equal(skip.decision.verdict, 'unchanged');
      assert.match(skip.decision.reason, /log|token/);
    }

    await sql.query('UPDATE customers SET name = ? WHERE id = 1', ['Ana Paula']);
    await sql.query('INSERT INTO orders VALUES (4, 2, 7.77)');
    await sql.query('DELETE FROM orders WHERE id = 3');
    const second = await run('shop');
    assert.deepEqual(second.loaded, ['customers', 'orders']);
    assert.deepEqual(
      second.plan.skips.map(({ table }) => table),
      ['empty_table'],
    );

    assert.deepEqual(await readCurrent(world.lake, 'shop', 'customers', 'id, name, email'), [
      [1, 'Ana Paula', 'ana@example.org'],
      [2, 'João', null],
    ]);
    assert.deepEqual(
      await readCurrent(world.lake, 'shop', 'orders', 'id, customer_id, total::VARCHAR'),
      [
        [1, 1, '10.50'],
        [2, 1, '99.99'],
        [4, 2, '7.77'],
      ],
    );
  });

  it('does the same for PostgreSQL', async () => {
    const first = await run('finance');
    assert.equal(first.summary.loaded, 2);
    await settle('finance');
    await postgres.query('UPDATE accounts SET balance = balance + 1 WHERE id = 2');
    await flushCounters(postgres);
    const second = await run('finance');
    assert.deepEqual(
      second.loaded.map((id) => id.split('.')[1]),
      ['accounts'],
      JSON.stringify(second.plan.loads),
    );
    assert.match(second.plan.loads[0]?.decision.reason ?? '', /updated 0 → 1/);
  });

  it('records every load and every skip, with what it saw', async () => {
    const history = await world.history();
    const state = (await history.states('shop')).get('orders');
    const success = state?.lastSuccess as HistoryEvent;
    assert.equal(success.rowsAtSource, 3);
    assert.equal(success.rowsRead, 3);
    assert.equal(success.rowsWritten, 3);
    assert.equal(success.engine, 'embedded');
    assert.equal(success.mode, 'full');
    assert.equal(success.verdict, 'changed');
    assert.ok((success.durationMs ?? 0) > 0 && (success.bytes ?? 0) > 0);
    assert.ok(success.token && success.schemaFingerprint && success.workflowId);
    const skipped = await history.events({
      pipeline: 'shop',
      table: 'empty_table',
      kinds: ['SKIPPED'],
    });
    assert.ok(skipped.every(({ reason }) => (reason ?? '').length > 0));
  });

  it('notices tables that appear, vanish and change their columns', async () => {
    await settle('shop');
    await sql.query('CREATE TABLE coupons (code VARCHAR(10) PRIMARY KEY)');
    await sql.query('DROP TABLE empty_table');
    await sql.query('ALTER TABLE customers ADD COLUMN phone VARCHAR(20)');
    const { loaded, plan, summary } = await run('shop');
    assert.ok(loaded.includes('coupons') && loaded.includes('customers'), loaded.join());
    assert.equal(summary.failed, 0);
    assert.match(plan.warnings.join('\n'), /empty_table was loaded before and is no longer/);
    const state = (await (await world.history()).states('shop')).get('customers');
    assert.deepEqual(state?.lastSuccess?.schemaChanges, ['added phone text']);
  });

  it('fails one table of many by name and cause, and loads the others', async () => {
    const user = uniqueName('reader');
    await sql.query(`CREATE USER ${user} IDENTIFIED BY 'reader-secret'`);
    await sql.query(`GRANT SELECT ON ${database}.orders TO ${user}`);
    // MySQL hides a table on which a user has no right at all; with any other right it shows.
    await sql.query(`GRANT INSERT ON ${database}.customers TO ${user}`);
    const mariadb = await sharedMariadb();
    await appendFile(
      join(world.pipelines, 'connections.yaml'),
      `  narrow: { type: mysql, host: ${mariadb.host}, port: ${mariadb.port}, user: ${user}, password: env:NARROW_PASSWORD, database: ${database} }\n`,
    );
    await writeFile(
      join(world.pipelines, 'narrow.yaml'),
      `pipeline: narrow\nsource: { connection: narrow }\n${PIPELINE_OPTIONS}`,
    );
    const error = await run('narrow').catch((thrown: unknown) => thrown);
    assert.ok(error instanceof WorkflowFailedError, String(error));
    assert.ok(error.cause instanceof ApplicationFailure);
    assert.match(error.cause.message, /1 of 2 tables failed/);
    assert.match(error.cause.message, /customers/);
    assert.match(error.cause.message, /SELECT command denied .* run `check`/);
    const { lastSuccess } = (await (await world.history()).states('narrow')).get('orders') ?? {};
    assert.equal(lastSuccess?.rowsRead, 3);
  });

  it('names a table that the pipeline does not have, and a near one', async () => {
    const error = await run('shop', { tables: ['custmers'] }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof WorkflowFailedError);
    assert.match(rootMessage(error), /no table "custmers" — did you mean "customers"/);
  });

  it('loads again what was reset, and whatever is forced', async () => {
    await settle('shop');
    assert.deepEqual((await run('shop', { tables: ['orders'], force: true })).loaded, ['orders']);
    const history = await world.history();
    await history.append([
      {
        id: uniqueName('reset'),
        kind: 'RESET',
        recordedAt: new Date().toISOString(),
        pipeline: 'shop',
        table: 'orders',
        batch: '',
        run: '',
      },
    ]);
    const { loaded, plan } = await run('shop');
    assert.deepEqual(loaded, ['orders']);
    assert.match(plan.loads[0]?.decision.reason ?? '', /no successful load yet/);
  });

  it('loads again what the lake has lost, and everything when the history is lost', async () => {
    await settle('shop');
    await rm(join(world.lake, currentPath('shop', 'orders')));
    const { loaded, plan } = await run('shop');
    assert.deepEqual(loaded, ['orders']);
    assert.match(plan.loads[0]?.decision.reason ?? '', /the lake has no state of it/);

    await settle('shop');
    const database = join(world.pipelines, '..', '.comporta', 'history.db');
    for (const suffix of ['', '-wal', '-shm']) await rm(database + suffix, { force: true });
    const all = await run('shop');
    assert.deepEqual(all.plan.skips, []);
    assert.equal(all.summary.loaded, all.plan.loads.length);
    const states = await (await world.history()).states('shop');
    assert.ok(states.get('orders')?.lastSuccess, 'recorded where everybody can see it');
  });

  it('loads again what an edited pipeline file changes', async () => {
    await settle('shop');
    await writeFile(
      join(world.pipelines, 'shop.yaml'),
      `pipeline: shop\nsource: { connection: shop }\noverrides: { customers: { columns: { exclude: [email] } } }\n${PIPELINE_OPTIONS}`,
    );
    assert.deepEqual((await run('shop')).loaded, ['customers']);
  });
});

/**
 * A session hands its counters over when it has been idle for a while or ends. Until then a load
 * lacks them in its token, and the next batch loads the table once more.
 */
async function flushCounters(session: PostgresClient): Promise<void> {
  await session.query('SELECT pg_stat_force_next_flush()');
}

function rootMessage(error: Error): string {
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
