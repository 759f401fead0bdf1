import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { TableSettings } from '../../src/pipeline/pipeline';
import { quoteIdentifier } from '../../src/sources/mysql/identifiers';
import { readSlowly } from '../sources/mysql/slow-reader';
import {
  createTestDatabase,
  readAll,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { FULL_LOAD } from '../support/table-settings';

/** SQL for values of a type, hostile ones often, and the type in SQL. */
interface ColumnKind {
  readonly type: string;
  readonly values: fc.Arbitrary<string>;
}

const hex = (bytes: Uint8Array) =>
  bytes.length === 0 ? "''" : `x'${Buffer.from(bytes).toString('hex')}'`;
const textOf = (text: string) => `CONVERT(${hex(Buffer.from(text))} USING utf8mb4)`;

function integer(type: string, minimum: bigint, maximum: bigint): ColumnKind {
  return { type, values: fc.bigInt({ min: minimum, max: maximum }).map(String) };
}

function decimal(precision: number, scale: number, suffix = ''): ColumnKind {
  const most = 10n ** BigInt(precision) - 1n;
  const digits = fc.oneof(
    fc.bigInt({ min: 0n, max: most }),
    fc.constantFrom(0n, 1n, most, 10n ** 9n % (most + 1n), 999_999_999n % (most + 1n)),
  );
  const values = fc.tuple(digits, fc.boolean()).map(([magnitude, negative]) => {
    const text = String(magnitude).padStart(scale + 1, '0');
    const point = text.length - scale;
    const sign = negative && suffix === '' ? '-' : '';
    return `${sign}${text.slice(0, point)}${scale === 0 ? '' : `.${text.slice(point)}`}`;
  });
  return { type: `decimal(${precision},${scale})${suffix}`, values };
}

const DAYS = [
  ...['0000-00-00', '2024-00-00', '2024-01-00', '2024-02-29', '2023-02-28', '0000-01-01'],
  ...['9999-12-31', '1000-01-01', '1969-12-31', '1970-01-01', '1900-02-28', '2000-02-29'],
];
const day = fc.oneof(
  fc.constantFrom(...DAYS),
  fc
    .integer({ min: -719_162, max: 2_932_896 })
    .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10)),
);
const part = (maximum: number, length = 2) =>
  fc.integer({ min: 0, max: maximum }).map((value) => String(value).padStart(length, '0'));
const clock = fc
  .tuple(
    fc.oneof(
      fc.constant('00:00:00'),
      fc.tuple(part(23), part(59), part(59)).map((parts) => parts.join(':')),
    ),
    fc.option(part(999_999, 6)),
  )
  .map(([time, fraction]) => (fraction === null ? time : `${time}.${fraction}`));
const moment = fc.tuple(day, clock).map(([date, time]) => `'${date} ${time}'`);
const instant = fc
  .integer({ min: 86_400, max: 2_147_000_000 })
  .map((seconds) => `'${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}'`);
const span = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 838 }), part(59), part(58), part(999_999, 6))
  .map(
    ([negative, ...[hours, minutes, seconds, micros]]) =>
      `'${negative ? '-' : ''}${hours}:${minutes}:${seconds}.${micros}'`,
  );
const anyText = fc.string({ unit: 'binary', maxLength: 30 }).map(textOf);
const someBytes = fc.uint8Array({ maxLength: 40 }).map(hex);
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 5e-324, Number.MAX_VALUE, 0.1, 1e15, 123456789.125),
);

