import * as duckdb from '@duckdb/node-api';
import fc from 'fast-check';
import { BatchBuilder, type Vector } from '../../src/columnar/vectors';
import type { ColumnSpec, LogicalType } from '../../src/types/logical';

/**
 * Values of columns as tests hold them. Numbers for integers up to 32 bits, dates and floats;
 * bigint for 64 bits, times and unscaled decimals; string for text and JSON; bytes for the rest.
 */
export type Value = boolean | number | bigint | string | Buffer | null;

export interface TestTable {
  readonly columns: readonly ColumnSpec[];
  readonly rows: readonly (readonly Value[])[];
}

export function column(name: string, type: LogicalType): ColumnSpec {
  return { name, type, nullable: true, sourceType: type.kind };
}

/** Every logical type, with the corners of those that have parameters. */
export const EVERY_TYPE: readonly LogicalType[] = [
  { kind: 'boolean' },
  ...([8, 16, 32, 64] as const).flatMap((bits) => [
    { kind: 'int', bits, signed: true } as const,
    { kind: 'int', bits, signed: false } as const,
  ]),
  { kind: 'float' },
  { kind: 'double' },
  ...(
    [
      [1, 0],
      [9, 9],
      [10, 2],
      [18, 18],
      [19, 0],
      [28, 10],
      [38, 10],
      [38, 38],
    ] as const
  ).map(([precision, scale]) => ({ kind: 'decimal', precision, scale }) as const),
  { kind: 'text' },
  { kind: 'json' },
  { kind: 'uuid' },
  { kind: 'binary' },
  { kind: 'wkb' },
  { kind: 'date' },
  { kind: 'time' },
  { kind: 'duration' },
  { kind: 'timestamp', utc: false },
  { kind: 'timestamp', utc: true },
];

/** Random values of a type, its extremes among them; no NULL. */
export function values(type: LogicalType): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return type.bits === 64 ? int64(type.signed) : int32(type.bits, type.signed);
    case 'float':
      return fc.float({ noDefaultInfinity: false });
    case 'double':
      return fc.double();
    case 'decimal': {
      const max = 10n ** BigInt(type.precision) - 1n;
      return fc.oneof(fc.constantFrom(0n, max, -max, -1n), fc.bigInt({ min: -max, max }));
    }
    case 'text':
      return text();
    case 'json':
      return fc.json({ stringUnit: 'binary' });
    case 'uuid':
      return bytes(16, 16);
    case 'binary':
    case 'wkb':
      return fc.oneof(bytes(0, 40), bytes(60, 70), fc.constant(Buffer.alloc(70, 0xff)));
    case 'date':
      // PostgreSQL's range: 4713 BC to 5874897 AD.
      return fc.oneof(
        fc.constantFrom(0, -2_440_588, 2_145_031_948),
        fc.integer({ min: -800_000, max: 3_000_000 }),
      );
    case 'time':
      return fc.bigInt({ min: 0n, max: 86_399_999_999n });
    case 'duration':
      return fc.bigInt({ min: -3_020_399_999_999n, max: 3_020_399_999_999n });
    case 'timestamp': {
      const far = 9_200_000_000_000_000_000n;
      return fc.oneof(fc.constantFrom(0n, far, -far), fc.bigInt({ min: -far, max: far }));
    }
  }
}

function int32(bits: 8 | 16 | 32, signed: boolean): fc.Arbitrary<Value> {
  const min = signed ? -(2 ** (bits - 1)) : 0;
  const max = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return fc.oneof(fc.constantFrom(min, max, 0), fc.integer({ min, max }));
}

function int64(signed: boolean): fc.Arbitrary<Value> {
  const min = signed ? -(2n ** 63n) : 0n;
  const max = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  return fc.oneof(fc.constantFrom(min, max, 0n, 2n ** 32n), fc.bigInt({ min, max }));
}

