import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Source } from '../../src/sources/source';
import { typeName } from '../../src/types/logical';
import { canonical } from '../support/columns';
import { readTable } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { TYPE_CASES, TYPE_DEFINITIONS, type TypeCase } from '../sources/postgres/type-cases';

interface RandomTable {
  readonly columns: readonly TypeCase[];
  /** For each row and column which of the type's values it has; NULL where it is undefined. */
  readonly rows: readonly (readonly (number | undefined)[])[];
}

/** A domain that is NOT NULL takes none. */
const takesNull = ({ type }: TypeCase) => type !== 'fair_price';

function randomTable(cases: readonly TypeCase[]): fc.Arbitrary<RandomTable> {
  const columns = fc.array(fc.constantFrom(...cases), { minLength: 1, maxLength: 30 });
  return columns.chain((chosen) =>
    fc.record({
      columns: fc.constant(chosen),
      rows: fc.array(
        fc.tuple(
          ...chosen.map((one) => {
            const value = fc.nat({ max: one.values.length - 1 });
            return takesNull(one) ? fc.option(value, { nil: undefined, freq: 3 }) : value;
          }),
        ),
        { maxLength: 40 },
      ),
    }),
  );
}

for (const version of VERSIONS) {
  describe(`tables of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await sharedServer(version);
      await server.sql(TYPE_DEFINITIONS);
      source = server.source();
    });
    after(() => server.stop());

    it('arrive as they were, whatever their columns', async () => {
      const cases = TYPE_CASES.filter(({ since = 13 }) => version >= since);
      await fc.assert(
        fc.asyncProperty(randomTable(cases), async ({ columns, rows }) => {
          const definitions = columns.map(({ type }, index) => `"c ${index}""?" ${type}`);
          const insert = rows.map((row, number) => {
            const values = row.map((value, index) => {
              const { type, values: known } = columns[index]!;
              return value === undefined ? 'NULL' : `(${known[value]![0]})::${type}`;
            });
            return `(${[number, ...values].join(', ')})`;
          });
          await server.sql(
            `DROP TABLE IF EXISTS any_table; CREATE TABLE any_table (${['row_number int', ...definitions].join(', ')})`,
          );
          if (rows.length > 0)
            await server.sql(`INSERT INTO any_table VALUES ${insert.join(', ')}`);

          const read = await readTable(source, 'public.any_table');
          assert.deepEqual(
            read.columns.slice(1).map(({ type }) => typeName(type)),
            columns.map(({ logical }) => logical),
          );
          const expected = rows.map((row, number) => [
            number,
            ...row.map((value, index) =>
              value === undefined ? null : columns[index]!.values[value]![1],
            ),
          ]);
          assert.deepEqual(
            read.rows.map((row) => row.map(canonical)),
            expected.map((row) => row.map(canonical)),
          );
          const invalid = rows.flatMap((row) =>
            row.filter((value, index) => {
              return value !== undefined && columns[index]!.values[value]![1] === null;
            }),
          );
          assert.equal(read.statistics.invalidValues, invalid.length);
        }),
        { seed: 20_261_121, numRuns: 40 },
      );
    });

    it('arrive with as many columns as a table can have', async () => {
      const cases = TYPE_CASES.filter(
        ({ type }) => type === 'integer' || type === 'text' || type === 'numeric(12,2)',
      );
      const columns = Array.from({ length: 1500 }, (_, index) => cases[index % cases.length]!);
      const value = (index: number, row: number) =>
        (index + row) % 7 < 5 ? null : columns[index]!.values[row % columns[index]!.values.length]!;
      await server.sql(
        `CREATE TABLE broad (${columns.map(({ type }, index) => `c${index} ${type}`).join(', ')})`,
      );
      const rows = [0, 1, 2, 3, 4];
      for (const row of rows) {
        const values = columns.map(({ type }, index) => {
          const chosen = value(index, row);
          return chosen === null ? 'NULL' : `(${chosen[0]})::${type}`;
        });
        await server.sql(`INSERT INTO broad VALUES (${values.join(', ')})`);
      }
      const read = await readTable(source, 'public.broad');
      assert.deepEqual(
        read.rows.map((row) => row.map(canonical)),
        rows.map((row) => columns.map((_, index) => canonical(value(index, row)?.[1]))),
      );
    });
  });
}