const KINDS: readonly ColumnKind[] = [
  integer('tinyint', -128n, 127n),
  integer('tinyint unsigned', 0n, 255n),
  integer('smallint', -32768n, 32767n),
  integer('smallint(5) unsigned zerofill', 0n, 65535n),
  integer('mediumint', -(2n ** 23n), 2n ** 23n - 1n),
  integer('int', -(2n ** 31n), 2n ** 31n - 1n),
  integer('int(10) unsigned zerofill', 0n, 2n ** 32n - 1n),
  integer('bigint', -(2n ** 63n), 2n ** 63n - 1n),
  integer('bigint unsigned', 0n, 2n ** 64n - 1n),
  ...[1, 5, 9, 10, 12, 18, 19, 25, 38].flatMap((precision) => [
    decimal(precision, 0),
    decimal(precision, Math.min(precision, 30)),
    decimal(precision, precision >> 1),
  ]),
  decimal(15, 2, ' unsigned zerofill'),
  decimal(30, 4, ' unsigned zerofill'),
  decimal(65, 20),
  {
    type: 'float',
    values: double
      .map((value) => Math.fround(value))
      .filter(Number.isFinite)
      .map((value) => value.toExponential()),
  },
  { type: 'double', values: double.map((value) => value.toExponential()) },
  { type: 'bit(3)', values: fc.integer({ min: 0, max: 7 }).map(String) },
  { type: 'bit(64)', values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String) },
  {
    type: 'year',
    values: fc.oneof(fc.constant("'0000'"), fc.integer({ min: 1901, max: 2155 }).map(String)),
  },
  { type: 'date', values: day.map((text) => `'${text}'`) },
  { type: 'datetime', values: moment },
  { type: 'datetime(3)', values: moment },
  { type: 'datetime(6)', values: moment },
  { type: 'timestamp NULL', values: fc.oneof(instant, fc.constant("'0000-00-00'")) },
  { type: 'timestamp(6) NULL', values: instant },
  { type: 'time', values: span },
  { type: 'time(6)', values: span },
  { type: 'varchar(60)', values: anyText },
  { type: 'varchar(60) CHARACTER SET utf16', values: anyText },
  {
    type: 'longtext',
    values: fc.oneof(
      anyText,
      fc.integer({ min: 0, max: 70_000 }).map((length) => `REPEAT('x', ${length})`),
    ),
  },
  { type: "enum('a','ü','')", values: fc.constantFrom("'a'", "'ü'", "''", "'none'") },
  { type: "set('x','y','z')", values: fc.constantFrom("'x,z'", "''", "'y'") },
  { type: 'json', values: fc.constantFrom("'{}'", "'[1, null]'", '\'"😀"\'') },
  { type: 'varbinary(60)', values: someBytes },
  { type: 'binary(5)', values: fc.uint8Array({ maxLength: 5 }).map(hex) },
  {
    type: 'point',
    values: fc.constantFrom("ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1.5 0)')"),
  },
];

const MARIADB_KINDS: readonly ColumnKind[] = [
  { type: 'uuid', values: fc.uuid().map((uuid) => `'${uuid}'`) },
  { type: 'inet6', values: fc.ipV6().map((address) => `'${address}'`) },
];

