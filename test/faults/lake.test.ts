import assert from 'node:assert/strict';
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { WorkflowFailedError } from '@temporalio/client';
import type { NativeS3Service } from '../../scripts/services/s3';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { partName } from '../../src/destinations/parquet/layout';
import { createS3Store } from '../../src/destinations/parquet/s3-store';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { entityOf } from '../../src/pipeline/entity';
import { localSecretStore } from '../../src/pipeline/secrets';
import { eventually } from '../support/eventually';
import { paths } from '../support/loads';
import {
  allFiles,
  pendingLoad,
  ROWS,
  startProcessWorld,
  type Load,
  type ProcessWorld,
} from '../support/process-world';
import { startS3Proxy, type S3Operation, type S3Proxy, type Trouble } from '../support/s3-proxy';
import { sharedPostgres, sharedS3, uniqueName } from '../support/servers';
import { watchTable } from '../support/watched-table';
import type { WorkerProcess } from '../support/worker-process';

describe('a lake that fills up, refuses, is slow or cuts connections', function () {
  this.timeout(120_000);

  let world: ProcessWorld;
  let s3: NativeS3Service;
  let proxy: S3Proxy;
  let client: S3Client;
  let bucket: ObjectStore;
  let worker: WorkerProcess;

  before(async () => {
    s3 = await sharedS3();
    proxy = await startS3Proxy(s3.endpoint);
    const books = await sharedPostgres();
    const { region, accessKeyId, secretAccessKey } = s3;
    const prefix = uniqueName('faults');
    const secrets = { KEY: accessKeyId, SECRET: secretAccessKey, BOOKS_PASSWORD: books.password };
    world = await startProcessWorld({
      environment: secrets,
      pipelines: { shop: { destination: 'lake' }, cloud: { destination: 'bucket' } },
      connections: `  bucket: { type: s3, bucket: ${s3.bucket}, prefix: ${prefix}, region: ${region}, endpoint: '${proxy.endpoint}', forcePathStyle: true, accessKeyId: env:KEY, secretAccessKey: env:SECRET }
  books: { type: postgres, host: ${books.host}, port: ${books.port}, user: ${books.user}, password: env:BOOKS_PASSWORD, database: ${books.database} }
history: { type: postgres, connection: books, schema: ${uniqueName('history')} }
`,
    });
    client = new S3Client({ endpoint: s3.endpoint, region, forcePathStyle: true, credentials: s3 });
    bucket = createS3Store(
      {
        type: 's3',
        name: 'bucket',
        bucket: s3.bucket,
        prefix,
        region,
        endpoint: s3.endpoint,
        forcePathStyle: true,
        accessKeyId: { from: 'env', name: 'KEY' },
        secretAccessKey: { from: 'env', name: 'SECRET' },
      },
      localSecretStore(secrets),
    );
    [worker] = await Promise.all([
      world.startWorker('embedded', {}, ['--max-loads', '1']),
      world.startWorker('control'),
    ]);
  });
  afterEach(async () => {
    proxy.trouble = () => undefined;
    await world.gate.open();
  });
  after(async () => {
    await world?.close();
    await proxy?.close();
    await bucket?.close();
    client?.destroy();
  });

  /** A table that was loaded once and changed since, with a reader who watches it. */
  async function changedTable(pipeline: 'shop' | 'cloud') {
    const table = await world.createTable();
    await (await world.begin(table, 'first', pipeline)).result();
    await world.change(table, 2);
    const entity = entityOf(table, 'postgres');
    const store = pipeline === 'cloud' ? bucket : createFileStore(world.lake);
    return { pipeline, table, entity, store, reader: watchTable(store, pipeline, entity) };
  }

  type ChangedTable = Awaited<ReturnType<typeof changedTable>>;

  /** What must hold when the load is done: whole states, one record, nothing staged. */
  async function assertSound(
    { pipeline, table, entity, store, reader }: ChangedTable,
    load: Load,
    attempts: number,
  ) {
    const result = await load.result();
    assert.deepEqual(await reader.stop(), [
      [ROWS, 1, 1],
      [ROWS, 2, 2],
    ]);
    const history = await world.history();
    const events = await history.events({ pipeline, table, kinds: ['SUCCEEDED'] });
    const recorded = events.filter(({ run }) => run === result.run);
    assert.deepEqual(
      recorded.map((event) => [event.attempts, event.rowsAtSource, event.rowsWritten]),
      [[attempts, ROWS, ROWS]],
    );
    assert.deepEqual(await paths(store, '_staging'), []);
    assert.equal((await paths(store, `raw/${pipeline}/${entity}`)).length, 2);
    assert.deepEqual(await uploadsOf({ entity }), []);
    await world.gate.noSessions();
  }

  const uploadsOf = async ({ entity }: { readonly entity: string }) => {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: s3.bucket }));
    return (page.Uploads ?? []).filter(({ Key }) => Key?.includes(`/${entity}/`));
  };

  /** Each trouble befalls the next request of its operation, once. */
  function troubles(script: readonly (readonly [S3Operation, Trouble])[]) {
    const waiting = [...script];
    proxy.trouble = ({ operation }) => {
      const next = waiting.findIndex(([expected]) => expected === operation);
      return next < 0 ? undefined : waiting.splice(next, 1)[0]?.[1];
    };
    return waiting;
  }

  it('a full disk: the attempt leaves nothing, and the next one finds room', async () => {
    const changed = await changedTable('shop');
    await world.gate.close();
    const load = await world.begin(changed.table, 'second');
    await world.gate.reachedBy(1);
    // The device that is always full stands where the rows are about to be written.
    const staging = join(world.lake, '_staging/shop', changed.entity);
    await eventually(async () => {
      const [attempt] = await readdir(staging);
      assert.ok(attempt !== undefined);
      await symlink('/dev/full', join(staging, attempt, partName('part', 0, { attempt: 1 })));
    });
    await world.gate.open();
    await eventually(async () => assert.equal((await pendingLoad(load)).attempt, 2));
    assert.match((await pendingLoad(load)).lastFailure, /the disk is full — make room/);
    assert.deepEqual(
      (await allFiles(world.lake)).filter((path) => path.startsWith('_staging')),
      [],
    );
    await assertSound(changed, load, 2);
  });

  it('a bucket that is slow, throttles, cuts uploads and loses answers: one attempt', async () => {
    const changed = await changedTable('cloud');
    const left = troubles([
      ['CreateMultipartUpload', { kind: 'refuse', status: 503, code: 'SlowDown' }],
      ['UploadPart', { kind: 'cut' }],
      ['UploadPart', { kind: 'delay', milliseconds: 2_000 }],
      ['CompleteMultipartUpload', { kind: 'loseAnswer' }],
      ['PutObject', { kind: 'loseAnswer' }],
      ['PutObject', { kind: 'loseAnswer' }],
    ]);
    const load = await world.begin(changed.table, 'second', 'cloud');
    await assertSound(changed, load, 1);
    assert.deepEqual(left, []);
  });

  it('a bucket that is full: the attempt fails, and the next one finds room', async () => {
    const changed = await changedTable('cloud');
    troubles([['UploadPart', { kind: 'refuse', status: 507, code: 'InsufficientStorage' }]]);
    const load = await world.begin(changed.table, 'second', 'cloud');
    await assertSound(changed, load, 2);
  });

  it('a bucket that refuses: the load fails at once, and the next one leaves nothing', async () => {
    const changed = await changedTable('cloud');
    // Begun, and then neither continued nor aborted.
    proxy.trouble = ({ operation }) =>
      operation === 'UploadPart' || operation === 'AbortMultipartUpload'
        ? { kind: 'refuse', status: 403, code: 'AccessDenied' }
        : undefined;
    const refused = await world.begin(changed.table, 'second', 'cloud');
    await assert.rejects(refused.result(), (error) => {
      assert.ok(error instanceof WorkflowFailedError);
      assert.match(String(error.cause?.message), /access is denied — allow s3:ListBucket/);
      return true;
    });
    const history = await world.history();
    const [failed] = await history.events({
      pipeline: 'cloud',
      table: changed.table,
      kinds: ['FAILED'],
    });
    assert.equal(failed?.errorCode, 'PermissionDenied');
    assert.equal((await uploadsOf(changed)).length, 1);

    proxy.trouble = () => undefined;
    await assertSound(changed, await world.begin(changed.table, 'third', 'cloud'), 1);
  });

  it('a worker whose clock is an hour ahead: it waits for its turn, and loads', async () => {
    const changed = await changedTable('cloud');
    await world.gate.close();
    const punctual = await world.begin(changed.table, 'second', 'cloud');
    await world.gate.reachedBy(1);
    const ahead = await world.startWorker('embedded', {
      NODE_OPTIONS: `--require tsx/cjs --require ${join(__dirname, '../support/hour-ahead.ts')}`,
    });
    const early = await world.begin(changed.table, 'third', 'cloud');
    await eventually(async () => {
      const pending = await pendingLoad(early);
      assert.deepEqual(
        [pending.progress?.phase, pending.worker.split('@')[0]],
        ['waiting', String(ahead.pid)],
      );
    });
    await world.gate.open();
    await punctual.result();
    await early.result();
    assert.deepEqual(await changed.reader.stop(), [
      [ROWS, 1, 1],
      [ROWS, 2, 2],
      [ROWS, 2, 2],
    ]);
    assert.deepEqual(await uploadsOf(changed), []);
    assert.equal(await ahead.stop(), 0, ahead.log());
    assert.equal(worker.log().includes('LeaseLost'), false);
  });
});
