import fc from 'fast-check';
import type { ParquetOptions } from '../../../src/columnar/parquet/writer';
import type { LogicalType } from '../../../src/types/logical';
import { EVERY_TYPE, column, values, type TestTable, type Value } from '../../support/columns';

export interface FileCase {
  readonly name: string;
  readonly table: TestTable;
  readonly options: ParquetOptions;
}

const TEXT = { kind: 'text' } as const;
const INT64 = { kind: 'int', bits: 64, signed: true } as const;

/** Which rows have a value. */
const PATTERNS: readonly ((row: number, rows: number) => boolean)[] = [
  () => true,
  () => false,
  (row) => row % 2 === 0,
  (row) => row > 0,
  (row, rows) => row < rows - 1,
  (row) => Math.floor(row / 7) % 2 === 0,
  (row) => Math.floor(row / 8) % 2 === 1,
  (row) => Math.floor(row / 100) % 3 === 1,
  (row) => row % 97 !== 0,
];

function tableOf(
  rows: number,
  columns: readonly { name: string; type: LogicalType; cell: (row: number) => Value }[],
): TestTable {
  return {
    columns: columns.map(({ name, type }) => column(name, type)),
    rows: Array.from({ length: rows }, (_, row) => columns.map(({ cell }) => cell(row))),
  };
}

/** Every type, its values and NULLs drawn at random, a quarter of the values again and again. */
function everyType(rows: number, seed: number): TestTable {
  return tableOf(
    rows,
    EVERY_TYPE.map((type, i) => {
      const all = fc.sample(values(type), { seed: seed + i, numRuns: rows });
      const has = PATTERNS[(i + seed) % PATTERNS.length]!;
      const cell = (row: number) => (has(row, rows) ? all[row % 4 === 0 ? row % 12 : row]! : null);
      return { name: `c${i}_${type.kind}`, type, cell };
    }),
  );
}

function nullPatterns(rows: number): TestTable {
  return tableOf(
    rows,
    PATTERNS.flatMap((has, i) => [
      {
        name: `texts ${i}`,
        type: TEXT,
        cell: (row: number) => (has(row, rows) ? `value ${row % 5}` : null),
      },
      {
        name: `numbers ${i}`,
        type: INT64,
        cell: (row: number) => (has(row, rows) ? BigInt(row) ** 4n : null),
      },
    ]),
  );
}

function uuid(number: number): Buffer {
  const bytes = Buffer.alloc(16, 0x5a);
  bytes.writeUInt32BE(number, 6);
  return bytes;
}

/**
 * Values that repeat, values that never do, and such that repeat until, in the middle of a page, so
 * many new ones come that the dictionary is given up.
 */
function dictionaries(rows: number): TestTable {
  const kinds: readonly [string, (row: number) => number][] = [
    ['few', (row) => (row * 7) % 90],
    ['unique', (row) => (row * 2_654_435_761) % 4_294_967_296],
    ['mixed', (row) => (row < 9_000 ? row % 70 : row * 3 + 1_000)],
  ];
  return tableOf(
    rows,
    kinds.flatMap(([name, number]) => [
      {
        name: `${name} text`,
        type: TEXT,
        cell: (row: number) => `a common beginning ${number(row)}`,
      },
      { name: `${name} int64`, type: INT64, cell: (row: number) => BigInt(number(row)) << 20n },
      {
        name: `${name} float`,
        type: { kind: 'float' } as const,
        cell: (row: number) => Math.fround(number(row) / 8),
      },
      {
        name: `${name} uuid`,
        type: { kind: 'uuid' } as const,
        cell: (row: number) => uuid(number(row)),
      },
      {
        name: `${name} decimal`,
        type: { kind: 'decimal', precision: 30, scale: 3 } as const,
        cell: (row: number) => -(10n ** 20n) * BigInt(number(row)),
      },
    ]),
  );
}

const HOSTILE_NAMES = [
  'a "b" 🦦 `c`.d',
  '%',
  'select',
  'with, comma; {brace} (paren)',
  ' blank ',
  "it's",
  'back\\slash/slash',
  'é = ü',
  'a'.repeat(200),
];

function hostileNames(rows: number): TestTable {
  return tableOf(
    rows,
    HOSTILE_NAMES.map((name, i) => ({ name, type: TEXT, cell: (row) => `${i}:${row}` })),
  );
}

export const FILES: readonly FileCase[] = [
  {
    name: 'every type, zstd, one page',
    table: everyType(700, 1),
    options: { compression: 'zstd' },
  },
  {
    name: 'every type, snappy, many pages and row groups',
    table: everyType(1100, 2),
    options: { compression: 'snappy', pageRows: 100, rowGroupRows: 450 },
  },
  {
    name: 'every type, uncompressed, small pages by bytes',
    table: everyType(600, 3),
    options: { compression: 'none', pageBytes: 200, rowGroupBytes: 20_000 },
  },
  {
    name: 'NULLs in all patterns',
    table: nullPatterns(1003),
    options: { compression: 'zstd', pageRows: 200, rowGroupRows: 600 },
  },
  {
    name: 'dictionary, plain and mixed chunks',
    table: dictionaries(46_000),
    options: { compression: 'zstd', pageRows: 8192 },
  },
  {
    name: 'no rows',
    table: everyType(0, 4),
    options: { compression: 'zstd' },
  },
  {
    name: 'hostile names',
    table: hostileNames(20),
    options: { compression: 'snappy' },
  },
];

/** Rows by rising keys, in row groups of 5,000 and pages of 500. */
export const SORTED: FileCase = {
  name: 'rows by key',
  table: tableOf(20_000, [
    { name: 'key', type: INT64, cell: (row) => BigInt(row * 2) },
    { name: 'name', type: TEXT, cell: (row) => `k${String(row).padStart(6, '0')}` },
    { name: 'note', type: TEXT, cell: (row) => `note ${10_000 + ((row * 7919) % 20_000)}` },
  ]),
  options: { compression: 'zstd', pageRows: 500, rowGroupRows: 5000 },
};

const oneValue = (name: string, type: LogicalType, value: Value): FileCase => ({
  name,
  table: { columns: [column('v', type)], rows: [[value]] },
  options: { compression: 'zstd' },
});

/** What Spark does not read without being told how. */
export const REFUSED = {
  uuid: oneValue('a UUID', { kind: 'uuid' }, uuid(1)),
  time: oneValue('a TIME', { kind: 'time' }, 1n),
  // 1582-10-14 and 1899-12-31, the last days on which Spark's older calendars differ.
  date: oneValue('an old date', { kind: 'date' }, -141_428),
  timestamp: oneValue('an old instant', { kind: 'timestamp', utc: true }, -2_208_988_800_000_001n),
} as const;