interface Column extends ColumnKind {
  readonly nullable: boolean;
  readonly as: 'itself' | 'text' | 'masked';
}

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: the fast reader and its slow twin`, () => {
    const kinds = mariadb ? [...KINDS, ...MARIADB_KINDS] : KINDS;
    let database: TestDatabase;
    before(async () => {
      // Small batches, so that rows are cut at many places.
      const batch = { rows: 7, bytes: 64 * 1024 };
      database = await createTestDatabase(await service(), { batch });
    });
    after(() => database.drop());

    /** Reads a table in both ways; both may also refuse it with the same words. */
    async function assertSame(table: string, settings: Partial<TableSettings>): Promise<void> {
      const found = await database.table(table);
      const description = await withSnapshot(database.source, found, (snapshot) =>
        Promise.resolve(snapshot.description),
      );
      const driver = await database.session();
      const counts = [0, 0].map(() => ({ rows: 0, invalidValues: 0 }));
      const outcome = (reading: Promise<unknown>) => reading.catch((error: Error) => error.message);
      const slow = await outcome(readSlowly(driver, description, settings, counts[0]));
      const fast = await outcome(readAll(database.source, found, settings, {}, counts[1]));
      await driver.end();
      assert.deepEqual(fast, slow);
      if (Array.isArray(slow)) assert.equal(counts[1]!.invalidValues, counts[0]!.invalidValues);
    }

    it('agree on any table', async () => {
      const column: fc.Arbitrary<Column> = fc
        .record({
          kind: fc.constantFrom(...kinds),
          nullable: fc.boolean(),
          as: fc.constantFrom('itself', 'itself', 'itself', 'text', 'masked'),
        })
        .map(({ kind, ...rest }) => ({ ...kind, ...rest }));
      const table = fc.array(column, { minLength: 1, maxLength: 20 }).chain((columns) =>
        fc.record({
          columns: fc.constant(columns),
          rows: fc.array(
            fc.tuple(
              ...columns.map(({ nullable, values }) =>
                nullable ? fc.option(values, { nil: 'NULL', freq: 3 }) : values,
              ),
            ),
            { maxLength: 30 },
          ),
          invalidDates: fc.constantFrom('null' as const, 'text' as const, 'fail' as const),
        }),
      );
      await fc.assert(
        fc.asyncProperty(table, async ({ columns, rows, invalidDates }) => {
          const named = columns.map((each, index) => ({ ...each, name: `c ${index}\`?` }));
          const definitions = named.map(
            ({ name, type, nullable }) =>
              `${quoteIdentifier(name)} ${type}${nullable || type.endsWith(' NULL') ? '' : ' NOT NULL'}`,
          );
          await database.run(
            'DROP TABLE IF EXISTS twins',
            `CREATE TABLE twins (${definitions.join(', ')})`,
          );
          if (rows.length > 0) {
            await database.run(
              `INSERT INTO twins VALUES ${rows.map((values) => `(${values.join(', ')})`).join(', ')}`,
            );
          }
          const names = (as: Column['as']) =>
            named.filter((each) => each.as === as).map((each) => each.name);
          const mask = { method: 'partial', keepStart: 4, keepEnd: 3 } as const;
          await assertSame('twins', {
            ...FULL_LOAD,
            invalidDates,
            textColumns: names('text'),
            masks: Object.fromEntries(names('masked').map((each) => [each, mask])),
          });
        }),
        { seed: 20_261_121, numRuns: 120 },
      );
    }).timeout(180_000);

    it('agree on more columns than a byte of the NULL bitmap has, and on wide ones', async () => {
      const columns = Array.from({ length: 300 }, (_, index) => kinds[index % kinds.length]!);
      const row = (seed: number) =>
        columns.map(({ values }, index) =>
          (index * 7 + seed) % 5 === 0
            ? 'NULL'
            : fc.sample(values, { seed: seed + index, numRuns: 1 })[0]!,
        );
      await database.run(
        'DROP TABLE IF EXISTS broad',
        `CREATE TABLE broad (${columns.map(({ type }, index) => `c${index} ${type}${type.endsWith(' NULL') ? '' : ' NULL'}`).join(', ')}) ROW_FORMAT = DYNAMIC`,
        ...[1, 2, 3].map((seed) => `INSERT INTO broad VALUES (${row(seed).join(', ')})`),
      );
      await assertSame('broad', {});
    });

    it('agree on the columns of views, whose types may differ from what is sent', async () => {
      await database.run(
        'DROP TABLE IF EXISTS base',
        'CREATE TABLE base (i int, u int unsigned, s smallint, d decimal(10,3), f float, t varchar(10), at datetime)',
        `INSERT INTO base VALUES (1, 2, -3, 4.5, 0.1, 'x', '2024-01-02 03:04:05'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
        `CREATE OR REPLACE VIEW computed AS SELECT 1 AS one, 'a' AS a, NULL AS nothing, i + 1 AS i1, i * i AS ii,
           u - 1 AS u1, -s AS negative, d / 3 AS third, d * d AS dd, f * 2 AS ff, t = 'x' AS same, LENGTH(t) AS l,
           DATE(at) AS day, TIME(at) AS clock, at + INTERVAL 1 SECOND AS later, CONCAT(t, i) AS both_, IF(i = 1, 1, 'no') AS mixed,
           YEAR(at) AS y, COALESCE(i, s) AS c, 1.5 AS dec_, 1e3 AS dbl, TRUE AS yes, x'00ff' AS bin, CAST(i AS UNSIGNED) AS cu, AVG(i) OVER () AS av FROM base`,
      );
      await assertSame('computed', {});
    });
  });
}
