import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGcsStore } from '../../src/destinations/parquet/gcs-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { ComportaError, type ErrorCode } from '../../src/errors';
import type { GcsConnection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import { startGcs, type NativeGcsService } from '../../scripts/services/gcs';
import { freePort } from '../../scripts/services/network';
import { loopback } from '../../scripts/services/service';
import { crashContract } from '../support/crash-contract';
import { batches, column, type TestTable } from '../support/columns';
import { identityOf, load, paths, presentRows, shown } from '../support/loads';
import { publishingContract } from '../support/publishing-contract';
import { sharedGcs, uniqueName } from '../support/servers';
import { startS3Proxy, type S3Proxy, type Trouble } from '../support/s3-proxy';

describe('a lake on Google Cloud Storage', function () {
  this.timeout(180_000);

  let service: NativeGcsService;
  before(async () => {
    service = await sharedGcs();
  });

  const connection = (overrides: Partial<GcsConnection> = {}): GcsConnection => ({
    type: 'gcs',
    name: 'lake',
    bucket: service.bucket,
    prefix: uniqueName('lake/nested'),
    endpoint: service.endpoint,
    ...overrides,
  });
  const open = (overrides: Partial<GcsConnection> = {}) =>
    createGcsStore(connection(overrides), localSecretStore({}));

  describe('publishing', () => publishingContract(() => Promise.resolve(open())));

  describe('a load that is interrupted', () => {
    const openOne = () => Promise.resolve(open());
    crashContract(openOne, { modes: ['full', 'incremental'], lastings: ['forever'] });
  });

  /** About 17 MiB that do not compress, in three chunks. */
  function large(): TestTable {
    const columns = [
      column('id', { kind: 'int', bits: 32, signed: true }),
      column('b', { kind: 'binary' }),
    ];
    const rows = Array.from({ length: 280 }, (_, i) => [i, Buffer.alloc(65_536, i)]);
    return { columns, rows };
  }

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
    assert.ok((state.files[0]?.bytes ?? 0) > 17_000_000);
    assert.deepEqual(await presentRows(store, destination), shown(table));
    assert.deepEqual(await paths(store, '_staging'), []);
    await destination.close();
  });

  it('writes a large file beside the lake and leaves nothing of one that is given up', async () => {
    const store = open();
    const destination = createParquetDestination(store, { compression: 'none', rowGroupRows: 50 });
    const table = large();
    const identity = identityOf({ run: 'r1', table });
    const writer = await destination.stage(identity, table.columns);
    for (const batch of batches(table, 100)) await writer.write(batch);
    await writer.abort();
    assert.deepEqual(await paths(store, ''), []);

    const failing = load(destination, {
      run: 'r1',
      table,
      assertOwner: () => Promise.reject(new ComportaError('LeaseLost', 'gone')),
    });
    await assert.rejects(failing, /gone/);
    assert.deepEqual(await paths(store, ''), []);
    await destination.close();
  });

  it('sweeps what a process staged that was killed, of all runs or of one', async () => {
    const store = open();
    const destination = createParquetDestination(store, { compression: 'none' });
    const table: TestTable = { ...large(), rows: [] };
    for (const run of ['r1', 'r2', 'r2.1']) {
      const writer = await destination.stage(identityOf({ run, table }), table.columns);
      await writer.finish();
    }
    const staged = () => paths(store, '_staging');
    assert.equal((await staged()).length, 3);
    await destination.discardRun({ domain: 'sales', entity: 'orders', run: 'r2' });
    assert.deepEqual(await staged(), [
      '_staging/sales/orders/r1.1/part-0000.parquet',
      '_staging/sales/orders/r2.1.1/part-0000.parquet',
    ]);
    await load(destination, { run: 'r3', table });
    await destination.retain('sales', 'orders', { runs: 3, days: 0 });
    assert.deepEqual(await staged(), []);
    await destination.close();
  });

  it('names a storage that is not there', async () => {
    const store = open({ endpoint: 'http://127.0.0.1:9' });
    const error = await store.put('x', Buffer.of(1)).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ComportaError);
    assert.equal(error.code, 'ConnectionFailed');
    assert.match(error.message, /refused — check the endpoint of connection "lake"/);
    await store.close();
  });

  it('lists and deletes many objects', async () => {
    const store = open();
    const all = Array.from({ length: 100 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    await Promise.all(all.map((path) => store.put(path, Buffer.of(1))));
    assert.deepEqual(await paths(store, 'many'), all);
    await store.delete(['many/0000', 'many/absent']);
    assert.deepEqual(await paths(store, 'many'), all.slice(1));
    await store.close();
  });

  describe('on a line that breaks', () => {
    let own: NativeGcsService;
    let proxy: S3Proxy;
    let store: ObjectStore;
    before(async () => {
      const port = await freePort();
      proxy = await startS3Proxy(`http://${loopback}:${port}`);
      // The addresses that it gives out for large files lead over the line, too.
      own = await startGcs({ port, extraArgs: [`-external-url=${proxy.endpoint}`] });
    });
    after(async () => {
      await proxy?.close();
      await own?.stop();
    });
    beforeEach(() => {
      store = open({ endpoint: proxy.endpoint, bucket: own.bucket });
    });
    afterEach(async () => {
      proxy.trouble = () => undefined;
      await store.close();
    });

    /** The first request whose target has this in it meets the trouble. */
    const firstOf = (part: string, trouble: ReturnType<S3Proxy['trouble']>) => {
      let met = 0;
      proxy.trouble = ({ target }) => {
        if (!target.includes(part)) return undefined;
        met += 1;
        return met === 1 ? trouble : undefined;
      };
      return () => met;
    };

    it('recognises its own document when the answer to its write was lost', async () => {
      const asked = firstOf('ifGenerationMatch', { kind: 'loseAnswer' });
      assert.equal(await store.replace('doc.json', Buffer.from('mine'), undefined), true);
      assert.equal(asked(), 2);
      const other = await store.replace('doc.json', Buffer.from('theirs'), undefined);
      assert.equal(other, false);
      assert.equal((await store.get('doc.json'))?.body.toString(), 'mine');
    });

    it('publishes once when the answer to putting a file in place was lost', async () => {
      const asked = firstOf('rewriteTo', { kind: 'loseAnswer' });
      const destination = createParquetDestination(store, { compression: 'none' });
      const table: TestTable = { ...large(), rows: large().rows.slice(0, 3) };
      await load(destination, { run: 'r1', table });
      assert.ok(asked() >= 2);
      assert.deepEqual(await presentRows(store, destination), shown(table));
      assert.deepEqual(await paths(store, '_staging'), []);
    });

    const failures: [string, Trouble, ErrorCode, RegExp][] = [
      ['is refused', { kind: 'refuse', status: 403, code: 'x' }, 'PermissionDenied', /denied/],
      [
        'is not answered',
        { kind: 'delay', milliseconds: 3_000 },
        'ConnectionFailed',
        /did not answer in time/,
      ],
    ];
    for (const [what, trouble, code, message] of failures) {
      it(`gives up a large file of which a chunk ${what}, and leaves nothing of it`, async () => {
        proxy.trouble = ({ target }) => (target.includes('upload_id=') ? trouble : undefined);
        const here = connection({ endpoint: proxy.endpoint, bucket: own.bucket });
        const impatient = createGcsStore(here, localSecretStore({}), { silenceMs: 1_000 });
        const destination = createParquetDestination(impatient, { compression: 'none' });
        const error = await load(destination, { run: 'r1', table: large() }).catch(
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof ComportaError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.deepEqual(await paths(impatient, ''), []);
      });
    }

    for (const trouble of [
      { kind: 'cut' },
      { kind: 'loseAnswer' },
      { kind: 'refuse', status: 503, code: 'backendError' },
    ] as const) {
      it(`goes on with a large file when a chunk meets ${trouble.kind}`, async () => {
        let chunks = 0;
        let arrived = 0;
        proxy.trouble = ({ target, headers: { 'content-range': range = '' } }) => {
          if (!target.includes('upload_id=')) return undefined;
          // How far it came, which fake-gcs-server takes for the end of the file
          // (fakestorage/upload.go, parseContentRange).
          if (range === 'bytes */*') {
            const headers = { Range: `bytes=0-${arrived - 1}` };
            return { kind: 'answer', status: 308, headers };
          }
          chunks += 1;
          const meets = chunks === 2 ? trouble : undefined;
          const [, last] = /-(\d+)\//.exec(range) ?? [];
          if (meets === undefined || meets.kind === 'loseAnswer') arrived = Number(last) + 1;
          return meets;
        };
        const destination = createParquetDestination(store, { compression: 'none' });
        const table = large();
        const { files } = await load(destination, { run: 'r1', table });
        assert.ok(chunks >= 3, `${chunks} chunks`);
        assert.equal(files[0]?.bytes, arrived);
        assert.deepEqual(await presentRows(store, destination), shown(table));
      });
    }
  });

  it('has its objects encrypted with the connection’s key, copies too', async () => {
    const asked: URLSearchParams[] = [];
    const kmsKey = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
    const proxy = await startS3Proxy(service.endpoint);
    proxy.trouble = ({ target }) => {
      const { pathname, searchParams } = new URL(target, 'http://gcs');
      const writes = pathname.startsWith('/upload/') || pathname.includes('/rewriteTo/');
      if (writes && !searchParams.has('upload_id')) asked.push(searchParams);
      return undefined;
    };
    const store = open({ endpoint: proxy.endpoint, kmsKey });
    try {
      const destination = createParquetDestination(store, { compression: 'none' });
      await load(destination, { run: 'r1', table: large() });
      await store.replace('doc.json', Buffer.from('{}'), undefined);
    } finally {
      await proxy.close();
    }
    const kinds = asked.map((query) => query.get('uploadType') ?? 'copy');
    for (const kind of ['resumable', 'multipart', 'copy']) assert.ok(kinds.includes(kind), kind);
    for (const query of asked) {
      assert.equal(query.get('kmsKeyName') ?? query.get('destinationKmsKeyName'), kmsKey);
    }
  });

  describe('credentials by reference', () => {
    /** Gives out tokens, or refuses to, as an external account's file says where. */
    let tokens: Server;
    const asked: string[] = [];
    before(async () => {
      tokens = createServer(({ url = '' }, response) => {
        asked.push(url);
        const isGranted = url === '/grant';
        response.writeHead(isGranted ? 200 : 400, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            isGranted
              ? { access_token: 'ya29.hunter2', token_type: 'Bearer', expires_in: 3600 }
              : { error: 'invalid_grant', error_description: 'hunter2' },
          ),
        );
      });
      tokens.listen(0, loopback);
      await once(tokens, 'listening');
    });
    after(() => tokens.close());

    const account = (path: string) =>
      JSON.stringify({
        type: 'external_account',
        audience:
          '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `http://${loopback}:${(tokens.address() as AddressInfo).port}${path}`,
        credential_source: { file: __filename },
      });

    it('are used, and others in their place after they were refused; none is told', async () => {
      const secrets = { KEY: 'hunter2, no JSON' };
      const store = createGcsStore(
        // Nobody listens there: whoever comes so far has a token.
        connection({
          endpoint: 'https://127.0.0.1:9',
          credentials: { from: 'env', name: 'KEY' },
        }),
        localSecretStore(secrets),
      );
      const failed = async () => {
        const error = await store.put('x', Buffer.of(1)).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof ComportaError, String(error));
        assert.ok(!`${error.stack} ${String(error.cause)}`.includes('hunter2'));
        return error;
      };
      const unread = await failed();
      assert.equal(unread.code, 'ConfigurationInvalid');
      assert.match(unread.message, /connection "lake" \(env:KEY\) are no key file/);

      secrets.KEY = account('/refuse');
      assert.equal((await failed()).code, 'AuthenticationFailed');
      assert.deepEqual(asked, ['/refuse']);

      secrets.KEY = account('/grant');
      const unreachable = await failed();
      assert.equal(unreachable.code, 'ConnectionFailed');
      assert.match(unreachable.message, /connection was refused/);
      assert.ok(asked.includes('/grant'));
      await store.close();
    });
  });
});
