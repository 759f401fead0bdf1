import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Destination } from '../../src/destinations/destination';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { ComportaError } from '../../src/errors';
import type { LogicalType } from '../../src/types/logical';
import { EVERY_TYPE, column, values, type TestTable, type Value } from '../support/columns';
import { duckdbRows, sqlString } from '../support/duckdb';
import { load, paths, presentRows, shown, viewRows } from '../support/loads';

const int = (bits: 8 | 16 | 32 | 64, signed = true): LogicalType => ({ kind: 'int', bits, signed });
const decimal = (precision: number, scale: number): LogicalType => ({
  kind: 'decimal',
  precision,
  scale,
});
const text: LogicalType = { kind: 'text' };

/** A table of `id` and further columns. */
function table(types: Record<string, LogicalType>, ...rows: readonly Value[][]): TestTable {
  const columns = Object.entries(types).map(([name, type]) => column(name, type));
  return { columns: [column('id', int(32)), ...columns], rows };
}

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ComportaError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

const REFUSED = Symbol('refused');

describe('merging loads into the present state', function () {
  this.timeout(120_000);

  let root: string;
  let store: ObjectStore;
  let destination: Destination;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'comporta-merge-'));
    store = createFileStore(root);
    destination = createParquetDestination(store, { compression: 'zstd' });
  });
  afterEach(async () => {
    await destination.close();
    await rm(root, { recursive: true });
  });

  const notes = (...rows: [number, string | null][]) => table({ note: text }, ...rows);
  const key = ['id'];

  describe('incremental', () => {
    it('begins as a full load', async () => {
      const state = await load(destination, {
        run: 'r1',
        mode: 'incremental',
        key,
        table: notes([1, 'a']),
      });
      assert.deepEqual([state.mode, state.rows], ['incremental', 1]);
      assert.deepEqual(await viewRows(store), shown(notes([1, 'a'])));
    });

    it('replaces rows by key, adds new ones and keeps the rest', async () => {
      await load(destination, { run: 'r1', table: notes([1, 'a'], [2, 'b'], [3, null]) });
      const state = await load(destination, {
        run: 'r2',
        mode: 'incremental',
        key,
        table: notes([2, 'B'], [4, 'd']),
      });
      const merged = notes([1, 'a'], [2, 'B'], [3, null], [4, 'd']);
      assert.deepEqual([state.rows, state.rowsWritten], [4, 2]);
      assert.deepEqual(await viewRows(store), shown(merged));
      // Only what the state names is left of the run, and nothing of its staging.
      assert.deepEqual(await paths(store, 'raw/sales/orders/ingestion_date=2026-01-02/run_id=r2'), [
        'raw/sales/orders/ingestion_date=2026-01-02/run_id=r2/merged-0000.parquet',
      ]);
      assert.deepEqual(await paths(store, '_staging'), []);
    });

    it('merges by several columns, one of them text that looks like another', async () => {
      const orders = (...rows: [number, string, string][]) =>
        table({ line: text, note: text }, ...rows);
      await load(destination, {
        run: 'r1',
        table: orders([1, 'a', 'x'], [1, 'A', 'y'], [1, 'a ', 'z']),
      });
      await load(destination, {
        run: 'r2',
        mode: 'incremental',
        key: ['line', 'id'],
        table: orders([1, 'a', 'new']),
      });
      assert.deepEqual(
        await viewRows(store),
        shown(orders([1, 'a', 'new'], [1, 'A', 'y'], [1, 'a ', 'z'])),
      );
    });

    it('takes a load without rows, onto rows and onto none', async () => {
      await load(destination, { run: 'r1', table: notes() });
      const empty = await load(destination, {
        run: 'r2',
        mode: 'incremental',
        key,
        table: notes(),
      });
      assert.deepEqual([empty.rows, empty.files.length], [0, 1]);
      assert.deepEqual(await viewRows(store), []);
      await load(destination, { run: 'r3', mode: 'incremental', key, table: notes([1, 'a']) });
      await load(destination, { run: 'r4', mode: 'incremental', key, table: notes() });
      assert.deepEqual(await viewRows(store), shown(notes([1, 'a'])));
    });

    it('writes several files when the outcome is large', async () => {
      const small = createParquetDestination(store, { compression: 'none', partBytes: 1_000_000 });
      const many = {
        ...notes(),
        rows: Array.from({ length: 300_000 }, (_, i) => [i, `${i} `.repeat(5)]),
      };
      await load(small, { run: 'r1', table: many });
      const state = await load(small, {
        run: 'r2',
        mode: 'incremental',
        key,
        table: notes([7, 'seven']),
      });
      assert.ok(state.files.length > 1);
      assert.equal(state.rows, 300_000);
      const [[count, seven] = []] = await duckdbRows(
        `SELECT count(DISTINCT id), max(note) FILTER (id = 7)
         FROM read_parquet([${state.files.map((file) => sqlString(join(root, file.path))).join(', ')}])`,
      );
      assert.deepEqual([count, seven], [300_000n, 'seven']);
    });

    it('refuses NULL in the key, a key that repeats, one that is not loaded, and none', async () => {
      await load(destination, { run: 'r0', table: notes([1, 'a']) });
      const attempt = (run: string, by: string[], rows: TestTable) =>
        load(destination, { run, mode: 'incremental', key: by, table: rows });
      await assert.rejects(
        attempt('r1', ['note'], notes([1, null], [2, 'b'])),
        failsWith('ConfigurationInvalid', /1 rows have NULL in key column note/),
      );
      await assert.rejects(
        attempt('r2', key, notes([1, 'a'], [1, 'b'])),
        failsWith('ConfigurationInvalid', /1 values of the key \(id\) occur more than once/),
      );
      await assert.rejects(
        attempt('r3', ['gone'], notes([1, 'a'])),
        failsWith('ConfigurationInvalid', /key column gone is not loaded/),
      );
      await assert.rejects(
        attempt('r4', [], notes([1, 'a'])),
        failsWith('ConfigurationInvalid', /needs a key/),
      );
      assert.deepEqual(await viewRows(store), shown(notes([1, 'a'])));
      assert.deepEqual(await paths(store, '_staging'), []);
    });

    it('refuses columns that differ in case alone', async () => {
      const hostile = table({ a: text, A: text }, [1, 'x', 'y']);
      await load(destination, { run: 'r1', table: hostile });
      await assert.rejects(
        load(destination, { run: 'r2', mode: 'incremental', key, table: hostile }),
        failsWith('ConfigurationInvalid', /"a" and "A" differ in case/),
      );
    });

    it('merges columns with hostile names, one of them the key', async () => {
      const hostile = (...rows: Value[][]): TestTable => ({
        columns: [column('a "b".c', int(32)), column("it's 🦦 %", text)],
        rows,
      });
      await load(destination, { run: 'r1', table: hostile([1, 'a'], [2, 'b']) });
      await load(destination, {
        run: 'r2',
        mode: 'incremental',
        key: ['a "b".c'],
        table: hostile([2, 'B']),
      });
      assert.deepEqual(await viewRows(store), shown(hostile([1, 'a'], [2, 'B'])));
    });

    it('keeps every value of every type, and its Parquet type', async () => {
      const types = Object.fromEntries(EVERY_TYPE.map((type, i) => [`c${i}`, type]));
      const cells = fc.tuple(...EVERY_TYPE.map((type) => fc.option(values(type), { nil: null })));
      const [old = [], fresh = []] = fc.sample(
        fc.array(cells, { minLength: 200, maxLength: 200 }),
        {
          numRuns: 2,
          seed: 12,
        },
      );
      const before = table(types, ...old.map((row, i) => [i, ...row]));
      const later = table(types, ...fresh.map((row, i) => [i + 100, ...row]));
      const first = await load(destination, { run: 'r1', table: before });
      const second = await load(destination, { run: 'r2', mode: 'incremental', key, table: later });
      const merged = {
        columns: before.columns,
        rows: [...before.rows.slice(0, 100), ...later.rows],
      };
      assert.deepEqual(await presentRows(store, destination), shown(merged));
      const described = (path: string) =>
        duckdbRows(
          `SELECT name, type, converted_type, precision, scale, coalesce(contains(logical_type, 'UTC=1'), false)
           FROM parquet_schema(${sqlString(join(root, path))})
           WHERE num_children IS NULL AND name NOT IN (${plainBigints(types)})`,
        );
      const [one, two] = [first.files[0]?.path ?? '', second.files[0]?.path ?? ''];
      assert.deepEqual(await described(two), await described(one));
    });
  });

  describe('append', () => {
    it('adds files to those that are there', async () => {
      const first = await load(destination, { run: 'r1', mode: 'append', table: notes([1, 'a']) });
      const second = await load(destination, { run: 'r2', mode: 'append', table: notes([1, 'a']) });
      assert.deepEqual(second.files.slice(0, 1), first.files);
      assert.equal(second.rows, 2);
      assert.deepEqual(await viewRows(store), shown(notes([1, 'a'], [1, 'a'])));
    });

    it('adds no file for a load without rows', async () => {
      const first = await load(destination, { run: 'r1', mode: 'append', table: notes([1, 'a']) });
      const second = await load(destination, { run: 'r2', mode: 'append', table: notes() });
      assert.deepEqual(second.files, first.files);
      assert.deepEqual(
        await paths(store, 'raw/sales/orders'),
        first.files.map((file) => file.path),
      );
    });

    it('leaves out rows whose key is already there', async () => {
      await load(destination, { run: 'r1', mode: 'append', key, table: notes([1, 'a'], [2, 'b']) });
      const state = await load(destination, {
        run: 'r2',
        mode: 'append',
        key,
        table: notes([2, 'changed'], [3, 'c']),
      });
      assert.deepEqual([state.files.length, state.rows, state.rowsWritten], [2, 3, 2]);
      assert.deepEqual(await viewRows(store), shown(notes([1, 'a'], [2, 'b'], [3, 'c'])));
      const repeated = await load(destination, {
        run: 'r3',
        mode: 'append',
        key,
        table: notes([3, 'c']),
      });
      assert.deepEqual(repeated.files, state.files);
    });

    it('shows NULL in old rows for a column that is new, without writing them again', async () => {
      const first = await load(destination, { run: 'r1', mode: 'append', table: notes([1, 'a']) });
      const wider = table({ note: text, size: int(64) }, [2, 'b', 5n]);
      const second = await load(destination, { run: 'r2', mode: 'append', table: wider });
      assert.deepEqual(second.files[0], first.files[0]);
      assert.deepEqual(
        await viewRows(store),
        shown({ ...wider, rows: [[1, 'a', null], ...wider.rows] }),
      );
    });

    it('lets a dropped column go for good, also when its name comes back', async () => {
      await load(destination, { run: 'r1', mode: 'append', table: notes([1, 'a']) });
      await load(destination, { run: 'r2', mode: 'append', table: table({}, [2]) });
      const back = table({ note: int(32) }, [3, 9]);
      const state = await load(destination, { run: 'r3', mode: 'append', table: back });
      assert.deepEqual(
        await viewRows(store),
        shown({
          ...back,
          rows: [
            [1, null],
            [2, null],
            [3, 9],
          ],
        }),
      );
      assert.equal(state.rows, 3);
    });

    it('writes old rows again under a column’s new type', async () => {
      await load(destination, {
        run: 'r1',
        mode: 'append',
        key,
        table: table({ n: int(32) }, [1, 5]),
      });
      const wider = table({ n: int(64) }, [1, 6n], [2, 2n ** 40n]);
      await load(destination, { run: 'r2', mode: 'append', key, table: wider });
      assert.deepEqual(
        await viewRows(store),
        shown({
          ...wider,
          rows: [
            [1, 5n],
            [2, 2n ** 40n],
          ],
        }),
      );
    });
  });

  describe('columns that changed their type', () => {
    const cases: [string, LogicalType, Value, LogicalType, Value | typeof REFUSED][] = [
      ['wider integer', int(16), -7, int(64), -7n],
      ['narrower integer that fits', int(64), 7n, int(8), 7],
      ['narrower integer that does not', int(64), 300n, int(8), REFUSED],
      ['signed to unsigned', int(64), -1n, int(64, false), REFUSED],
      ['integer to decimal', int(32), 12, decimal(10, 2), 1200n],
      ['decimal with more digits', decimal(10, 2), 123n, decimal(30, 4), 12300n],
      ['decimal with fewer, exact', decimal(10, 2), 120n, decimal(10, 1), 12n],
      ['decimal with fewer, rounded', decimal(10, 2), 123n, decimal(10, 1), REFUSED],
      ['decimal to text', decimal(10, 2), 120n, text, '1.20'],
      ['float to double', { kind: 'float' }, 0.5, { kind: 'double' }, 0.5],
      ['double to float, exact', { kind: 'double' }, 0.5, { kind: 'float' }, 0.5],
      ['double to float, rounded', { kind: 'double' }, 0.1, { kind: 'float' }, REFUSED],
      ['double to decimal', { kind: 'double' }, 0.5, decimal(10, 2), REFUSED],
      ['boolean to integer', { kind: 'boolean' }, true, int(8), 1],
      ['integer to boolean', int(8), 2, { kind: 'boolean' }, REFUSED],
      ['text to integer', text, '7', int(32), REFUSED],
      ['JSON to text', { kind: 'json' }, '{ "a":1 }', text, '{ "a":1 }'],
      ['day to timestamp', { kind: 'date' }, 1, { kind: 'timestamp', utc: false }, 86_400_000_000n],
      ['timestamp to day', { kind: 'timestamp', utc: false }, 1n, { kind: 'date' }, REFUSED],
      [
        'wall clock to instant',
        { kind: 'timestamp', utc: false },
        1n,
        { kind: 'timestamp', utc: true },
        REFUSED,
      ],
    ];
    for (const [name, from, value, to, expected] of cases) {
      it(`${name}: ${expected === REFUSED ? 'refused' : 'kept'}`, async () => {
        const later = table({ v: to }, [2, null]);
        await load(destination, { run: 'r1', table: table({ v: from }, [1, value], [3, null]) });
        const merging = load(destination, { run: 'r2', mode: 'incremental', key, table: later });
        if (expected === REFUSED) {
          await assert.rejects(merging, failsWith('SchemaChanged', /column v was .* reset/));
          assert.equal((await destination.published('sales', 'orders'))?.run, 'r1');
        } else {
          await merging;
          const rows = [
            [1, expected],
            [2, null],
            [3, null],
          ];
          assert.deepEqual(await viewRows(store), shown({ ...later, rows }));
        }
      });
    }

    it('drops, adds and reorders columns', async () => {
      await load(destination, { run: 'r1', table: table({ a: text, b: text }, [1, 'a', 'b']) });
      const later = table({ c: { kind: 'uuid' }, a: text }, [2, Buffer.alloc(16, 7), 'A']);
      await load(destination, { run: 'r2', mode: 'incremental', key, table: later });
      assert.deepEqual(
        await viewRows(store),
        shown({ ...later, rows: [[1, null, 'a'], ...later.rows] }),
      );
    });
  });

  it('stops a merge that is cancelled, and leaves the old state', async () => {
    await load(destination, { run: 'r1', table: notes([1, 'a']) });
    const controller = new AbortController();
    const cancelling = createParquetDestination(
      {
        ...store,
        localCopy: (path, workspace) => {
          controller.abort(new Error('cancelled by the test'));
          return store.localCopy(path, workspace);
        },
      },
      { compression: 'zstd' },
    );
    const merging = load(cancelling, {
      run: 'r2',
      mode: 'incremental',
      key,
      table: notes([1, 'x']),
      signal: controller.signal,
    });
    await assert.rejects(merging, /cancelled by the test/);
    assert.equal((await destination.published('sales', 'orders'))?.run, 'r1');
    assert.deepEqual(await paths(store, '_staging'), []);
    assert.ok((await paths(store, 'raw')).every((path) => !path.includes('r2')));
  });
});

/** Durations, to which DuckDB's writer adds the annotation that says 64 bits, signed. */
function plainBigints(types: Record<string, LogicalType>): string {
  const names = Object.entries(types).filter(([, type]) => type.kind === 'duration');
  return names.map(([name]) => sqlString(name)).join(', ');
}
