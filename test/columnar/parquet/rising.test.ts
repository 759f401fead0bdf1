import assert from 'node:assert/strict';
import fc from 'fast-check';
import { storageOf } from '../../../src/columnar/batch';
import { column, EVERY_TYPE, values, type TestTable, type Value } from '../../support/columns';
import { parquetFile, sortingColumns } from '../../support/parquet-files';

const UP_TO_64_BITS = EVERY_TYPE.filter((type) => storageOf(type).startsWith('fixed'));

/** The slow, obvious twin: the columns that a row group is sorted by. */
function risingColumns({ columns, rows }: TestTable): number[] {
  return columns.flatMap((_, i) => {
    const cells = rows.map((row) => row[i] ?? null);
    const rises = cells.every((cell, at) => cell !== null && (at === 0 || cells[at - 1]! <= cell));
    return rises ? [i] : [];
  });
}

/** Cells that rise, but for one that may be missing or stand elsewhere. */
function nearlyRising(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> {
  const rising = fc
    .array(value, { minLength: 12, maxLength: 12 })
    .map((cells) => cells.sort((one, other) => (one! < other! ? -1 : one! > other! ? 1 : 0)));
  const place = fc.nat({ max: 11 });
  const moved = fc.tuple(rising, place, place).map(([cells, from, to]) => {
    const [cell] = cells.splice(from, 1);
    return [...cells.slice(0, to), cell!, ...cells.slice(to)];
  });
  const missing = fc.tuple(rising, place).map(([cells, at]) => cells.with(at, null));
  return fc.oneof(rising, moved, missing);
}

describe('columns that a row group is sorted by', () => {
  it('are those without a value that is smaller than the one before, and no others', async () => {
    const table = fc
      .tuple(...UP_TO_64_BITS.map((type) => nearlyRising(values(type))))
      .map((columns) => columns[0]!.map((_, row) => columns.map((cells) => cells[row]!)));
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (rows, rowGroupRows, batchRows) => {
          const columns = UP_TO_64_BITS.map((type, i) => column(`c${i}`, type));
          const options = { compression: 'none', rowGroupRows, pageRows: 5 } as const;
          const groups = Array.from({ length: Math.ceil(rows.length / rowGroupRows) }, (_, i) =>
            rows.slice(i * rowGroupRows, (i + 1) * rowGroupRows),
          );
          assert.deepEqual(
            sortingColumns(await parquetFile({ columns, rows }, options, batchRows)),
            groups.map((group) => risingColumns({ columns, rows: group })),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are none that readers may order otherwise', async () => {
    const others = EVERY_TYPE.filter((type) => !UP_TO_64_BITS.includes(type));
    const columns = others.map((type, i) => column(`c${i}`, type));
    const rows = fc.sample(fc.tuple(...others.map(values)), { numRuns: 1, seed: 1 });
    assert.deepEqual(
      sortingColumns(await parquetFile({ columns, rows }, { compression: 'none' })),
      [[]],
    );
  });
});
