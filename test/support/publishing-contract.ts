import assert from 'node:assert/strict';
import type { Destination, StagedDataFile } from '../../src/destinations/destination';
import type { Manifest } from '../../src/destinations/parquet/manifest';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { ComportaError } from '../../src/errors';
import { batches, column, type TestTable } from './columns';
import { identityOf, load, paths, presentRows, shown, viaJson } from './loads';

const columns = [
  column('id', { kind: 'int', bits: 32, signed: true }),
  column('note', { kind: 'text' }),
];

function orders(...notes: readonly (string | null)[]): TestTable {
  return { columns, rows: notes.map((note, i) => [i + 1, note]) };
}

const failsWith = (code: string) => (error: unknown) =>
  error instanceof ComportaError && error.code === code;

const overLake = (store: ObjectStore): Destination =>
  createParquetDestination(store, { compression: 'zstd' });

/** What publishing means, whatever the store. `open` makes an empty lake, `create` a destination on it. */
export function publishingContract(
  open: () => Promise<ObjectStore>,
  create: (store: ObjectStore) => Destination = overLake,
): void {
  let store: ObjectStore;
  let destination: Destination;
  beforeEach(async () => {
    store = await open();
    destination = create(store);
  });
  afterEach(() => destination.close());

  it('shows nothing before, and the whole load after', async () => {
    assert.equal(await destination.published('sales', 'orders'), undefined);
    const table = orders('a', null, '');
    const state = await load(destination, { run: 'r1', table });
    assert.deepEqual(await destination.published('sales', 'orders'), state);
    assert.equal(state.rows, 3);
    assert.deepEqual(await presentRows(store, destination), shown(table));
    assert.deepEqual(await paths(store, 'raw'), [
      'raw/_current/sales/orders.json',
      'raw/_current/sales/orders/symlink_format_manifest/manifest',
      'raw/_manifests/ingestion_date=2026-01-02/run_id=r1/manifest.json',
      'raw/_views/sales/orders.sql',
      'raw/sales/orders/ingestion_date=2026-01-02/run_id=r1/part-0000.parquet',
    ]);
  });

  it('replaces the state with a full load and keeps the old files', async () => {
    const first = await load(destination, { run: 'r1', table: orders('a', 'b') });
    await load(destination, { run: 'r2', table: orders('c') });
    assert.deepEqual(await presentRows(store, destination), shown(orders('c')));
    for (const file of first.files) assert.ok(await store.get(file.path));
  });

  it('knows what waits, chunk by chunk, until it is discarded', async () => {
    const chunk = (number: number) => ({
      ...identityOf({ run: 'r1', table: orders() }),
      chunk: number,
    });
    const staged: StagedDataFile[] = [];
    for (const number of [0, 1]) {
      const writer = await destination.stage(chunk(number), columns);
      for (const batch of batches(orders('a'), 10)) await writer.write(batch);
      staged.push(...viaJson(await writer.finish()));
      await destination.putNote(chunk(number), `chunk-${number}`, { number });
    }
    const waiting = () => Promise.all(staged.map((file) => destination.isStaged(file)));
    assert.deepEqual(await waiting(), [true, true]);
    await destination.discard(chunk(0));
    assert.deepEqual(await waiting(), [false, true]);
    assert.deepEqual(
      [...(await destination.notes(chunk(0)))],
      [
        ['chunk-0', { number: 0 }],
        ['chunk-1', { number: 1 }],
      ],
    );
    await destination.discardRun(chunk(0));
    assert.deepEqual(await waiting(), [false, false]);
    assert.deepEqual(await paths(store, 'raw'), []);
  });

  it('publishes a table without rows', async () => {
    const state = await load(destination, { run: 'r1', table: orders() });
    assert.deepEqual([state.rows, state.files.length], [0, 1]);
    assert.deepEqual(await presentRows(store, destination), []);
  });

  it('changes nothing when the run is already published', async () => {
    const first = await load(destination, { run: 'r1', table: orders('a') });
    const again = await load(destination, { run: 'r1', attempt: 2, table: orders('b', 'c') });
    assert.deepEqual(again, first);
    assert.deepEqual(await presentRows(store, destination), shown(orders('a')));
  });

  it('refuses an owner that a newer one has overtaken', async () => {
    await load(destination, { run: 'r2', table: orders('new'), fence: 8 });
    const stale = load(destination, { run: 'r1', table: orders('old'), fence: 7 });
    await assert.rejects(stale, failsWith('LeaseLost'));
    assert.deepEqual(await presentRows(store, destination), shown(orders('new')));
  });

  it('takes back what it placed when the lease is lost at the last moment', async () => {
    await load(destination, { run: 'r1', table: orders('a') });
    const before = await paths(store, 'raw');
    const refused = load(destination, {
      run: 'r2',
      table: orders('b'),
      assertOwner: () => Promise.reject(new ComportaError('LeaseLost', 'gone')),
    });
    await assert.rejects(refused, failsWith('LeaseLost'));
    assert.deepEqual(await paths(store, 'raw'), before);
    assert.deepEqual(await paths(store, '_staging'), []);
  });

  it('lets one of two publications that began from the same state win', async () => {
    await load(destination, { run: 'r0', table: orders('a') });
    // The second publishes while the first asks for its lease, which it still believes to have.
    const first = load(destination, {
      run: 'r1',
      fence: 5,
      table: orders('first'),
      assertOwner: async () => {
        const other = create(store);
        await load(other, { run: 'r2', fence: 6, table: orders('second') });
      },
    });
    await assert.rejects(first, failsWith('LeaseLost'));
    assert.deepEqual(await presentRows(store, destination), shown(orders('second')));
    assert.equal((await destination.published('sales', 'orders'))?.run, 'r2');
    assert.ok((await paths(store, 'raw')).every((path) => !path.includes('r1')));
  });

  it('keeps two attempts of one run apart, also when the older one wakes up late', async () => {
    const late = load(destination, {
      run: 'r1',
      attempt: 1,
      fence: 5,
      table: orders('from attempt 1'),
      assertOwner: async () => {
        const other = create(store);
        await load(other, { run: 'r1', attempt: 2, fence: 6, table: orders('from attempt 2') });
        throw new ComportaError('LeaseLost', 'gone');
      },
    });
    await assert.rejects(late, failsWith('LeaseLost'));
    assert.deepEqual(await presentRows(store, destination), shown(orders('from attempt 2')));
    const manifest = (await destination.getDocument(
      'raw/_manifests/ingestion_date=2026-01-02/run_id=r1/manifest.json',
    )) as Manifest;
    assert.equal(manifest.attempt, 2);
    assert.equal(
      manifest.entities[0]?.files[0]?.path.endsWith('part-0000-attempt-2.parquet'),
      true,
    );
  });

  it('refuses a place that belongs to another table', async () => {
    await load(destination, { run: 'r1', table: orders('a') });
    const identity = { ...identityOf({ run: 'r2', table: orders() }), table: 'other.orders' };
    const writer = await destination.stage(identity, columns);
    const files = await writer.finish();
    const publication = destination.publish({
      identity,
      mode: 'full',
      files,
      columns,
      key: [],
      token: { sourceTime: '', evidence: [] },
      rowsAtSource: 0,
      rowsWritten: 0,
      fence: 9,
      assertOwner: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
    await assert.rejects(publication, failsWith('ConfigurationInvalid'));
  });

  it('stops at a cancelled signal without a trace', async () => {
    const controller = new AbortController();
    controller.abort(new Error('cancelled'));
    const cancelled = load(destination, {
      run: 'r1',
      table: orders('a'),
      signal: controller.signal,
    });
    await assert.rejects(cancelled, /cancelled/);
    assert.deepEqual(await paths(store, 'raw'), []);
    assert.deepEqual(await paths(store, '_staging'), []);
  });

  it('says which file is damaged when what was placed is not what was written', async () => {
    const cut: ObjectStore = {
      ...store,
      open: async (path) => {
        const reader = await store.open(path);
        return { ...reader, bytes: reader.bytes - 1 };
      },
    };
    const damaged = create(cut);
    await assert.rejects(
      load(damaged, { run: 'r1', table: orders('a') }),
      failsWith('RowCountMismatch'),
    );
    assert.deepEqual(await paths(store, 'raw'), []);
  });

  it('refuses names that leave their folder or hide from readers', async () => {
    for (const entity of ['..', 'a/b', '_hidden', '.hidden', '', 'a*']) {
      await assert.rejects(
        load(destination, { run: 'r1', table: orders(), entity }),
        failsWith('ConfigurationInvalid'),
        entity,
      );
    }
  });

  it('tells in receipts of a few hundred bytes where staged files wait', async () => {
    const notes = Array.from({ length: 2000 }, (_, i) => `note ${i}`);
    const writer = await destination.stage(identityOf({ run: 'r1', table: orders() }), columns);
    for (const batch of batches(orders(...notes), 1000)) await writer.write(batch);
    const files = viaJson(await writer.finish());
    assert.deepEqual(files[0]?.nulls, [
      ['id', 0],
      ['note', 0],
    ]);
    assert.ok(JSON.stringify(files).length < 1000);
    await writer.abort();
  });

  it('removes what a process staged that died, and nothing of another attempt', async () => {
    const table = orders('a', 'b');
    const identities = [1, 2].map((attempt) => identityOf({ run: 'r1', attempt, table }));
    const staged: (readonly StagedDataFile[])[] = [];
    for (const identity of identities) {
      const writer = await destination.stage(identity, columns);
      for (const batch of batches(table, 1000)) await writer.write(batch);
      staged.push(viaJson(await writer.finish()));
    }
    const [dead, alive] = identities;
    assert.ok(dead && alive);
    await destination.discard(dead);
    await destination.discard(dead);

    const publish = (attempt: number) =>
      destination.publish({
        identity: identities[attempt] ?? alive,
        mode: 'full',
        files: staged[attempt] ?? [],
        columns,
        key: [],
        token: { sourceTime: '', evidence: [] },
        rowsAtSource: 2,
        rowsWritten: 2,
        fence: 1,
        assertOwner: () => Promise.resolve(),
        signal: new AbortController().signal,
      });
    await assert.rejects(publish(0), failsWith('DestinationFailed'));
    assert.equal((await publish(1)).rows, 2);
    assert.deepEqual(await presentRows(store, destination), shown(table));
    assert.deepEqual(await paths(store, '_staging'), []);
  });

  it('keeps documents beside the data', async () => {
    assert.equal(await destination.getDocument('_plans/shop/b1.json'), undefined);
    await destination.putDocument('_plans/shop/b1.json', { tables: 3 });
    assert.deepEqual(await destination.getDocument('_plans/shop/b1.json'), { tables: 3 });
  });

  it('keeps the first of documents that are to be written once', async () => {
    const path = '_plans/shop/once.json';
    const tries = Array.from({ length: 5 }, (_, index) =>
      destination.putDocumentOnce(path, { index }),
    );
    const [first, ...others] = await Promise.all(tries);
    assert.deepEqual(others, Array(4).fill(first));
    assert.deepEqual(await destination.putDocumentOnce(path, { index: 5 }), first);
    assert.deepEqual(await destination.getDocument(path), first);
  });

  it('finds nothing wrong with a folder that it may write to', async () => {
    assert.deepEqual(await destination.check(), []);
    assert.deepEqual(await paths(store, 'raw'), []);
    assert.deepEqual(await paths(store, '_staging'), []);
  });
}
