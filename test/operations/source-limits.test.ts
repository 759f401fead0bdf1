import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { createConnection, type Connection as MysqlConnection } from 'mysql2/promise';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { pendingActivity } from '../../src/client/trigger/batch-progress';
import type { History } from '../../src/history/history';
import { openSqliteHistory } from '../../src/history/sqlite';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
  type ControllerInput,
} from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { newPostgresStore } from '../history/postgres-store';
import { placesContract } from '../load/places-contract';
import { eventually } from '../support/eventually';
import { sharedMariadb, uniqueName } from '../support/servers';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

placesContract('in PostgreSQL', newPostgresStore, 10);

const LIMIT = 2;
const PIPELINES = ['first', 'second'];
const TABLES = [1, 2, 3, 4, 5, 6].map((number) => `t${number}`);

describe('the limit of a source', function () {
  this.timeout(120_000);

  let folder: string;
  let temporal: NativeTemporalService;
  let client: Client;
  let sql: MysqlConnection;
  let history: History;
  let workers: WorkerProcess[];
  let database: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-limits-'));
    await mkdir(join(folder, 'pipelines'));
    const server = await sharedMariadb();
    const { host, port, user, password } = server;
    temporal = await startTemporal({ headless: true });
    sql = await createConnection({ host, port, user, password });
    database = uniqueName('limits');
    await sql.query(`CREATE DATABASE ${database}`);
    await sql.query(`USE ${database}`);
    for (const table of PIPELINES.flatMap((name) => TABLES.map((one) => `${name}_${one}`))) {
      await sql.query(`CREATE TABLE ${table} AS SELECT seq AS id FROM seq_1_to_10`);
    }
    await writeFiles(
      `{ type: mysql, host: ${host}, port: ${port}, user: ${user}, password: env:SHOP_PASSWORD, database: ${database}, maxParallelLoads: ${LIMIT} }`,
    );
    const environment = { TEMPORAL_ADDRESS: temporal.address, SHOP_PASSWORD: password };
    workers = [1, 2].map(() =>
      startWorkerProcess(['--pipelines', join(folder, 'pipelines')], environment),
    );
    client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    await eventually(() => {
      for (const worker of workers) assert.match(worker.log(), /"ready"/);
    });
    history = await openSqliteHistory(join(folder, '.comporta/history.db'));
  });

  after(async () => {
    await Promise.all((workers ?? []).map((worker) => worker.stop()));
    await history?.close();
    await client?.connection.close();
    await temporal?.stop();
    await sql?.end();
    await rm(folder, { recursive: true, force: true });
  });

  /** Each row takes a moment, so that a load can be seen in the database's list of processes. */
  async function writeFiles(source: string): Promise<void> {
    const files = {
      'connections.yaml': `connections:\n  shop: ${source}\n  lake: { type: file, path: ../lake }\n`,
      ...Object.fromEntries(
        PIPELINES.map((name) => [
          `${name}.yaml`,
          `pipeline: ${name}
source: { connection: shop }
tables: { include: ['${name}_*'] }
destination: { connection: lake }
defaults: { where: 'SLEEP(0.06) = 0' }
`,
        ]),
      ),
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, 'pipelines', name), text);
    }
  }

  const start = (input: ControllerInput & { batch: string }) =>
    client.workflow.start<typeof controller>('controller', {
      workflowId: controllerWorkflowId(input.pipeline, input.batch),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
    });

  /** The most loads that the database saw at the same time until `end`. */
  async function mostLoads(end: Promise<unknown>): Promise<number> {
    let most = 0;
    let isOver = false;
    const over = end.finally(() => (isOver = true));
    while (!isOver) {
      const [rows] = await sql.query(
        `SELECT count(*) AS loads FROM information_schema.processlist
         WHERE db = ? AND info LIKE '%SLEEP(0.06)%' AND id <> connection_id()`,
        [database],
      );
      most = Math.max(most, Number((rows as { loads: number }[])[0]?.loads));
      await delay(5);
    }
    await over;
    return most;
  }

  async function waitingLoads(batch: string): Promise<string[]> {
    const ids = PIPELINES.flatMap((name) =>
      TABLES.map((table) => ingestWorkflowId(name, `${name}_${table}`, batch)),
    );
    const reasons = await Promise.all(
      ids.map(async (id) => {
        const { raw } = await client.workflow.getHandle(id).describe();
        return (await pendingActivity(raw, []))?.load?.waitingFor;
      }),
    );
    return reasons.filter((reason) => reason !== undefined);
  }

  it('holds over two pipelines in two workers, and a waiting load says what it waits for', async () => {
    const batches = await Promise.all(
      PIPELINES.map((pipeline) => start({ pipeline, batch: 'both' })),
    );
    const all = Promise.all(batches.map((batch) => batch.result()));
    const isTold = eventually(async () => {
      const reasons = await waitingLoads('both');
      assert.equal(reasons[0], `one of the ${LIMIT} places at shop`);
    });
    assert.equal(await mostLoads(all), LIMIT);
    await isTold;
    for (const summary of await all) assert.equal(summary.loaded, TABLES.length);
    for (const pipeline of PIPELINES) {
      const loads = await history.events({ pipeline, kinds: ['SUCCEEDED'] });
      assert.deepEqual(
        loads.map(({ attempts }) => attempts),
        TABLES.map(() => 1),
      );
    }
    await eventually(async () =>
      assert.deepEqual([...(await history.leaseHolders('connection:shop')).keys()], []),
    );
  });

  it('is free again after a worker that held all of it was killed', async () => {
    const batches = await Promise.all(
      PIPELINES.map((pipeline) => start({ pipeline, batch: 'killed', force: true })),
    );
    const all = Promise.all(batches.map((batch) => batch.result()));
    const most = mostLoads(all);
    const victim = await eventuallyHolding();
    process.kill(victim.pid, 'SIGKILL');
    for (const summary of await all) assert.equal(summary.loaded, TABLES.length);
    // One worker alone may never be seen with two loads in its database.
    assert((await most) <= LIMIT);
  });

  /** A worker that has a place now. */
  async function eventuallyHolding(): Promise<WorkerProcess> {
    let found: WorkerProcess | undefined;
    await eventually(async () => {
      const holders = await history.leaseHolders('connection:shop');
      const owner = holders.get('place 1')?.owner ?? '';
      found = workers.find(({ pid }) => owner.includes(`:${pid}:`));
      assert.ok(found !== undefined);
    });
    return found!;
  }
});
