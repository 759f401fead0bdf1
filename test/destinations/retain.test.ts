import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Destination } from '../../src/destinations/destination';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import { retain } from '../../src/destinations/parquet/retain';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { batches, column, type TestTable } from '../support/columns';
import { identityOf, load, paths, shown, viewRows } from '../support/loads';

const DAY_MS = 24 * 60 * 60 * 1000;

function orders(...ids: readonly number[]): TestTable {
  return {
    columns: [column('id', { kind: 'int', bits: 32, signed: true })],
    rows: ids.map((id) => [id]),
  };
}

describe('retention of a table’s runs', () => {
  let root: string;
  let store: ObjectStore;
  let destination: Destination;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'comporta-retain-'));
    store = createFileStore(root);
    destination = createParquetDestination(store, { compression: 'zstd' });
  });
  afterEach(async () => {
    await destination.close();
    await rm(root, { recursive: true });
  });

  /** The runs whose data, and whose manifests, are there. */
  const kept = async () => {
    const runs = async (folder: string) =>
      (await paths(store, folder)).map((path) => /run_id=([^/]+)/.exec(path)?.[1]);
    return { data: await runs('raw/sales'), manifests: await runs('raw/_manifests') };
  };

  const loadDays = async (...days: readonly number[]) => {
    for (const day of days) {
      const ingestionDate = `2026-01-0${day}`;
      await load(destination, { run: `r${day}`, table: orders(day), ingestionDate });
    }
  };

  it('keeps the present run and as many as the rule says, newest first', async () => {
    await loadDays(1, 2, 3, 4, 5);
    const result = await destination.retain('sales', 'orders', { runs: 2, days: 0 });
    assert.deepEqual(result, { deletedRuns: 2 });
    assert.deepEqual(await kept(), { data: ['r3', 'r4', 'r5'], manifests: ['r3', 'r4', 'r5'] });
    assert.deepEqual(await viewRows(store), shown(orders(5)));
    assert.deepEqual(await destination.retain('sales', 'orders', { runs: 2, days: 0 }), {
      deletedRuns: 0,
    });
    assert.ok((await paths(store, 'raw')).every((path) => !path.includes('2026-01-01')));
  });

  it('keeps what is younger than the rule’s days, whatever its number', async () => {
    await loadDays(1, 2, 3);
    const rule = { runs: 0, days: 7 };
    const at = (days: number) => new Date(Date.now() + days * DAY_MS);
    assert.deepEqual(await retain(store, 'sales', 'orders', rule, at(6)), { deletedRuns: 0 });
    assert.deepEqual(await retain(store, 'sales', 'orders', rule, at(8)), { deletedRuns: 2 });
    assert.deepEqual((await kept()).data, ['r3']);
  });

  it('never deletes a run that an append still uses', async () => {
    for (const id of [1, 2, 3]) {
      await load(destination, { run: `r${id}`, mode: 'append', table: orders(id) });
    }
    assert.deepEqual(await destination.retain('sales', 'orders', { runs: 0, days: 0 }), {
      deletedRuns: 0,
    });
    assert.deepEqual(await viewRows(store), shown(orders(1, 2, 3)));
  });

  it('leaves other tables alone, also one whose name begins alike', async () => {
    await loadDays(1, 2);
    await load(destination, { run: 'x1', table: orders(1), entity: 'orders2' });
    await load(destination, { run: 'x2', table: orders(2), entity: 'orders2' });
    await destination.retain('sales', 'orders', { runs: 0, days: 0 });
    assert.deepEqual(await paths(store, 'raw/sales/orders2'), [
      'raw/sales/orders2/ingestion_date=2026-01-02/run_id=x1/part-0000.parquet',
      'raw/sales/orders2/ingestion_date=2026-01-02/run_id=x2/part-0000.parquet',
    ]);
  });

  it('deletes data without a manifest once no publication can still be at it', async () => {
    await loadDays(1);
    const orphan = join(
      root,
      'raw/sales/orders/ingestion_date=2026-01-01/run_id=dead/part-0000.parquet',
    );
    await mkdir(dirname(orphan), { recursive: true });
    await writeFile(orphan, 'x');
    await destination.retain('sales', 'orders', { runs: 0, days: 0 });
    assert.deepEqual((await kept()).data, ['dead', 'r1']);
    const longAgo = new Date(Date.now() - 2 * DAY_MS);
    await utimes(orphan, longAgo, longAgo);
    await destination.retain('sales', 'orders', { runs: 0, days: 0 });
    assert.deepEqual((await kept()).data, ['r1']);
  });

  it('removes whatever is staged for the table, and for no other one', async () => {
    const stage = async (run: string, attempt: number, entity = 'orders') => {
      const table = orders(1, 2, 3);
      const other = createParquetDestination(store, { compression: 'zstd' });
      const writer = await other.stage(identityOf({ run, attempt, table, entity }), table.columns);
      for (const batch of batches(table, 10)) await writer.write(batch);
      await writer.finish();
    };
    await stage('r1', 1);
    await stage('r2', 1);
    await stage('r1', 1, 'orders_old');
    await load(destination, { run: 'r1', attempt: 2, table: orders(1) });
    await destination.retain('sales', 'orders', { runs: 0, days: 0 });
    assert.deepEqual(await paths(store, '_staging'), [
      '_staging/sales/orders_old/r1.1/part-0000.parquet',
    ]);
  });

  it('brings a view up to date that a killed publication left behind', async () => {
    await loadDays(1);
    const old = await store.get('raw/_views/sales/orders.sql');
    await loadDays(2);
    await store.put('raw/_views/sales/orders.sql', old?.body ?? Buffer.of());
    assert.deepEqual(await viewRows(store), shown(orders(1)));
    await destination.retain('sales', 'orders', { runs: 3, days: 0 });
    assert.deepEqual(await viewRows(store), shown(orders(2)));
  });

  it('does nothing for a table that was never published', async () => {
    assert.deepEqual(await destination.retain('sales', 'orders', { runs: 0, days: 0 }), {
      deletedRuns: 0,
    });
  });
});