function text(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    // Around the length at which bounds are cut, with characters of one to four bytes there.
    fc
      .tuple(fc.integer({ min: 58, max: 66 }), fc.constantFrom('z', 'é', '€', '🦦', '\u{10ffff}'))
      .map(([length, end]) => 'a'.repeat(length) + end.repeat(3)),
    fc.constantFrom('', ' ', '\0', 'NULL', '\u{10ffff}'.repeat(20), '🇵🇹 naïve "quoted", \\x00'),
  );
}

function bytes(minLength: number, maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
}

/** A column's share of NULLs: none, all, few, many. */
function cells(type: LogicalType, rows: number): fc.Arbitrary<Value[]> {
  const value = values(type);
  const of = (cell: fc.Arbitrary<Value>) => fc.array(cell, { minLength: rows, maxLength: rows });
  return fc.oneof(
    of(value),
    of(fc.option(value, { nil: null, freq: 1 })),
    of(fc.option(value, { nil: null, freq: 20 })),
    of(fc.constant(null)),
    // Long runs of either.
    of(value).map((all) => all.map((cell, i) => (Math.floor(i / 19) % 2 === 0 ? cell : null))),
  );
}

export function tables(maxRows: number): fc.Arbitrary<TestTable> {
  return fc
    .tuple(
      fc.array(fc.constantFrom(...EVERY_TYPE), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: maxRows }),
    )
    .chain(([types, rows]) =>
      fc.tuple(...types.map((type) => cells(type, rows))).map((byColumn) => ({
        columns: types.map((type, i) => column(`c${i}`, type)),
        rows: Array.from({ length: rows }, (_, row) => byColumn.map((all) => all[row] ?? null)),
      })),
    );
}

/** The rows as batches of `batchRows`; one builder, cleared and reused, as a source does it. */
export function* batches(table: TestTable, batchRows: number): Generator<BatchBuilder> {
  const builder = new BatchBuilder(table.columns);
  for (const row of table.rows) {
    appendRow(builder, row);
    if (builder.rows === batchRows) {
      yield builder;
      builder.clear();
    }
  }
  if (builder.rows > 0) yield builder;
}

export function appendRow(builder: BatchBuilder, row: readonly Value[]): void {
  for (const [i, vector] of builder.columns.entries()) append(vector, row[i] ?? null);
  builder.rows++;
}

function append(vector: Vector, value: Value): void {
  if (value === null) return vector.appendNull();
  switch (vector.storage) {
    case 'boolean':
      return vector.append(value as boolean);
    case 'fixed32':
    case 'float':
    case 'double':
      return vector.append(value as number);
    case 'fixed64':
      return vector.append(value as bigint);
    case 'bytes':
      if (typeof value === 'string') return vector.appendText(value);
      return vector.append(typeof value === 'bigint' ? wide(value) : (value as Buffer));
  }
}

/** Sixteen bytes, big-endian two's complement. */
function wide(value: bigint): Buffer {
  const hex = BigInt.asUintN(128, value).toString(16).padStart(32, '0');
  return Buffer.from(hex, 'hex');
}

/** One form for a value whatever its way, so that comparing is comparing strings. */
export function canonical(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'string') return `"${value}"`;
  if (Buffer.isBuffer(value)) return `x${value.toString('hex')}`;
  if (value instanceof duckdb.DuckDBBlobValue)
    return `x${Buffer.from(value.bytes).toString('hex')}`;
  if (value instanceof duckdb.DuckDBUUIDValue) {
    return `x${value.toUint128().toString(16).padStart(32, '0')}`;
  }
  if (value instanceof duckdb.DuckDBDecimalValue) return String(value.value);
  if (value instanceof duckdb.DuckDBDateValue) return String(value.days);
  if (value instanceof duckdb.DuckDBTimeValue) return String(value.micros);
  if (value instanceof duckdb.DuckDBTimestampValue) return String(value.micros);
  if (value instanceof duckdb.DuckDBTimestampTZValue) return String(value.micros);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  throw new TypeError(`no canonical form for ${Object.prototype.toString.call(value)}`);
}

export function canonicalRows(rows: readonly (readonly unknown[])[]): string[][] {
  return rows.map((row) => row.map(canonical));
}
