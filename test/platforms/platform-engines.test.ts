import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { CONTROL_TASK_QUEUE, controllerWorkflowId } from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { sharedServer, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';
import { readCurrent } from '../support/lake';
import {
  startDataprocEndpoint,
  type DataprocEndpoint,
} from '../support/platform-endpoint/dataproc-server';
import { startGlueEndpoint, type GlueEndpoint } from '../support/platform-endpoint/glue-server';
import { sparkCommand } from '../support/platform-endpoint/spark-command';
import { sharedMariadb } from '../support/servers';
import { startWorld, type World } from '../support/world';

/** Whole loads, from a real database by a real Spark into a lake, where each platform starts Spark. */
describe('the engines dataproc and glue', function () {
  this.timeout(300_000);
  let folder: string;
  let postgres: TestServer;
  let mariadb: TestDatabase;
  let dataproc: DataprocEndpoint;
  let glue: GlueEndpoint;
  let world: World;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-platforms-'));
    postgres = await sharedServer(17);
    const server = await sharedMariadb();
    mariadb = await createTestDatabase(server);
    const secrets = { BOOKS_PASSWORD: postgres.service.password, SHOP_PASSWORD: server.password };
    const options = {
      buckets: folder,
      outputs: pathToFileURL(join(folder, 'output')).href,
      run: await sparkCommand(secrets),
    };
    dataproc = await startDataprocEndpoint(options);
    dataproc.clusters.set('nightly', {});
    glue = await startGlueEndpoint(options);
    glue.jobs.set('ingest', { maxConcurrentRuns: 1 });
    const books = postgres.connection;
    const shop = mariadb.connection;
    const rest = 'destination: { connection: lake }\n';
    world = await startWorld({
      roles: ['control', 'dataproc', 'glue'],
      environment: { ...secrets, AWS_KEY: 'key', AWS_SECRET: 'secret' },
      files: {
        'connections.yaml': `
connections:
  books: { type: postgres, host: ${books.host}, port: ${books.port}, user: ${books.user}, password: env:BOOKS_PASSWORD, database: ${books.database}, tls: { mode: disable } }
  shop: { type: mysql, host: ${shop.host}, port: ${shop.port}, user: ${shop.user}, password: env:SHOP_PASSWORD, database: ${shop.database}, tls: { mode: disable } }
  lake: { type: file, path: ../lake }
  google: { type: dataproc, project: p, region: us-central1, cluster: nightly, endpoint: "${dataproc.url}" }
  nightly: { type: dataproc, project: p, region: us-central1, ephemeralCluster: {}, endpoint: "${dataproc.url}" }
  amazon: { type: glue, region: us-east-1, job: ingest, endpoint: "${glue.url}", accessKeyId: env:AWS_KEY, secretAccessKey: env:AWS_SECRET }
`,
        'books.yaml': `pipeline: books\nsource: { connection: books }\ndefaults: { engine: dataproc, platform: google }\n${rest}`,
        'ledgers.yaml': `pipeline: ledgers\nsource: { connection: books }\ndefaults: { engine: dataproc, platform: nightly }\n${rest}`,
        'shop.yaml': `pipeline: shop\nsource: { connection: shop }\ndefaults: { engine: glue, platform: amazon }\n${rest}`,
      },
    });
  });
  after(async () => {
    await world?.close();
    await dataproc?.close();
    await glue?.close();
    await mariadb?.drop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('load a table of PostgreSQL by a job on a cluster', async () => {
    await postgres.sql('CREATE TABLE ledger (id int PRIMARY KEY, amount numeric(12,2), note text)');
    await postgres.sql(
      `INSERT INTO ledger SELECT n, n * 1.5, 'ação ' || n FROM generate_series(1, 500) n`,
    );
    const summary = await world.run({ pipeline: 'books', batch: 'b1' });
    assert.deepEqual([summary.loaded, summary.rows], [1, 500]);
    const rows = await readCurrent(world.lake, 'books', 'ledger', 'id, CAST(amount AS text), note');
    assert.equal(rows.length, 500);
    assert.deepEqual(rows[2], [3, '4.50', 'ação 3']);
    assert.deepEqual(
      [...dataproc.jobs.jobs.values()].map(({ state }) => state),
      ['DONE'],
    );
  });

  it('load on a cluster that is made for the batch, and is gone after it', async () => {
    const summary = await world.run({ pipeline: 'ledgers', batch: 'b1' });
    assert.deepEqual([summary.loaded, summary.rows], [1, 500]);
    assert.equal(dataproc.made.made.length, 1);
    assert.equal(dataproc.made.present.size, 0);
    const [job] = [...dataproc.submittedJobs.values()].slice(-1);
    assert.equal(job?.job?.placement?.clusterName, dataproc.made.made[0]?.name);
  });

  it('leave no cluster when the batch is cancelled', async () => {
    dataproc.jobs.suspend();
    const known = dataproc.jobs.jobs.size;
    const handle = await world.client.workflow.start<typeof controller>('controller', {
      workflowId: controllerWorkflowId('ledgers', 'b2'),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: 'ledgers', batch: 'b2', force: true }],
    });
    await eventually(() => assert.equal(dataproc.jobs.jobs.size, known + 1));
    await handle.cancel();
    await assert.rejects(handle.result(), WorkflowFailedError);
    dataproc.jobs.resume();
    assert.equal(dataproc.made.made.length, 2);
    assert.equal(dataproc.made.present.size, 0);
  });

  it('load a table of MariaDB by a run of a Glue job', async () => {
    await mariadb.run(
      'CREATE TABLE items (id INT PRIMARY KEY, price DECIMAL(10,2), sold DATETIME(3))',
      `INSERT INTO items SELECT seq, seq / 4, '2026-01-02 03:04:05.678' FROM seq_1_to_300`,
    );
    const summary = await world.run({ pipeline: 'shop', batch: 'b1' });
    assert.deepEqual([summary.loaded, summary.rows], [1, 300]);
    const rows = await readCurrent(
      world.lake,
      'shop',
      'items',
      'id, CAST(price AS text), CAST(sold AS text)',
    );
    assert.equal(rows.length, 300);
    assert.deepEqual(rows[6], [7, '1.75', '2026-01-02 03:04:05.678']);
    assert.deepEqual(
      [...glue.runs.jobs.values()].map(({ state }) => state),
      ['SUCCEEDED'],
    );
  });

  it('end the job of a load that is cancelled', async () => {
    dataproc.jobs.suspend();
    const known = dataproc.jobs.jobs.size;
    const id = controllerWorkflowId('books', 'b2');
    const handle = await world.client.workflow.start<typeof controller>('controller', {
      workflowId: id,
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: 'books', batch: 'b2', force: true }],
    });
    await eventually(() => assert.equal(dataproc.jobs.jobs.size, known + 1));
    await handle.cancel();
    await assert.rejects(handle.result(), WorkflowFailedError);
    assert.equal([...dataproc.jobs.jobs.values()].at(-1)?.state, 'CANCELLED');
    dataproc.jobs.resume();
  });
});
