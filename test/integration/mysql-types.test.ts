import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ReadPlan } from '../../src/sources/source';
import { typeName } from '../../src/types/logical';
import {
  createTestDatabase,
  readAll,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { FULL_LOAD } from '../support/table-settings';
import { BOTH, MARIADB_ONLY, MYSQL_ONLY } from '../sources/mysql/type-cases';

const SEED = { seed: 20_240_229, numRuns: 60 };

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: types`, () => {
    const cases = [...BOTH, ...(mariadb ? MARIADB_ONLY : MYSQL_ONLY)];
    let database: TestDatabase;
    let plan: ReadPlan;
    let rows: unknown[][];

    // One column per case. The first row is NULL throughout, row n has each case's n-th value.
    before(async () => {
      database = await createTestDatabase(await service());
      const columns = cases.map(({ type }, index) => `c${index} ${type}`);
      const height = Math.max(...cases.map(({ values }) => values.length));
      await database.run(
        `CREATE TABLE typed (id int PRIMARY KEY, ${columns.join(', ')})`,
        'INSERT INTO typed (id) VALUES (0)',
        ...Array.from({ length: height }, (_, index) => {
          const values = cases.map((each) => each.values[index]?.[0] ?? 'NULL');
          return `INSERT INTO typed VALUES (${[index + 1, ...values].join(', ')})`;
        }),
      );
      const table = await database.table('typed');
      plan = await withSnapshot(database.source, table, (snapshot) =>
        Promise.resolve(snapshot.plan(FULL_LOAD)),
      );
      rows = await readAll(database.source, table);
    });
    after(() => database.drop());

    cases.forEach(({ type, logical, values }, index) => {
      it(`reads ${type} as ${logical}`, () => {
        const spec = plan.columns[index + 1]!;
        assert.equal(typeName(spec.type), logical);
        assert.equal(spec.nullable, true);
        const read = rows.map((row) => row[index + 1]).slice(0, values.length + 1);
        assert.deepEqual(read, [null, ...values.map(([, expected]) => expected)]);
      });
    });

    it('keeps any value of the types that have many', async () => {
      await database.run(
        `CREATE TABLE random_values (
           id int PRIMARY KEY, i bigint, u bigint unsigned, d decimal(38,10), f float, g double,
           b bit(64), day date, at datetime(6), span time(6), t varchar(200) CHARACTER SET utf8mb4, bin varbinary(50))`,
      );
      const nines = 10n ** 38n - 1n;
      const row = fc.record({
        i: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        u: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        d: fc.bigInt({ min: -nines, max: nines }),
        f: fc.float({ noNaN: true, noDefaultInfinity: true }),
        g: fc.double({ noNaN: true, noDefaultInfinity: true }),
        b: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        day: fc.integer({ min: -719_162, max: 2_932_896 }),
        at: fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
        span: fc.bigInt({ min: -3_020_399_000_000n, max: 3_020_399_000_000n }),
        t: fc.string({ unit: 'binary', maxLength: 40 }),
        bin: fc.uint8Array({ maxLength: 50 }),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.option(row), { minLength: 1, maxLength: 20 }),
          async (rows) => {
            await database.run(
              'DELETE FROM random_values',
              `INSERT INTO random_values VALUES ${rows
                .map((values, index) => `(${index}, ${values === null ? nulls : literals(values)})`)
                .join(', ')}`,
            );
            const read = await readAll(database.source, await database.table('random_values'));
            assert.deepEqual(
              read,
              rows.map((values, index) => [index, ...expected(values, mariadb)]),
            );
          },
        ),
        SEED,
      );
    });
  });
}

interface RandomRow {
  i: bigint;
  u: bigint;
  d: bigint;
  f: number;
  g: number;
  b: bigint;
  day: number;
  at: bigint;
  span: bigint;
  t: string;
  bin: Uint8Array;
}

const nulls = Array.from({ length: 11 }, () => 'NULL').join(', ');

function literals(row: RandomRow): string {
  const hex = (bytes: Uint8Array) =>
    bytes.length === 0 ? "''" : `x'${Buffer.from(bytes).toString('hex')}'`;
  const text = row.t === '' ? "''" : `_utf8mb4 x'${Buffer.from(row.t).toString('hex')}'`;
  const number = (value: number) => (Object.is(value, -0) ? '-0e0' : value.toExponential());
  return [
    row.i,
    row.u,
    decimalText(row.d, 10),
    number(row.f),
    number(row.g),
    `x'${row.b.toString(16).padStart(16, '0')}'`,
    `'${new Date(row.day * 86_400_000).toISOString().slice(0, 10)}'`,
    `'${timestampText(row.at)}'`,
    `'${durationText(row.span)}'`,
    text,
    hex(row.bin),
  ].join(', ');
}

function expected(row: RandomRow | null, mariadb: boolean): unknown[] {
  if (row === null) return Array.from({ length: 11 }, () => null);
  const zero = (value: number) => (mariadb && value === 0 ? 0 : value);
  return [
    row.i,
    row.u,
    row.d,
    zero(row.f),
    zero(row.g),
    row.b,
    row.day,
    row.at,
    row.span,
    row.t,
    Buffer.from(row.bin).toString('hex'),
  ];
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function timestampText(value: bigint): string {
  const millis = value / 1000n - (value % 1000n < 0n ? 1n : 0n);
  const rest = String(value - millis * 1000n).padStart(3, '0');
  return new Date(Number(millis)).toISOString().replace('T', ' ').replace('Z', rest);
}

function durationText(value: bigint): string {
  const magnitude = value < 0n ? -value : value;
  const part = (unit: bigint, size: bigint) => String((magnitude / unit) % size).padStart(2, '0');
  const fraction = String(magnitude % 1_000_000n).padStart(6, '0');
  return `${value < 0n ? '-' : ''}${part(3_600_000_000n, 1000n)}:${part(60_000_000n, 60n)}:${part(1_000_000n, 60n)}.${fraction}`;
}
