import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import {
  bitsTwin,
  dateTwin,
  decimalBytes,
  decimalTwin,
  durationTwin,
  timestampTwin,
} from './mysql-twin';
import { addresses, release, wideValues, wireColumn } from './wire-column';

const memory = new KernelMemory();
const { kernels } = memory;

const RUNS = { seed: 21, numRuns: 300 };

function written(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

type FixedKernel = (bytes: number, starts: number, count: number, data: number) => void;

function numbers<Data extends ArrayBufferView & Iterable<unknown>>(
  kernel: FixedKernel,
  values: readonly Buffer[],
  data: Data,
): unknown[] {
  const column = wireColumn(memory, values);
  const [bytes, starts, , count] = addresses(column);
  kernel(bytes, starts, count, data.byteOffset);
  const read = [...data].slice(0, count);
  release(memory, [column.bytes, column.starts, column.ends, data]);
  return read;
}

describe('kernels for numbers of MySQL', () => {
  const INTEGERS = [
    ['mysqlInt8', 1, (bytes: Buffer) => bytes.readInt8()],
    ['mysqlUint8', 1, (bytes: Buffer) => bytes.readUInt8()],
    ['mysqlInt16', 2, (bytes: Buffer) => bytes.readInt16LE()],
    ['mysqlUint16', 2, (bytes: Buffer) => bytes.readUInt16LE()],
    ['mysqlFixed32', 4, (bytes: Buffer) => bytes.readInt32LE()],
  ] as const;
  for (const [name, width, twin] of INTEGERS) {
    it(`read integers: ${name}`, () => {
      const value = fc.uint8Array({ minLength: width, maxLength: width }).map(Buffer.from);
      fc.assert(
        fc.property(fc.array(value), (values) => {
          const read = numbers(kernels[name], values, memory.int32(values.length));
          assert.deepEqual(read, values.map(twin));
        }),
        RUNS,
      );
    });
  }

  it('read integers of 64 bits, unsigned ones as their bits', () => {
    const value = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(Buffer.from);
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const read = numbers(kernels.mysqlFixed64, values, memory.int64(values.length));
        assert.deepEqual(
          read,
          values.map((bytes) => bytes.readBigInt64LE()),
        );
      }),
      RUNS,
    );
  });

  it('read floating numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.array(fc.float()), (doubles, floats) => {
        const double = (value: number) => written(8, (bytes) => bytes.writeDoubleLE(value));
        const float = (value: number) => written(4, (bytes) => bytes.writeFloatLE(value));
        const wide = memory.float64(doubles.length);
        assert.deepEqual(numbers(kernels.mysqlFixed64, doubles.map(double), wide), doubles);
        const narrow = memory.float32(floats.length);
        assert.deepEqual(numbers(kernels.mysqlFixed32, floats.map(float), narrow), floats);
      }),
      RUNS,
    );
  });

  it('read bits, and stop at more than 64 of them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 }).map(Buffer.from)), (values) => {
        const twins = values.map(bitsTwin);
        const wrong = twins.indexOf(undefined);
        const { taken, read } = checked(kernels.mysqlBits, values, memory.int64(values.length));
        assert.equal(taken, wrong < 0 ? values.length : wrong);
        assert.deepEqual(
          read.map((bits) => BigInt.asUintN(64, bits as bigint)),
          twins.slice(0, taken),
        );
      }),
      RUNS,
    );
  });
});

type CheckedKernel = (
  bytes: number,
  starts: number,
  ends: number,
  count: number,
  data: number,
) => number;

function checked<Data extends ArrayBufferView & Iterable<unknown>>(
  kernel: CheckedKernel,
  values: readonly Buffer[],
  data: Data,
): { taken: number; read: unknown[] } {
  const column = wireColumn(memory, values);
  const taken = kernel(...addresses(column), data.byteOffset);
  const read = [...data].slice(0, taken);
  release(memory, [column.bytes, column.starts, column.ends, data]);
  return { taken, read };
}

