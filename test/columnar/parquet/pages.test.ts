import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import type { ParquetOptions } from '../../../src/columnar/parquet/writer';
import type { LogicalType } from '../../../src/types/logical';
import { canonicalRows, column, type TestTable, type Value } from '../../support/columns';
import { duckdbRows, sqlString } from '../../support/duckdb';
import { chunksOf, parquetFile } from '../../support/parquet-files';

const memory = new KernelMemory();

const TEXT = { kind: 'text' } as const;
const INT32 = { kind: 'int', bits: 32, signed: true } as const;
const INT64 = { kind: 'int', bits: 64, signed: true } as const;
const UINT64 = { kind: 'int', bits: 64, signed: false } as const;
const MIB = 1024 * 1024;
const BoundaryOrder = { unordered: 0, ascending: 1, descending: 2 } as const;

function oneColumn(type: LogicalType, rows: number, cell: (row: number) => Value): TestTable {
  return {
    columns: [column('v', type)],
    rows: Array.from({ length: rows }, (_, row) => [cell(row)]),
  };
}

function file(table: TestTable, options: Partial<ParquetOptions> = {}): Promise<Buffer> {
  return parquetFile(table, { compression: 'zstd', ...options, memory });
}

/** 32 bits that tell little of the row. */
function scattered(row: number): number {
  const mixed = Math.imul(row ^ (row >>> 7), 2_654_435_761);
  return Math.imul(mixed ^ (mixed >>> 15), 2_246_822_519) >>> 0;
}

describe('pages', function () {
  this.timeout(120_000);

  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-pages-'));
    path = join(folder, 'a.parquet');
  });
  after(() => rm(folder, { recursive: true }));

  async function encodingsOf(bytes: Buffer): Promise<unknown> {
    await writeFile(path, bytes);
    const rows = await duckdbRows(`SELECT encodings FROM parquet_metadata(${sqlString(path)})`);
    return rows[0]?.[0];
  }

  it('hold indexes where numbers repeat without order, and numbers where they rise', async () => {
    const keys = oneColumn(INT64, 60_000, (row) => BigInt(scattered(row) % 12_289) << 20n);
    assert.match(String(await encodingsOf(await file(keys))), /RLE_DICTIONARY/);
    // Each four times, as the lines of an order.
    const rising = oneColumn(INT64, 60_000, (row) => BigInt(row >> 2) * 8n);
    const bytes = await file(rising);
    assert.doesNotMatch(String(await encodingsOf(bytes)), /DICTIONARY/);
    assert.ok(bytes.length < 30_000, `${bytes.length} bytes`);
  });

  it('that are given up stay small, however long the values', async () => {
    // They repeat for long, before there are too many of them for a dictionary.
    const value = (row: number) => `${row < 15_000 ? row % 1000 : row} `.padEnd(900, 'x');
    const table = oneColumn(TEXT, 20_000, value);
    const [chunk] = chunksOf(await file(table, { compression: 'none' }));
    const largest = Math.max(...chunk!.pages.map(({ bytes }) => bytes));
    assert.ok(largest < 10 * MIB, `${largest} bytes`);
  });

  it('keep every value where the dictionary is given up, in any place', async () => {
    // No dictionary takes a value of more than 1024 bytes.
    const value = fc.oneof(
      { weight: 60, arbitrary: fc.constantFrom('', 'a', 'b', 'the same', 'the same too') },
      { weight: 1, arbitrary: fc.constantFrom('x'.repeat(1024), 'x'.repeat(1025)) },
      { weight: 5, arbitrary: fc.constant(null) },
    );
    const sizes = fc.record({
      pageRows: fc.integer({ min: 1, max: 80 }),
      rowGroupRows: fc.integer({ min: 20, max: 400 }),
      pageBytes: fc.integer({ min: 40, max: 4000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 500 }), sizes, async (values, options) => {
        const table = oneColumn(TEXT, values.length, (row) => values[row]!);
        await writeFile(path, await file(table, options));
        const rows = await duckdbRows(`FROM read_parquet(${sqlString(path)})`);
        assert.deepEqual(canonicalRows(rows), canonicalRows(table.rows));
      }),
      { seed: 41, numRuns: 60 },
    );
  });

  describe('say whether their bounds rise', () => {
    const nearTop = 2n ** 64n - 4000n;
    const cases: readonly (readonly [string, LogicalType, (row: number) => Value, number])[] = [
      ['numbers', INT32, (row) => row - 1500, BoundaryOrder.ascending],
      ['unsigned numbers', UINT64, (row) => nearTop + BigInt(row), BoundaryOrder.ascending],
      ['repeating numbers', INT64, (row) => BigInt(row >> 8), BoundaryOrder.ascending],
      ['texts', TEXT, (row) => String(row).padStart(5, '0'), BoundaryOrder.ascending],
      ['numbers and NULLs', INT32, (row) => (row < 900 ? null : row), BoundaryOrder.ascending],
      ['falling dates', { kind: 'date' }, (row) => -row, BoundaryOrder.descending],
      ['numbers as texts', TEXT, (row) => String(row), BoundaryOrder.unordered],
      ['numbers that fall once', INT32, (row) => row % 2000, BoundaryOrder.unordered],
      [
        'ranges within each other',
        INT32,
        (row) => (row % 2 === 0 ? row : 10_000 - row),
        BoundaryOrder.unordered,
      ],
      [
        'wide decimals about zero',
        { kind: 'decimal', precision: 30, scale: 2 },
        (row) => BigInt(row - 1500),
        BoundaryOrder.ascending,
      ],
    ];
    for (const [name, type, cell, expected] of cases) {
      it(name, async () => {
        const chunks = chunksOf(await file(oneColumn(type, 3000, cell), { pageRows: 100 }));
        assert.deepEqual(
          chunks.map(({ boundaryOrder, pages }) => [boundaryOrder, pages.length]),
          [[expected, 30]],
        );
      });
    }
  });
});
