import fc from 'fast-check';
import type { PlannedColumn } from '../../../../src/sources/postgres/plan';
import type { LogicalType } from '../../../../src/types/logical';
import { column as spec } from '../../../support/columns';
import { int16, int32, int64 } from './copy-bytes';

/** A kind of column, and values of it as the wire has them, odd ones among them. */
export interface WireKind {
  readonly column: PlannedColumn;
  readonly values: fc.Arbitrary<Buffer>;
}

function kind(
  type: LogicalType,
  wire: PlannedColumn['wire'],
  values: fc.Arbitrary<Buffer>,
  more: Partial<PlannedColumn> = {},
): WireKind {
  return { column: { spec: spec('v', type), select: '"v"', wire, ...more }, values };
}

function bytes(minLength: number, maxLength = minLength): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
}

/** A numeric as PostgreSQL makes it: no zeros at the ends. */
export function numericBytes(unscaled: bigint, scale: number): Buffer {
  const negative = unscaled < 0n;
  const places = Math.ceil(scale / 4);
  let rest = (negative ? -unscaled : unscaled) * 10n ** BigInt(places * 4 - scale);
  const digits: number[] = [];
  for (; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n));
  const weight = digits.length - places - 1;
  while (digits.at(-1) === 0) digits.pop();
  const head = [digits.length, digits.length === 0 ? 0 : weight, negative ? 0x4000 : 0, scale];
  return Buffer.concat([...head, ...digits].map(int16));
}

function numerics(precision: number, scale: number): fc.Arbitrary<Buffer> {
  const most = 10n ** BigInt(precision) - 1n;
  const usual = fc
    .oneof(
      { weight: 4, arbitrary: fc.bigInt({ min: -most, max: most }) },
      { weight: 2, arbitrary: fc.bigInt({ min: -99_999n, max: 99_999n }) },
      fc.constantFrom(
        0n,
        most,
        -most,
        2n ** 53n,
        2n ** 53n - 1n,
        -(2n ** 53n) - 1n,
        2n ** 32n,
        -(2n ** 32n),
        -(2n ** 56n),
        -(2n ** 64n),
        -(2n ** 96n),
      ),
    )
    .filter((value) => value <= most && value >= -most)
    .map((value) => numericBytes(value, scale));
  return fc.oneof({ weight: 200, arbitrary: usual }, { weight: 1, arbitrary: oddNumerics });
}

/** Digits at any place, more than the column has room for, NaN and infinity, digits that are none. */
const oddNumerics = fc
  .record({
    digits: fc.array(fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 10_000)), {
      maxLength: 14,
    }),
    weight: fc.integer({ min: -12, max: 12 }),
    sign: fc.constantFrom(0, 0x4000, 0xc000, 0xd000, 0xf000),
  })
  .map(({ digits, weight, sign }) => {
    const numbers = [digits.length, weight, sign - (sign > 0x7fff ? 0x10000 : 0), 0, ...digits];
    return Buffer.concat(numbers.map(int16));
  });

const LAST_MOMENT = 2n ** 63n - 1n - 946_684_800_000_000n;
const dates = fc.oneof(
  { weight: 30, arbitrary: fc.integer().map(int32) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(0x7fff_ffff, -0x8000_0000, 0x7fff_ffff - 10_957, 0x7fff_ffff - 10_956, 0)
      .map(int32),
  },
);
const moments = fc.oneof(
  { weight: 30, arbitrary: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map(int64) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        2n ** 63n - 1n,
        -(2n ** 63n),
        1n - 2n ** 63n,
        LAST_MOMENT,
        LAST_MOMENT + 1n,
        -1n,
      )
      .map(int64),
  },
);

const decimal = (precision: number, scale: number) =>
  kind({ kind: 'decimal', precision, scale }, 'numeric', numerics(precision, scale));

export const WIRE_KINDS: readonly WireKind[] = [
  kind({ kind: 'boolean' }, 'boolean', bytes(1)),
  kind({ kind: 'int', bits: 16, signed: true }, 'int2', bytes(2)),
  kind({ kind: 'int', bits: 32, signed: true }, 'int4', bytes(4)),
  kind({ kind: 'int', bits: 64, signed: true }, 'int8', bytes(8)),
  kind({ kind: 'float' }, 'float4', bytes(4)),
  kind({ kind: 'double' }, 'float8', bytes(8)),
  kind({ kind: 'time' }, 'time', bytes(8)),
  kind({ kind: 'text' }, 'bytes', bytes(0, 300)),
  kind({ kind: 'binary' }, 'bytes', bytes(0, 30)),
  kind({ kind: 'uuid' }, 'bytes', bytes(16)),
  kind({ kind: 'date' }, 'date', dates, { invalidDates: 'null' }),
  kind({ kind: 'date' }, 'date', dates, { invalidDates: 'fail' }),
  kind({ kind: 'timestamp', utc: true }, 'timestamp', moments, { invalidDates: 'null' }),
  kind({ kind: 'timestamp', utc: false }, 'timestamp', moments, { invalidDates: 'fail' }),
  decimal(1, 0),
  decimal(4, 4),
  decimal(9, 0),
  decimal(15, 2),
  decimal(16, 15),
  decimal(18, 0),
  decimal(18, 5),
  decimal(18, 18),
  decimal(19, 3),
  decimal(28, 10),
  decimal(38, 0),
  decimal(38, 17),
  decimal(38, 38),
];