describe('kernels for moments of MySQL', () => {
  const year = fc.oneof(
    fc.integer({ min: 1900, max: 2100 }),
    fc.constantFrom(0, 1, 4, 100, 400, 1582, 1600, 2000, 9_999, 10_000, 65_535),
  );
  const small = (last: number) =>
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: last }) }, fc.constantFrom(0, 255));
  const date = fc
    .tuple(year, small(13), fc.oneof(small(28), fc.integer({ min: 28, max: 32 })))
    .map(([years, month, day]) => Buffer.from([years & 0xff, years >> 8, month, day]));
  const clock = fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fc.nat(23) }, fc.constantFrom(24, 255)),
      fc.oneof({ weight: 9, arbitrary: fc.nat(59) }, fc.constantFrom(60, 255)),
      fc.oneof({ weight: 9, arbitrary: fc.nat(59) }, fc.constantFrom(60, 255)),
      fc.oneof({ weight: 9, arbitrary: fc.nat(999_999) }, fc.constantFrom(1_000_000, 2 ** 32 - 1)),
    )
    .map(([hour, minute, second, micros]) =>
      written(7, (bytes) => {
        bytes.set([hour, minute, second]);
        bytes.writeUInt32LE(micros, 3);
      }),
    );
  const usualLength = (...lengths: readonly number[]) =>
    fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...lengths) }, fc.nat(12));
  const cut = ([bytes, length]: [Buffer, number]) => bytes.subarray(0, length);
  const timestamp = fc
    .tuple(
      fc.tuple(date, clock).map((parts) => Buffer.concat(parts)),
      usualLength(4, 7, 11),
    )
    .map(cut);
  const span = fc
    .tuple(
      fc.constantFrom(0, 1),
      fc.oneof(
        fc.nat(40),
        fc.nat(),
        fc.integer({ min: 104_248, max: 104_251 }),
        fc.constant(2 ** 32 - 1),
      ),
      clock,
    )
    .map(([sign, days, rest]) =>
      Buffer.concat([Buffer.from([sign]), written(4, (bytes) => bytes.writeUInt32LE(days)), rest]),
    );

  const KINDS = [
    {
      kind: 'dates',
      value: fc.tuple(date, usualLength(4)).map(cut),
      twin: dateTwin as (bytes: Buffer) => unknown,
      read: kernels.mysqlDates,
      left: kernels.mysqlDatesLeft,
      data: (length: number) => memory.int32(length),
    },
    {
      kind: 'timestamps',
      value: timestamp,
      twin: timestampTwin as (bytes: Buffer) => unknown,
      read: kernels.mysqlTimestamps,
      left: kernels.mysqlTimestampsLeft,
      data: (length: number) => memory.int64(length),
    },
    {
      kind: 'durations',
      value: fc.tuple(span, usualLength(0, 8, 12)).map(cut),
      twin: durationTwin as (bytes: Buffer) => unknown,
      read: kernels.mysqlDurations,
      left: kernels.mysqlDurationsLeft,
      data: (length: number) => memory.int64(length),
    },
  ] as const;

  for (const { kind, value, twin, read, left, data } of KINDS) {
    it(`read ${kind} up to the first that is none`, () => {
      fc.assert(
        fc.property(fc.array(value), (values) => {
          const twins = values.map(twin);
          const wrong = twins.indexOf(undefined);
          const result = checked(read, values, data(values.length));
          assert.equal(result.taken, wrong < 0 ? values.length : wrong);
          assert.deepEqual(result.read, twins.slice(0, result.taken));
        }),
        { seed: 22, numRuns: 3000 },
      );
    });

    it(`turn into NULL what is none of the ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(fc.option(value)), (rows) => {
          const twins = rows.map((one) => (one === null ? undefined : twin(one)));
          const column = wireColumn(
            memory,
            rows.filter((one) => one !== null),
          );
          const valid = memory.uint8(rows.length);
          valid.set(rows.map((one) => (one === null ? 0 : 1)));
          const target = data(rows.length);
          const [bytes, starts, ends] = addresses(column);
          const kept = left(
            ...([bytes, starts, ends, valid.byteOffset, rows.length] as const),
            target.byteOffset,
          );
          assert.deepEqual(
            [...(target as Iterable<unknown>)].slice(0, kept),
            twins.filter((one) => one !== undefined),
          );
          assert.deepEqual(
            [...valid],
            twins.map((one) => (one === undefined ? 0 : 1)),
          );
          release(memory, [column.bytes, column.starts, column.ends, valid, target]);
        }),
        RUNS,
      );
    });
  }

  it('know every day of the calendar', () => {
    const FIRST_YEAR = -719_528;
    const moment = new Date(0);
    let day = FIRST_YEAR;
    for (let years = 0; years <= 9_999; years++) {
      const days: Buffer[] = [];
      const first = day;
      for (; ; day++) {
        moment.setTime(day * 86_400_000);
        if (moment.getUTCFullYear() !== years) break;
        const [month, date] = [moment.getUTCMonth() + 1, moment.getUTCDate()];
        days.push(Buffer.from([years & 0xff, years >> 8, month, date]));
      }
      if (years > 2_100 && years % 97 !== 0) continue;
      const { taken, read } = checked(kernels.mysqlDates, days, memory.int32(days.length));
      assert.equal(taken, days.length, `year ${years}`);
      assert.ok(
        read.every((value, i) => value === first + i),
        `year ${years}`,
      );
    }
  });

  it('know no day that is not in it', () => {
    for (const years of [0, 4, 100, 1900, 2000, 2023, 2024, 9_999]) {
      for (let month = 0; month <= 13; month++) {
        for (const date of [0, 28, 29, 30, 31, 32]) {
          const days = [1, 2, month, 4, 5].map((one, i) =>
            Buffer.from([years & 0xff, years >> 8, one, i === 2 ? date : one]),
          );
          const { taken } = checked(kernels.mysqlDates, days, memory.int32(5));
          assert.equal(
            taken,
            dateTwin(days[2]!) === undefined ? 2 : 5,
            `${years} ${month} ${date}`,
          );
        }
      }
    }
  });
});

/** Reads decimals; those that the kernel did not take are undefined. */
function decimals(
  values: readonly Buffer[],
  precision: number,
  scale: number,
): (bigint | undefined)[] {
  const column = wireColumn(memory, values);
  const wide = precision > 18;
  const data = wide ? memory.bytes(16 * values.length) : memory.int64(values.length);
  const kernel = wide ? kernels.mysqlDecimals128 : kernels.mysqlDecimals64;
  const [bytes, starts, ends, count] = addresses(column);
  const refused = new Set<number>();
  let at = 0;
  for (;;) {
    at = kernel(bytes, starts, ends, at, count, precision, scale, data.byteOffset);
    if (at === count) break;
    refused.add(at++);
  }
  const read = wide ? wideValues(data as Buffer, count) : [...(data as BigInt64Array)];
  release(memory, [column.bytes, column.starts, column.ends, data]);
  return read.slice(0, count).map((value, i) => (refused.has(i) ? undefined : value));
}

const precisionAndScale = fc
  .integer({ min: 1, max: 38 })
  .chain((precision) => fc.tuple(fc.constant(precision), fc.nat(precision)));

/** Whole numbers around every power of ten, so that digits of all lengths come. */
const anyUnscaled = fc
  .tuple(
    fc.nat(38),
    fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([zeros, value, near]) =>
    near === 0 ? value / 10n ** BigInt(zeros) : 10n ** BigInt(zeros) * BigInt(near) - BigInt(near),
  );

describe('kernels for decimals of MySQL', () => {
  it('read every number of the precision and scale, and no other', () => {
    fc.assert(
      fc.property(
        precisionAndScale,
        fc.array(anyUnscaled, { minLength: 1 }),
        ([precision, scale], all) => {
          const values = all.map((unscaled) => decimalBytes(unscaled, scale));
          assert.deepEqual(
            decimals(values, precision, scale),
            values.map((value) => decimalTwin(value, precision, scale)),
          );
        },
      ),
      { seed: 23, numRuns: 2000 },
    );
  });

  it('take nothing of another form for a number', () => {
    const strange = fc
      .string({ unit: fc.constantFrom(...'0123456789.-+ /:e\0'), maxLength: 42 })
      .map((text) => Buffer.from(text, 'latin1'));
    const changed = fc
      .tuple(anyUnscaled, fc.nat(38), fc.nat(20), fc.nat(255))
      .map(([unscaled, scale, place, byte]) => {
        const value = decimalBytes(unscaled, scale);
        value[place % value.length] = byte;
        return value;
      });
    fc.assert(
      fc.property(
        precisionAndScale,
        fc.array(fc.oneof(strange, changed), { minLength: 1 }),
        ([precision, scale], values) => {
          decimals(values, precision, scale).forEach((read, i) => {
            if (read === undefined) return;
            assert.equal(read, decimalTwin(values[i]!, precision, scale));
          });
        },
      ),
      { seed: 24, numRuns: 2000 },
    );
  });
});
