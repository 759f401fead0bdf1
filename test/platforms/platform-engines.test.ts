import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { CONTROL_TASK_QUEUE, controllerWorkflowId } from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { sharedServer, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';
import { startHandOver, type HandOver } from '../support/hand-over';
import { readCurrent } from '../support/lake';
import {
  startDataprocEndpoint,
  type DataprocEndpoint,
} from '../support/platform-endpoint/dataproc-server';
import { startGlueEndpoint, type GlueEndpoint } from '../support/platform-endpoint/glue-server';
import { sparkCommand } from '../support/platform-endpoint/spark-command';
import { residentSpark } from '../support/resident-spark';
import { sharedMariadb } from '../support/servers';
import { startWorld, type World } from '../support/world';

/**
 * Whole loads, from a real database by a real Spark into a lake. Glue starts it with a script and
 * arguments of its own making; Dataproc, which slmandic.test.ts has start it, hands over here.
 */
describe('the engines dataproc and glue', function () {
  this.timeout(300_000);
  let folder: string | undefined;
  let handOver: HandOver;
  let postgres: TestServer;
  let mariadb: TestDatabase;
  let dataproc: DataprocEndpoint;
  let glue: GlueEndpoint;
  let world: World;

  before(async function () {
    postgres = await sharedServer(17);
    const server = await sharedMariadb();
    const secrets = { BOOKS_PASSWORD: postgres.service.password, SHOP_PASSWORD: server.password };
    handOver = await startHandOver(await residentSpark(this, secrets));
    folder = await mkdtemp(join(tmpdir(), 'comporta-platforms-'));
    mariadb = await createTestDatabase(server);
    const outputs = pathToFileURL(join(folder, 'output')).href;
    const options = { buckets: folder, outputs, run: await sparkCommand(secrets) };
    dataproc = await startDataprocEndpoint({ ...options, run: handOver.run });
    dataproc.clusters.set('nightly', {});
    glue = await startGlueEndpoint(options);
    glue.jobs.set('ingest', { maxConcurrentRuns: 1 });
    const books = postgres.connection;
    const shop = mariadb.connection;
    const rest = 'destination: { connection: lake }\n';
    world = await startWorld({
      roles: ['control', 'embedded', 'dataproc', 'glue'],
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
    await handOver?.close();
    await mariadb?.drop();
    await postgres?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
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

  it('leave a load to the engine that its table was given while they were at it', async () => {
    dataproc.jobs.suspend();
    const known = dataproc.jobs.jobs.size;
    const summary = world.run({ pipeline: 'books', batch: 'b3', force: true });
    await eventually(() => assert.equal(dataproc.jobs.jobs.size, known + 1));
    const file =
      'pipeline: books\nsource: { connection: books }\ndestination: { connection: lake }\n';
    await writeFile(join(world.pipelines, 'books.yaml'), file);
    const [job] = [...dataproc.jobs.jobs.values()].slice(-1);
    await dataproc.jobs.end(job!.id, 'ERROR', 'by hand');
    const { loaded, rows } = await summary;
    assert.deepEqual([loaded, rows], [1, 500]);
    dataproc.jobs.resume();
    const query = { pipeline: 'books', limit: 1 };
    const [event] = await (await world.history()).events(query);
    assert.deepEqual([event?.batch, event?.kind, event?.engine], ['b3', 'SUCCEEDED', 'embedded']);
    const handle = world.client.workflow.getHandle(event?.workflowId ?? '');
    assert.deepEqual(await queuesOf(handle), ['comporta-dataproc', 'comporta-embedded']);
  });
});

/** Where the activities of an execution were to run, in their order. */
async function queuesOf(handle: WorkflowHandle): Promise<(string | null | undefined)[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [scheduled.taskQueue?.name] : [],
  );
}
