import assert from 'node:assert/strict';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import { createS3Store } from '../../src/destinations/parquet/s3-store';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { ComportaError } from '../../src/errors';
import { createLakeLeases } from '../../src/history/lake-leases';
import type { S3Connection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import type { NativeS3Service } from '../../scripts/services/s3';
import { crashContract } from '../support/crash-contract';
import { batches, column, type TestTable } from '../support/columns';
import { identityOf, load, paths, presentRows, shown } from '../support/loads';
import { publishingContract } from '../support/publishing-contract';
import { sharedMoto, sharedS3, uniqueName } from '../support/servers';

describe('a lake on S3', function () {
  this.timeout(180_000);

  let service: NativeS3Service;
  let client: S3Client;
  before(async () => {
    service = await sharedS3();
    client = new S3Client({
      endpoint: service.endpoint,
      region: service.region,
      forcePathStyle: true,
      credentials: service,
    });
  });
  after(() => client.destroy());

  const connection = (overrides: Partial<S3Connection> = {}): S3Connection => ({
    type: 's3',
    name: 'lake',
    bucket: service.bucket,
    prefix: uniqueName('lake/nested'),
    region: service.region,
    endpoint: service.endpoint,
    forcePathStyle: true,
    accessKeyId: { from: 'env', name: 'KEY' },
    secretAccessKey: { from: 'env', name: 'SECRET' },
    ...overrides,
  });
  const open = (overrides: Partial<S3Connection> = {}, secret = service.secretAccessKey) =>
    createS3Store(
      connection(overrides),
      localSecretStore({ KEY: service.accessKeyId, SECRET: secret }),
    );

  describe('publishing', () => publishingContract(() => Promise.resolve(open())));

  describe('a load that is interrupted', () => {
    const openOne = () => Promise.resolve(open());
    crashContract(openOne, { modes: ['full'] });
    crashContract(openOne, { modes: ['incremental'], lastings: ['forever'] });
  });

  /** About 25 MiB that do not compress, in parts of 5 MiB. */
  function large(): TestTable {
    const columns = [
      column('id', { kind: 'int', bits: 32, signed: true }),
      column('b', { kind: 'binary' }),
    ];
    const rows = Array.from({ length: 400 }, (_, i) => [i, Buffer.alloc(65_536, i)]);
    return { columns, rows };
  }

  const uploads = async () =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: service.bucket }))).Uploads ?? [];

  it('shows a large file whole at publication, and nothing of it before', async () => {
    const store = open();
    const destination = createParquetDestination(store, { compression: 'none' });
    const table = large();
    const state = await load(destination, {
      run: 'r1',
      table,
      assertOwner: async () => {
        assert.equal(await destination.published('sales', 'orders'), undefined);
        assert.deepEqual(await paths(store, 'raw/_current'), []);
      },
    });
    assert.ok((state.files[0]?.bytes ?? 0) > 25_000_000);
    assert.deepEqual(await presentRows(store, destination), shown(table));
    assert.deepEqual(await uploads(), []);
    await destination.close();
  });

  it('keeps an unpublished upload invisible and aborts it with its load', async () => {
    const store = open();
    const destination = createParquetDestination(store, { compression: 'none' });
    const table = large();
    const identity = identityOf({ run: 'r1', table });
    const failing = load(destination, {
      run: 'r1',
      table,
      assertOwner: () => Promise.reject(new ComportaError('LeaseLost', 'gone')),
    });
    await assert.rejects(failing, /gone/);
    assert.deepEqual(await paths(store, ''), []);
    assert.deepEqual(await uploads(), []);
    await destination.discard(identity);
    await destination.close();
  });

  it('sweeps the uploads of a process that was killed', async () => {
    const overrides = { prefix: uniqueName('killed') };
    const killed = createParquetDestination(open(overrides), {
      compression: 'none',
      rowGroupRows: 200,
    });
    const table = large();
    const writer = await killed.stage(identityOf({ run: 'r1', table }), table.columns);
    await load(createParquetDestination(open(overrides), { compression: 'none' }), {
      run: 'r0',
      table: { ...table, rows: [] },
    });
    for (const batch of batches(table, 100)) await writer.write(batch);
    assert.equal((await uploads()).length, 1);

    const store = open(overrides);
    const destination = createParquetDestination(store, { compression: 'none' });
    const rule = { runs: 3, days: 0 };
    await load(destination, { run: 'r1', attempt: 2, table });
    await destination.retain('sales', 'orders', rule);
    assert.deepEqual(await uploads(), []);
    assert.deepEqual(await presentRows(store, destination), shown(table));
    await destination.close();
  });

  it('refuses a wrong secret, bucket or port by name, and tells no credential', async () => {
    const cases: [ObjectStore, string, RegExp][] = [
      [open({}, 'wrong-secret'), 'AuthenticationFailed', /secret key is wrong — correct the cred/],
      [open({ bucket: 'no-such-bucket' }), 'ConfigurationInvalid', /bucket does not exist/],
      [
        open({ endpoint: 'http://127.0.0.1:9' }),
        'ConnectionFailed',
        /refused — check the endpoint/,
      ],
    ];
    for (const [store, code, message] of cases) {
      const error = await store.put('x', Buffer.of(1)).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ComportaError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      const told = `${error.stack} ${JSON.stringify(error)}`;
      for (const secret of ['wrong-secret', service.secretAccessKey, service.accessKeyId]) {
        assert.ok(!told.includes(secret));
      }
      const findings = await store.check();
      assert.equal(findings.length, 1);
      assert.match(findings[0]?.problem ?? '', message);
      await store.close();
    }
  });

  it('takes up keys that were put in the place of refused ones', async () => {
    const secrets = { KEY: service.accessKeyId, SECRET: 'old-secret' };
    const store = createS3Store(connection(), localSecretStore(secrets));
    const put = () => store.put('x', Buffer.of(1));
    const refused = (error: unknown) =>
      error instanceof ComportaError && error.code === 'AuthenticationFailed';
    await assert.rejects(put, refused);
    secrets.SECRET = service.secretAccessKey;
    await put();
    // They are not asked for again while they are good.
    secrets.SECRET = 'newer-secret';
    await put();
    await store.close();
  });

  it('has its objects encrypted with the connection’s key', async () => {
    const { endpoint, region } = await sharedMoto();
    const there = new S3Client({ endpoint, region, forcePathStyle: true, credentials: service });
    const bucket = uniqueName('encrypted').replace('_', '-');
    await there.send(new CreateBucketCommand({ Bucket: bucket }));
    const kmsKey = 'arn:aws:kms:us-east-1:123456789012:key/lake';
    const store = open({ endpoint, region, bucket, kmsKey });
    const destination = createParquetDestination(store, { compression: 'none' });
    await load(destination, { run: 'r1', table: large() });
    const written = await paths(store, '');
    assert.ok(written.some((path) => path.endsWith('.parquet')));
    for (const path of written) {
      const Key = `${store.description.split('/').slice(3).join('/')}/${path}`;
      const head = await there.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      assert.deepEqual([head.ServerSideEncryption, head.SSEKMSKeyId], ['aws:kms', kmsKey], path);
    }
    await destination.close();
    there.destroy();
  });

  it('keeps leases, each of which goes to one of many who ask at once', async () => {
    const lake = open();
    // At one moment, as two threads of one machine may ask.
    const leases = createLakeLeases(lake, () => Date.parse('2026-03-01T00:00:00Z'));
    const request = { pipeline: 'sales', table: 'orders', ttlMs: 60_000 };
    const owners = Array.from({ length: 8 }, (_, index) => `owner-${index}`);
    const fences = await Promise.all(owners.map((owner) => leases.take({ ...request, owner })));
    assert.equal(fences.filter((fence) => fence !== undefined).length, 1);
    const holder = await leases.holder('sales', 'orders');
    assert.equal(holder?.owner, owners[fences.findIndex((fence) => fence !== undefined)]);
    const again = owners.map(() => leases.take({ ...request, owner: holder?.owner ?? '' }));
    assert.equal(new Set(await Promise.all(again)).size, owners.length);
    assert.deepEqual([...(await leases.holders('sales')).keys()], ['orders']);
    await lake.close();
  });

  it('lists and deletes more objects than one page has', async () => {
    const store = open();
    const all = Array.from({ length: 1005 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    await Promise.all(all.map((path) => store.put(path, Buffer.of(1))));
    assert.deepEqual(await paths(store, 'many'), all);
    await store.delete([...all, 'many/absent']);
    assert.deepEqual(await paths(store, 'many'), []);
    await store.close();
  });
});
