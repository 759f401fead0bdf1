import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { startMariadb } from '../../scripts/services/mariadb';
import type { NativeDatabaseService } from '../../scripts/services/service';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { connectClient, loadTemporalOptions } from '../../src/temporal/connection';
import { applySchedules } from '../../src/client/schedule/apply';
import { loadProject } from '../../src/pipeline/load';
import { scheduleId } from '../../src/temporal/schedules';
import { controllerWorkflowId, ingestWorkflowId, SEARCH_ATTRIBUTES } from '../../src/workflows/api';
import { openBrowser, photographer, type TestBrowser } from '../support/browser';
import { duckdbRows } from '../support/duckdb';
import { eventually } from '../support/eventually';
import { startWorld, type World } from '../support/world';
import { webUiPage, type WebUiPage } from './web-ui-page';

const TABLES = [
  'addresses',
  'categories',
  'customers',
  'orders',
  'payments',
  'products',
  'shipments',
  'suppliers',
] as const;

type Table = (typeof TABLES)[number];

/** The gestures of docs/operating.md, by a browser on the real Web UI, over a real worker. */
describe("an operator at Temporal's Web UI", function () {
  this.timeout(90_000);

  let temporal: NativeTemporalService;
  let mariadb: NativeDatabaseService;
  let sql: Connection;
  let world: World;
  let browser: TestBrowser;
  let ui: WebUiPage;
  let photograph: ReturnType<typeof photographer>;
  let temporaryPictures: string | undefined;
  let locks: Connection[];

  before(async () => {
    [temporal, mariadb, browser] = await Promise.all([
      startTemporal(),
      startMariadb(),
      openBrowser(),
    ]);
    sql = await connect(mariadb.database);
    await sql.query('CREATE DATABASE shop');
    await sql.query('USE shop');
    await sql.query(`CREATE USER loader IDENTIFIED BY 'loader'`);
    await sql.query('GRANT PROCESS, BINLOG MONITOR ON *.* TO loader');
    for (const table of TABLES) {
      await sql.query(`CREATE TABLE ${table} (id INT AUTO_INCREMENT PRIMARY KEY, day DATE)`);
      await sql.query(`GRANT INSERT ON ${table} TO loader`);
      await grant(table);
      // The largest tables load first; where nothing was loaded yet, by the server's estimate.
      const rows = { customers: 8000, shipments: 4000 }[table as string] ?? 1200;
      await sql.query(`INSERT INTO ${table} (day) SELECT CURRENT_DATE FROM seq_1_to_${rows}`);
    }
    await sql.query(`ANALYZE TABLE ${TABLES.join(', ')}`);
    world = await startWorld({
      temporal,
      environment: { SHOP_PASSWORD: 'loader' },
      files: {
        'connections.yaml': `
connections:
  shop: { type: mysql, host: ${mariadb.host}, port: ${mariadb.port}, user: loader, password: env:SHOP_PASSWORD, database: shop }
  lake: { type: file, path: ../lake }
`,
        'sales.yaml': `
pipeline: sales
source: { connection: shop }
destination: { connection: lake }
schedule: { cron: 0 3 * * * }
defaults: { attempts: 1, invalidDates: fail }
`,
        'stock.yaml': `
pipeline: stock
source: { connection: shop }
tables: { include: [customers, orders, products, shipments] }
destination: { connection: lake }
defaults: { attempts: 10 }
concurrency: 1
`,
      },
    });
    ui = webUiPage(browser.page, temporal.uiUrl!, temporal.namespace);
    const kept = process.env['COMPORTA_SCREENSHOTS'];
    if (!kept) temporaryPictures = await mkdtemp(join(tmpdir(), 'comporta-screenshots-'));
    photograph = photographer(browser.page, kept || temporaryPictures!);
  });
  after(async () => {
    await browser?.close();
    await world?.close();
    await sql?.end();
    await Promise.all([temporal?.stop(), mariadb?.stop()]);
    if (temporaryPictures) await rm(temporaryPictures, { recursive: true });
  });
  beforeEach(async () => {
    locks = [];
    for (const table of TABLES) await sql.query(`INSERT INTO ${table} (day) VALUES (CURRENT_DATE)`);
  });
  afterEach(async () => {
    for (const lock of locks) await lock.end();
    await sql.query(`DELETE FROM shipments WHERE day = '0000-00-00'`);
    await grant('payments');
  });

  function connect(database = 'shop'): Promise<Connection> {
    const { host, port, user, password } = mariadb;
    return createConnection({ host, port, user, password, database });
  }

  const grant = (table: Table) => sql.query(`GRANT SELECT ON ${table} TO loader`);

  /** Locks tables as an ALTER TABLE would, until the returned function is called. */
  async function lock(...tables: readonly Table[]): Promise<() => Promise<void>> {
    const session = await connect();
    locks.push(session);
    await session.query(`LOCK TABLES ${tables.map((table) => `${table} WRITE`).join(', ')}`);
    return async () => {
      await session.query('UNLOCK TABLES');
    };
  }

  /**
   * Ends the sessions that wait for a locked table, which a load does for a minute before it gives
   * up of its own accord. Resolves with their number.
   */
  async function endWaiting(): Promise<number> {
    const [waiting] = await sql.query<RowDataPacket[]>(
      `SELECT id FROM information_schema.processlist WHERE user = 'loader' AND state = 'Waiting for table metadata lock'`,
    );
    for (const { id } of waiting) await sql.query(`KILL ${id}`);
    return waiting.length;
  }

  /** The batch of a controller that a schedule named. */
  async function batchOf(workflowId: string): Promise<string> {
    const { searchAttributes } = await world.client.workflow.getHandle(workflowId).describe();
    return (searchAttributes[SEARCH_ATTRIBUTES.batch] as string[])[0]!;
  }

  /** Searches the list once the server knows of so many, which is a moment after they are so. */
  async function searchFor(count: number, query: string): Promise<void> {
    await eventually(async () =>
      assert.equal((await world.client.workflow.count(query)).count, count),
    );
    await ui.openList();
    await ui.search(query);
    await ui.word(new RegExp(`^${count} Workflows$`)).waitFor();
  }

  /** Which attempt at a load is under way or waited for; 0 before it begins. */
  async function attemptOf(workflowId: string): Promise<number> {
    try {
      const { raw } = await world.client.workflow.getHandle(workflowId).describe();
      return raw.pendingActivities?.[0]?.attempt ?? 0;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 0;
      throw error;
    }
  }

  /** Lets a load of a locked table fail until it is at its second attempt. */
  const untilSecondAttempt = (workflowId: string) =>
    eventually(async () => {
      await endWaiting();
      assert.equal(await attemptOf(workflowId), 2);
    });

  async function start(pipeline: string, batch: string): Promise<void> {
    await world.client.workflow.start('controller', {
      workflowId: controllerWorkflowId(pipeline, batch),
      taskQueue: 'comporta-control',
      args: [{ pipeline, batch, force: true }],
    });
  }

  /** How each table of a batch ended, by the history: `SUCCEEDED`, `FAILED PermissionDenied`. */
  async function outcomes(pipeline: string, batch: string): Promise<Record<string, string>> {
    const ends = await (await world.history()).outcomes(pipeline, batch);
    return Object.fromEntries(
      [...ends].map(([table, { kind, errorCode }]): [string, string] => [
        table,
        errorCode ? `${kind} ${errorCode}` : kind,
      ]),
    );
  }

  const all = (outcome: string): Record<string, string> =>
    Object.fromEntries(TABLES.map((table) => [table, outcome]));

  /** Every table in the lake is what it is in the database. */
  async function assertPublished(pipeline: string, tables: readonly Table[]): Promise<void> {
    for (const table of tables) {
      const view = await readFile(join(world.lake, `raw/_views/${pipeline}/${table}.sql`), 'utf8');
      const published = await duckdbRows(`${view} SELECT id FROM ${pipeline}.${table} ORDER BY id`);
      const [rows] = await sql.query<RowDataPacket[]>(`SELECT id FROM ${table} ORDER BY id`);
      assert.deepEqual(
        published,
        rows.map(({ id }) => [id as number]),
        table,
      );
    }
  }

  it('finds the tables that failed last night, sees why, and resets them', async () => {
    const batch = '20261121T030000000Z';
    const unlock = await lock('orders');
    await sql.query('REVOKE SELECT ON payments FROM loader');
    await sql.query(`SET SESSION sql_mode = ''`);
    await sql.query(`INSERT INTO shipments (day) VALUES ('0000-00-00')`);
    const ending = assert.rejects(world.run({ pipeline: 'sales', batch }));
    await eventually(async () => assert.equal(await endWaiting(), 1));
    await ending;
    const failed = {
      orders: 'FAILED SourceInterrupted',
      payments: 'FAILED PermissionDenied',
      shipments: 'FAILED ValueUnfaithful',
    };
    assert.deepEqual(await outcomes('sales', batch), { ...all('SUCCEEDED'), ...failed });
    const [orders, payments, shipments] = ['orders', 'payments', 'shipments'].map((table) =>
      ingestWorkflowId('sales', table, batch),
    ) as [string, string, string];

    await searchFor(
      3,
      `WorkflowType = "ingestTable" AND ExecutionStatus = "Failed" AND ComportaBatch = "${batch}"`,
    );
    await ui.showColumn(SEARCH_ATTRIBUTES.failure);
    await ui.word('PermissionDenied').waitFor();
    assert.deepEqual(await ui.listed(), [orders, payments, shipments]);
    await photograph('failed', { height: 600 });

    await browser.page.getByRole('link', { name: payments }).click();
    await ui.word('Failed').waitFor();
    await ui.word(/SELECT command denied to user/).waitFor();
    await photograph('why', { height: 570 });

    await grant('payments');
    await ui.press('Reset');
    await ui.dialog.getByTestId('workflow-reset-event-id-select-button').click();
    await ui.dialog.getByRole('option').first().click();
    await ui.dialog.getByTestId('reset-reason').fill('granted SELECT on payments');
    await photograph('reset', { dialog: true });
    await ui.confirm('Confirm');
    await browser.page.getByRole('link', { name: 'here', exact: true }).click();
    await ui.word('Completed').waitFor();
    await photograph('reset-done', { height: 560 });
    assert.deepEqual(await outcomes('sales', batch), {
      ...all('SUCCEEDED'),
      ...failed,
      payments: 'SUCCEEDED',
    });

    await unlock();
    await sql.query(`DELETE FROM shipments WHERE day = '0000-00-00'`);
    await browser.page.getByRole('link', { name: 'Back to Workflows' }).click();
    await ui.select(orders);
    await ui.select(shipments);
    await ui.press('Reset');
    assert(await ui.dialog.getByRole('radio', { name: 'First Workflow task' }).isChecked());
    await photograph('reset-several', { height: 720 });
    await ui.confirm('Reset');
    await eventually(async () =>
      assert.deepEqual(await outcomes('sales', batch), all('SUCCEEDED')),
    );
    await assertPublished('sales', TABLES);
  });

  it('triggers the schedule, runs it for a time that is past, and pauses it', async () => {
    const schedule = scheduleId('sales');
    const options = loadTemporalOptions({
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_CONFIG_FILE: '/no/such/file',
    });
    const client = await connectClient(options);
    const project = await loadProject(world.pipelines);
    await applySchedules(client, project, 'sales', false).finally(() => client.close());

    await ui.openSchedule(schedule);
    await ui.choose('Schedule Actions', 'Trigger');
    await ui.confirm('Trigger');
    const triggered = await ui.newestRun();
    await world.client.workflow.getHandle(triggered).result();
    assert.deepEqual(await outcomes('sales', await batchOf(triggered)), all('SUCCEEDED'));
    await assertPublished('sales', TABLES);

    await sql.query('INSERT INTO orders (day) VALUES (CURRENT_DATE)');
    await ui.openSchedule(schedule);
    await ui.word('Completed').waitFor();
    await ui.openMenu('Schedule Actions');
    await photograph('schedule', { height: 600 });
    await ui.pickAction('Backfill');
    const now = new Date();
    const past = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 10, 3));
    await ui.fillBackfill(past, { from: '00', to: '06' });
    await photograph('backfill', { dialog: true });
    await ui.confirm('Schedule');
    const backfilled = `controller/sales-${past.toISOString().replace('.000', '')}`;
    await ui.word(backfilled).waitFor();
    await world.client.workflow.getHandle(backfilled).result();
    assert.equal((await outcomes('sales', await batchOf(backfilled)))['orders'], 'SUCCEEDED');
    await assertPublished('sales', TABLES);

    await ui.press('Pause');
    await ui.dialog.getByRole('textbox').fill('migration until noon');
    await ui.confirm('Pause');
    await ui.word('Paused').waitFor();
    const { state } = await world.client.schedule.getHandle(schedule).describe();
    assert.deepEqual([state.paused, state.note], [true, 'migration until noon']);
    await world.client.schedule.getHandle(schedule).delete();
  });

  it('leaves tables out of a batch under way, holds them back, and retries at once', async () => {
    const batch = '20261121T090000000Z';
    const [controller, customers, shipments] = [
      controllerWorkflowId('stock', batch),
      ingestWorkflowId('stock', 'customers', batch),
      ingestWorkflowId('stock', 'shipments', batch),
    ];
    const unlockCustomers = await lock('customers');
    const unlockShipments = await lock('shipments');
    await start('stock', batch);

    await untilSecondAttempt(customers);
    await ui.openWorkflow(controller);
    await ui.prepareUpdate('skipTable', { table: 'orders', reason: 'migration until noon' });
    await photograph('skip-table', { height: 680 });
    await ui.confirm('Submit');
    await ui.prepareUpdate('pauseTable', { table: 'products' });
    await ui.confirm('Submit');
    await ui.prepareUpdate('pauseTable', { table: 'customers' });
    await ui.dialog.getByRole('button', { name: 'Submit' }).click();
    await ui.word('customers has begun already').waitFor();

    await ui.openPendingActivities(customers);
    await ui.press('Pause');
    await ui.dialog.getByRole('textbox').fill('somebody works on it');
    await ui.confirm('Pause');
    await ui.word('Paused').waitFor();
    await photograph('pause', { height: 640 });
    await ui.press('Unpause');
    await ui.confirm('Unpause');
    await unlockCustomers();
    await ui.word('Completed').waitFor();

    await ui.openWorkflow(controller);
    await ui.prepareUpdate('resumeTable', { table: 'products' });
    await ui.confirm('Submit');

    await untilSecondAttempt(shipments);
    await ui.openPendingActivities(shipments);
    await ui.word('Last Failure').waitFor();
    await photograph('pending', { height: 640 });
    await ui.press('Reset');
    await ui.confirm('Reset');
    await eventually(async () => assert.equal(await attemptOf(shipments), 1));
    await unlockShipments();

    await world.client.workflow.getHandle(controller).result();
    assert.deepEqual(await outcomes('stock', batch), {
      customers: 'SUCCEEDED',
      orders: 'SKIPPED',
      products: 'SUCCEEDED',
      shipments: 'SUCCEEDED',
    });
    const [skipped] = await (
      await world.history()
    ).events({ pipeline: 'stock', table: 'orders', batch });
    assert.equal(skipped?.reason, 'left out by an operator: migration until noon');
    await assertPublished('stock', ['customers', 'products', 'shipments']);
  });

  it('loads one table whatever the detection says', async () => {
    const batch = '20261121T100000000Z';
    await world.run({ pipeline: 'sales', batch });
    await ui.openWorkflow(controllerWorkflowId('sales', batch));
    await ui.choose('More Actions', 'Start Workflow Like This One');
    const forced = '20261121T110000000Z';
    await ui.fillStart(controllerWorkflowId('sales', forced), {
      pipeline: 'sales',
      batch: forced,
      tables: ['orders'],
      force: true,
    });
    await photograph('start');
    await ui.press('Start Workflow');
    await world.client.workflow.getHandle(controllerWorkflowId('sales', forced)).result();
    assert.deepEqual(await outcomes('sales', forced), { orders: 'SUCCEEDED' });
  });

  it('stops everything', async () => {
    const batch = '20261121T120000000Z';
    await lock('customers', 'orders', 'products', 'shipments');
    await start('stock', batch);
    await searchFor(2, `ComportaBatch = "${batch}" AND ExecutionStatus = "Running"`);
    await ui.selectAll();
    await ui.press('Request Cancellation');
    await photograph('stop', { height: 660 });
    await ui.confirm('Confirm');
    await eventually(async () =>
      assert.deepEqual(Object.values(await outcomes('stock', batch)), ['FAILED Cancelled']),
    );
  });
});
