import assert from 'node:assert/strict';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { ComportaError } from '../../src/errors';
import type { LoadMode } from '../../src/pipeline/pipeline';
import { column, type TestTable } from './columns';
import { interruptedStore, type Interruption } from './interrupting-store';
import { load, paths, presentRows, shown } from './loads';

const columns = [
  column('id', { kind: 'int', bits: 32, signed: true }),
  column('note', { kind: 'text' }),
];
const before: TestTable = {
  columns,
  rows: [
    [1, 'a'],
    [2, 'b'],
  ],
};
const loaded: TestTable = {
  columns,
  rows: [
    [2, 'B'],
    [3, 'c'],
  ],
};

/** What each mode makes of `loaded` on top of `before`. */
const AFTER: Readonly<Record<LoadMode, TestTable>> = {
  full: loaded,
  incremental: {
    columns,
    rows: [
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ],
  },
  append: {
    columns,
    rows: [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
  },
};

async function loadOn(store: ObjectStore, mode: LoadMode, attempt: number): Promise<void> {
  const destination = createParquetDestination(store, { compression: 'snappy' });
  const key = mode === 'full' ? [] : ['id'];
  await load(destination, { run: 'r2', attempt, fence: attempt + 1, mode, key, table: loaded });
}

/** How many changes of the store a load takes. */
export async function changesOf(open: () => Promise<ObjectStore>, mode: LoadMode): Promise<number> {
  const { store, changes } = interruptedStore(await prepared(open), undefined);
  await loadOn(store, mode, 1);
  return changes();
}

async function prepared(open: () => Promise<ObjectStore>): Promise<ObjectStore> {
  const store = await open();
  await load(createParquetDestination(store, { compression: 'snappy' }), {
    run: 'r1',
    table: before,
  });
  return store;
}

interface Variants {
  readonly modes?: readonly LoadMode[];
  readonly lastings?: readonly Interruption['lasting'][];
}

/**
 * Interrupts a load at every change that it makes of the store, before or after the change took
 * effect, once or for good. Readers must then see the old state or the new one, whole; the next
 * attempt must succeed; and a retention afterwards leaves only what is in use or kept.
 */
export function crashContract(
  open: () => Promise<ObjectStore>,
  { modes = ['full', 'incremental', 'append'], lastings = ['forever', 'once'] }: Variants = {},
): void {
  for (const mode of modes) {
    for (const lasting of lastings) {
      for (const effect of ['before', 'after'] as const) {
        it(`${mode}, interrupted ${lasting} ${effect} each change`, async () => {
          const total = await changesOf(open, mode);
          assert.ok(total >= 8, `${total} changes`);
          for (let at = 0; at < total; at++) {
            await interruptedAt(await prepared(open), mode, { at, effect, lasting, interrupt });
          }
        });
      }
    }
  }
}

function interrupt(): never {
  throw new ComportaError('DestinationFailed', 'interrupted by the test');
}

async function interruptedAt(
  store: ObjectStore,
  mode: LoadMode,
  interruption: Interruption,
): Promise<void> {
  const broken = interruptedStore(store, interruption);
  await loadOn(broken.store, mode, 1).catch((error: unknown) => {
    assert.match(String(error), /interrupted by the test/);
  });
  await assertOldOrNew(store, mode, `change ${interruption.at}`);
  await assertRecovers(store, mode);
  await broken.release();
}

export async function assertOldOrNew(
  store: ObjectStore,
  mode: LoadMode,
  where: string,
): Promise<void> {
  const destination = createParquetDestination(store, { compression: 'snappy' });
  const state = await destination.published('sales', 'orders');
  const expected = state?.run === 'r1' ? before : AFTER[mode];
  assert.deepEqual(await presentRows(store, destination), shown(expected), where);
}

export async function assertRecovers(store: ObjectStore, mode: LoadMode): Promise<void> {
  await loadOn(store, mode, 2);
  const destination = createParquetDestination(store, { compression: 'snappy' });
  const state = await destination.published('sales', 'orders');
  assert.equal(state?.run, 'r2');
  assert.deepEqual(await presentRows(store, destination), shown(AFTER[mode]));

  await destination.retain('sales', 'orders', { runs: 0, days: 0 });
  const named = state.files.map((file) => file.path).toSorted();
  assert.deepEqual(await paths(store, 'raw/sales'), named);
  assert.deepEqual(await paths(store, '_staging'), []);
  const links = await store.get('raw/_current/sales/orders/symlink_format_manifest/manifest');
  assert.deepEqual(
    links?.body.toString().trim().split('\n').toSorted(),
    named.map((path) => store.uri(path)),
  );
}

export { before as stateBefore, loadOn };
