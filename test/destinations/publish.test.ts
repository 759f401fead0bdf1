import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Destination } from '../../src/destinations/destination';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import type { Manifest } from '../../src/destinations/parquet/manifest';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { column, type TestTable } from '../support/columns';
import { identityOf, load, paths, shown, viewRows } from '../support/loads';
import { publishingContract } from '../support/publishing-contract';

const columns = [
  column('id', { kind: 'int', bits: 32, signed: true }),
  column('note', { kind: 'text' }),
];

function orders(...notes: readonly (string | null)[]): TestTable {
  return { columns, rows: notes.map((note, i) => [i + 1, note]) };
}

describe('publishing to a lake in a folder', () => {
  let root: string;
  let store: ObjectStore;
  let destination: Destination;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'comporta-lake-'));
    store = createFileStore(root);
    destination = createParquetDestination(store, { compression: 'zstd' });
  });
  afterEach(async () => {
    await destination.close();
    await rm(root, { recursive: true });
  });

  publishingContract(() => Promise.resolve(store));

  it('lists each file with its size, rows and checksum, in manifest, state and symlink list', async () => {
    const small = createParquetDestination(store, {
      compression: 'none',
      partBytes: 2000,
      rowGroupRows: 100,
    });
    const table = orders(...Array.from({ length: 3500 }, (_, i) => `note ${i}`));
    const { files } = await load(small, { run: 'r1', table });
    assert.ok(files.length > 2);
    for (const file of files) {
      const body = await readFile(join(root, file.path));
      assert.equal(body.length, file.bytes);
      assert.equal(createHash('sha256').update(body).digest('hex'), file.sha256);
    }
    assert.equal(
      files.reduce((sum, file) => sum + file.rows, 0),
      3500,
    );
    const manifest = (await destination.getDocument(
      'raw/_manifests/ingestion_date=2026-01-02/run_id=r1/manifest.json',
    )) as Manifest;
    assert.deepEqual(manifest.entities[0]?.files, files);
    assert.deepEqual(manifest.entities[0]?.columns, columns);
    const links = await store.get('raw/_current/sales/orders/symlink_format_manifest/manifest');
    assert.equal(
      links?.body.toString(),
      files.map((file) => `file://${root}/${file.path}\n`).join(''),
    );
    assert.deepEqual(await viewRows(store), shown(table));
  });

  it('forgets staged files on abort and on discard, twice if need be', async () => {
    const identity = identityOf({ run: 'r1', table: orders() });
    const writer = await destination.stage(identity, columns);
    await writer.finish();
    await writer.abort();
    await writer.abort();
    await destination.discard(identity);
    assert.deepEqual(await readdir(join(root, '_staging/sales/orders')), []);
    assert.deepEqual(await paths(store, 'raw'), []);
  });

  it('quotes hostile names in the view', async () => {
    const hostile: TestTable = {
      columns: [column('a "b".c', { kind: 'text' }), column("it's 🦦", { kind: 'date' })],
      rows: [['x', 1]],
    };
    await load(destination, { run: 'r1', table: hostile, entity: 'order%20s%F0' });
    assert.deepEqual(await viewRows(store, 'order%20s%F0'), shown(hostile));
  });

  it('shows columns whose names differ in case alone', async () => {
    const table: TestTable = {
      columns: [column('a', { kind: 'text' }), column('A', { kind: 'text' })],
      rows: [['small', 'large']],
    };
    await load(destination, { run: 'r1', table });
    assert.deepEqual(await viewRows(store), [['"small"', '"large"']]);
  });

  it('finds a lake that is no folder, and says what to correct', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    const [finding, ...others] = await createFileStore(join(file, 'lake')).check();
    assert.deepEqual(others, []);
    assert.equal(finding?.severity, 'error');
    assert.match(finding?.problem ?? '', /a part of the path is a file/);
    assert.match(finding?.remedy ?? '', /correct the path of the connection/);
  });

  it('refuses a folder that query engines take for a pattern', () => {
    assert.throws(() => createFileStore('/srv/lake[1]'), /is a pattern/);
  });
});
