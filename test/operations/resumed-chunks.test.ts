import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createS3Store } from '../../src/destinations/parquet/s3-store';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { entityName } from '../../src/pipeline/entity';
import { openHistory } from '../../src/history/open';
import { localSecretStore } from '../../src/pipeline/secrets';
import type { controller } from '../../src/workflows';
import { CONTROL_TASK_QUEUE, controllerWorkflowId } from '../../src/workflows/api';
import type { NativeS3Service } from '../../scripts/services/s3';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { sharedServer, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';
import { paths } from '../support/loads';
import { duckdbRows, sqlString } from '../support/duckdb';
import { startFaultyProxy, type FaultyProxy } from '../support/faulty-proxy';
import { sharedMariadb, sharedS3, uniqueName } from '../support/servers';
import { connectClient } from '../support/workflow-worker';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

const ROWS = 200_000;
/** Seven tenths of what either server sends of them: ten or eleven of sixteen chunks. */
const BYTES_BEFORE_THE_KILL = 0.7 * 140 * ROWS;

/** One pipeline: where its table comes from and where it goes. */
interface Side {
  readonly pipeline: string;
  readonly table: string;
  readonly entity: string;
  readonly store: () => ObjectStore;
  /** The worker's way to the source. */
  readonly proxy: FaultyProxy;
  /** Rows that the server has read for anybody, once it reads for nobody. */
  readonly rowsRead: () => Promise<number>;
  /** What lies in its lake of files that nobody ended. */
  readonly unfinished: () => Promise<readonly unknown[]>;
}

describe('a worker killed in the middle of a large table', function () {
  this.timeout(180_000);

  let folder: string;
  let mariadb: TestDatabase;
  let postgres: TestServer;
  let s3: NativeS3Service;
  let client: Client;
  let address: string;
  let worker: WorkerProcess | undefined;
  let sides: readonly Side[];
  const prefix = uniqueName('lake/chunks');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-resumed-'));
    [{ client, address }, mariadb, postgres, s3] = await Promise.all([
      connectClient(),
      sharedMariadb().then((service) => createTestDatabase(service)),
      sharedServer(17),
      sharedS3(),
    ]);
    await mariadb.run(
      'CREATE TABLE items (id bigint PRIMARY KEY, v varchar(200))',
      `INSERT INTO items SELECT seq * 3, REPEAT(MD5(seq), 4) FROM seq_1_to_${ROWS}`,
      'ANALYZE TABLE items',
    );
    await postgres.sql(
      `CREATE TABLE items (a int, b text, v varchar(200), PRIMARY KEY (a, b));
       INSERT INTO items SELECT n / 1000, 'n' || n % 1000, repeat(md5(n::text), 4)
         FROM generate_series(1, ${ROWS}) n`,
    );
    await postgres.sql('VACUUM ANALYZE items');

    const pipelines = join(folder, 'pipelines');
    await mkdir(pipelines);
    const { user } = mariadb.connection;
    const toShop = await startFaultyProxy(mariadb.connection.port);
    const toFinance = await startFaultyProxy(postgres.connection.port);
    await writeFile(
      join(pipelines, 'connections.yaml'),
      `connections:
  shop: { type: mysql, host: ${toShop.host}, port: ${toShop.port}, user: ${user}, password: env:SHOP, database: ${mariadb.name} }
  finance: { type: postgres, host: ${toFinance.host}, port: ${toFinance.port}, user: ${postgres.connection.user}, password: env:FINANCE, database: ${postgres.connection.database} }
  folder: { type: file, path: ../lake }
  bucket: { type: s3, bucket: ${s3.bucket}, prefix: ${prefix}, region: ${s3.region}, endpoint: '${s3.endpoint}', forcePathStyle: true, accessKeyId: env:KEY, secretAccessKey: env:SECRET }
history: { type: sqlite, path: ../history.db }
`,
    );
    const defaults = 'defaults: { chunkSize: 2MiB }';
    await writeFile(
      join(pipelines, 'shop.yaml'),
      `pipeline: shop\nsource: { connection: shop }\ndestination: { connection: folder }\n${defaults}\n`,
    );
    await writeFile(
      join(pipelines, 'finance.yaml'),
      `pipeline: finance\nsource: { connection: finance }\ndestination: { connection: bucket }\n${defaults}\n`,
    );
    sides = [
      {
        ...{ pipeline: 'shop', table: 'items', entity: 'items', proxy: toShop },
        store: () => createFileStore(join(folder, 'lake')),
        unfinished: unfinishedFiles,
        async rowsRead() {
          await eventually(async () => {
            const reading = await mariadb.run(
              `SELECT id FROM information_schema.processlist
                WHERE db = DATABASE() AND command = 'Query' AND id <> CONNECTION_ID()`,
            );
            assert.deepEqual(reading, []);
          });
          const rows = await mariadb.run("SHOW GLOBAL STATUS LIKE 'Handler_read%next'");
          return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
        },
      },
      {
        ...{
          pipeline: 'finance',
          table: 'public.items',
          entity: entityName({ schema: 'public', name: 'items' }, 'postgres'),
          proxy: toFinance,
        },
        store: () =>
          createS3Store(
            {
              ...{ type: 's3', name: 'bucket', bucket: s3.bucket, prefix, region: s3.region },
              ...{ endpoint: s3.endpoint, forcePathStyle: true },
              accessKeyId: { from: 'env', name: 'KEY' },
              secretAccessKey: { from: 'env', name: 'SECRET' },
            },
            localSecretStore({ KEY: s3.accessKeyId, SECRET: s3.secretAccessKey }),
          ),
        unfinished: unfinishedUploads,
        async rowsRead() {
          // A session tells what it has read when its transaction ends.
          await eventually(async () => {
            const reading = await postgres.sql(
              `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                AND backend_xmin IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
            );
            assert.deepEqual(reading, []);
          });
          const [row] = await postgres.sql(
            `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'items'`,
          );
          return Number(row?.[0]);
        },
      },
    ];
  });
  after(async () => {
    await worker?.stop();
    await client?.connection.close();
    await Promise.all((sides ?? []).map(({ proxy }) => proxy.close()));
    await mariadb?.drop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = () =>
    startWorkerProcess(['--pipelines', join(folder, 'pipelines'), '--threads', '2'], {
      TEMPORAL_ADDRESS: address,
      ...{ SHOP: 'comporta', FINANCE: postgres.service.password },
      ...{ KEY: s3.accessKeyId, SECRET: s3.secretAccessKey },
    });

  /** The notes of finished chunks: by name, what they say. */
  async function finishedChunks({ store }: Side): Promise<ReadonlyMap<string, ChunkNote>> {
    const opened = store();
    const found = new Map<string, ChunkNote>();
    for (const path of await paths(opened, 'raw')) {
      if (!path.includes('_note-chunk-')) continue;
      const object = await opened.get(path);
      if (object !== undefined) found.set(path, JSON.parse(String(object.body)) as ChunkNote);
    }
    await opened.close();
    return found;
  }

  interface ChunkNote {
    readonly result: { readonly rowsRead: number; readonly files: readonly { path: string }[] };
  }

  /** How many chunks a load's plan has. */
  async function plannedChunks({ store }: Side): Promise<number> {
    const opened = store();
    const found = (await paths(opened, 'raw')).find((path) => path.endsWith('_note-plan.json'));
    const plan = found === undefined ? undefined : await opened.get(found);
    await opened.close();
    assert.ok(plan !== undefined);
    return (JSON.parse(String(plan.body)) as { ranges: unknown[] }).ranges.length;
  }

  /** Kills a worker in the middle of a load; resolves with what it left. */
  async function killHalfway(side: Side) {
    const frozen = side.proxy.freezeAt(BYTES_BEFORE_THE_KILL);
    worker = start();
    const handle = await client.workflow.start<typeof controller>('controller', {
      workflowId: controllerWorkflowId(side.pipeline, prefix),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: side.pipeline, batch: 'first' }],
    });
    await frozen;
    await eventually(async () => {
      const chunks = await plannedChunks(side);
      assert.ok(chunks >= 10, `${chunks} chunks`);
      assert.ok((await finishedChunks(side)).size >= 0.4 * chunks);
    });
    process.kill(worker.pid, 'SIGKILL');
    await worker.stop();
    await side.proxy.heal();

    const done = [...(await finishedChunks(side)).values()].map(({ result }) => result);
    assert.ok(done.length < (await plannedChunks(side)), 'some chunks are missing');
    return { handle, done };
  }

  for (const name of ['shop', 'finance'])
    it(`leaves to the next one the chunks that were missing: ${name}`, async () => {
      const side = sides.find(({ pipeline }) => pipeline === name)!;
      const { handle, done } = await killHalfway(side);
      const before = await side.rowsRead();
      worker = start();
      assert.equal((await handle.result()).loaded, 1);
      const read = (await side.rowsRead()) - before;
      await worker.stop();

      const missing = ROWS - done.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
      assert.ok(read < 1.2 * missing + 10_000, `${read} rows read, ${missing} missing`);

      const store = side.store();
      const destination = createParquetDestination(store, { compression: 'zstd' });
      const { files, rows } = (await destination.published(side.pipeline, side.entity))!;
      assert.equal(rows, ROWS);
      const published = files.map(({ path }) => path);
      assert.deepEqual(
        published.filter((path) => !path.includes('-attempt-2')).toSorted(),
        done.flatMap((result) => result.files.map(({ path }) => path)).toSorted(),
      );
      assert.equal(await difference(side, store, published), 0);

      const history = await openHistory(
        { type: 'sqlite', path: join(folder, 'history.db') },
        new Map(),
        localSecretStore({}),
      );
      const events = await history.events({ pipeline: side.pipeline, table: side.table });
      await history.close();
      const succeeded = events.filter(({ kind }) => kind === 'SUCCEEDED');
      assert.equal(succeeded.length, 1);
      assert.equal(succeeded[0]?.attempts, 2);

      const data = (await paths(store, 'raw')).filter((path) => path.includes('run_id'));
      assert.deepEqual(
        data.filter((path) => !published.includes(path) && !path.includes('_manifests')),
        [],
      );
      await destination.close();
      assert.deepEqual(await side.unfinished(), []);
    });

  async function unfinishedFiles(): Promise<readonly string[]> {
    const staging = await readdir(join(folder, 'lake/_staging'), { recursive: true });
    return staging.filter((path) => path.includes('part'));
  }

  async function unfinishedUploads(): Promise<readonly unknown[]> {
    const bucket = new S3Client({
      ...{ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials: s3 },
    });
    const { Uploads } = await bucket.send(
      new ListMultipartUploadsCommand({ Bucket: s3.bucket, Prefix: prefix }),
    );
    bucket.destroy();
    return Uploads ?? [];
  }

  /** Rows that are only in the source or only in the lake, by a sum over all that they say. */
  async function difference(side: Side, store: ObjectStore, files: string[]): Promise<number> {
    const local = await mkdtemp(join(folder, 'copies-'));
    const copies: string[] = [];
    for (const path of files) copies.push(sqlString(await store.localCopy(path, local)));
    const from = `read_parquet([${copies.join(', ')}], hive_partitioning = false)`;
    const expected =
      side.pipeline === 'shop'
        ? `SELECT n * 3 AS id, repeat(md5(n::text), 4) AS v FROM range(1, ${ROWS + 1}) t(n)`
        : `SELECT (n // 1000)::int AS a, 'n' || (n % 1000) AS b, repeat(md5(n::text), 4) AS v FROM range(1, ${ROWS + 1}) t(n)`;
    const columns = side.pipeline === 'shop' ? 'id, v' : 'a, b, v';
    const [row] = await duckdbRows(
      `SELECT count(*) FROM ((${expected} EXCEPT ALL SELECT ${columns} FROM ${from})
         UNION ALL (SELECT ${columns} FROM ${from} EXCEPT ALL ${expected}))`,
    );
    return Number(row?.[0]);
  }
});
