import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FieldTable } from '../../../src/columnar/fields';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import {
  copyData,
  dateTwin,
  numericBytes,
  numericOf,
  numericTwin,
  timestampTwin,
  walkTwin,
} from './postgres-twin';
import { addresses, release, wideValues, wireColumn } from './wire-column';

const memory = new KernelMemory();
const { kernels } = memory;

const RUNS = { seed: 11, numRuns: 300 };

function written(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

const int2 = (value: number) => written(2, (bytes) => bytes.writeInt16BE(value));
const int4 = (value: number) => written(4, (bytes) => bytes.writeInt32BE(value));
const int8 = (value: bigint) => written(8, (bytes) => bytes.writeBigInt64BE(value));

const anyInt4 = fc.oneof(
  fc.integer(),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 10_958, 2 ** 31 - 10_957, -2_451_545),
);
const EPOCH = 946_684_800_000_000n;
const LAST = 2n ** 63n - 1n;
const anyInt8 = fc.oneof(
  fc.bigInt({ min: -LAST - 1n, max: LAST }),
  fc.constantFrom(LAST, -LAST - 1n, LAST - EPOCH, LAST - EPOCH + 1n, -211_813_488_000_000_000n),
);

type FixedKernel = (
  bytes: number,
  starts: number,
  ends: number,
  count: number,
  data: number,
) => number;

/** Runs a kernel over values and gives what it answered and wrote. */
function run<Data extends ArrayBufferView & Iterable<unknown>>(
  kernel: FixedKernel,
  values: readonly Buffer[],
  data: Data,
): { wrong: number; read: unknown[] } {
  const column = wireColumn(memory, values);
  const wrong = kernel(...addresses(column), data.byteOffset);
  const read = [...data].slice(0, values.length);
  release(memory, [column.bytes, column.starts, column.ends, data]);
  return { wrong, read };
}

describe('kernels for numbers of PostgreSQL', () => {
  it('read integers of 16 bits', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), (values) => {
        const data = memory.int32(values.length);
        const { wrong, read } = run(kernels.postgresInt16, values.map(int2), data);
        assert.deepEqual({ wrong, read }, { wrong: 0, read: values });
      }),
      RUNS,
    );
  });

  it('read integers of 32 bits', () => {
    fc.assert(
      fc.property(fc.array(anyInt4), (values) => {
        const data = memory.int32(values.length);
        const { wrong, read } = run(kernels.postgresFixed32, values.map(int4), data);
        assert.deepEqual({ wrong, read }, { wrong: 0, read: values });
      }),
      RUNS,
    );
  });

  it('read integers of 64 bits', () => {
    fc.assert(
      fc.property(fc.array(anyInt8), (values) => {
        const data = memory.int64(values.length);
        const { wrong, read } = run(kernels.postgresFixed64, values.map(int8), data);
        assert.deepEqual({ wrong, read }, { wrong: 0, read: values });
      }),
      RUNS,
    );
  });

  it('read floating numbers, infinities, NaN and negative zero among them', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.array(fc.float()), (doubles, floats) => {
        const double = (value: number) => written(8, (bytes) => bytes.writeDoubleBE(value));
        const float = (value: number) => written(4, (bytes) => bytes.writeFloatBE(value));
        const wide = run(
          kernels.postgresFixed64,
          doubles.map(double),
          memory.float64(doubles.length),
        );
        assert.deepEqual(wide, { wrong: 0, read: doubles });
        const narrow = run(
          kernels.postgresFixed32,
          floats.map(float),
          memory.float32(floats.length),
        );
        assert.deepEqual(narrow, { wrong: 0, read: floats });
      }),
      RUNS,
    );
  });

  it('read booleans', () => {
    const values = [1, 0, 1, 2].map((byte) => Buffer.from([byte]));
    const { wrong, read } = run(kernels.postgresBooleans, values, memory.uint8(values.length));
    assert.deepEqual({ wrong, read }, { wrong: 0, read: [1, 0, 1, 0] });
  });

  const WIDTHS = [
    ['postgresBooleans', 1],
    ['postgresInt16', 2],
    ['postgresFixed32', 4],
    ['postgresFixed64', 8],
    ['postgresDates', 4],
    ['postgresTimestamps', 8],
  ] as const;
  for (const [name, width] of WIDTHS) {
    it(`report a value of another width: ${name}`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(9)), fc.nat(40), (others, usual) => {
          const lengths = [...Array.from({ length: usual }, () => width), ...others];
          const values = lengths.map((length) => Buffer.alloc(length));
          const { wrong } = run(kernels[name], values, memory.uint8(8 * lengths.length));
          assert.equal(
            wrong !== 0,
            lengths.some((length) => length !== width),
          );
        }),
        RUNS,
      );
    });
  }
});

describe('kernels for moments of PostgreSQL', () => {
  it('read dates as days since 1970, and report infinities and what is too far', () => {
    fc.assert(
      fc.property(fc.array(anyInt4), (values) => {
        const twins = values.map(dateTwin);
        const data = memory.int32(values.length);
        const { wrong, read } = run(kernels.postgresDates, values.map(int4), data);
        assert.equal(wrong !== 0, twins.includes(undefined));
        if (wrong === 0) assert.deepEqual(read, twins);
      }),
      RUNS,
    );
  });

  it('read timestamps as microseconds since 1970, and report the same', () => {
    fc.assert(
      fc.property(fc.array(anyInt8), (values) => {
        const twins = values.map(timestampTwin);
        const data = memory.int64(values.length);
        const { wrong, read } = run(kernels.postgresTimestamps, values.map(int8), data);
        assert.equal(wrong !== 0, twins.includes(undefined));
        if (wrong === 0) assert.deepEqual(read, twins);
      }),
      RUNS,
    );
  });

  it('turn odd dates into NULL', () => {
    fc.assert(
      fc.property(fc.array(fc.option(anyInt4)), (rows) => {
        const twins = rows.map((value) => (value === null ? undefined : dateTwin(value)));
        const values = rows.filter((value) => value !== null);
        const column = wireColumn(memory, values.map(int4));
        const valid = memory.uint8(rows.length);
        valid.set(rows.map((value) => (value === null ? 0 : 1)));
        const data = memory.int32(rows.length);
        const left = kernels.postgresDatesLeft(
          column.bytes.byteOffset,
          column.starts.byteOffset,
          valid.byteOffset,
          rows.length,
          data.byteOffset,
        );
        assert.deepEqual(
          [...data].slice(0, left),
          twins.filter((twin) => twin !== undefined),
        );
        assert.deepEqual(
          [...valid],
          twins.map((twin) => (twin === undefined ? 0 : 1)),
        );
        release(memory, [column.bytes, column.starts, column.ends, valid, data]);
      }),
      RUNS,
    );
  });

  it('turn odd timestamps into NULL', () => {
    fc.assert(
      fc.property(fc.array(fc.option(anyInt8)), (rows) => {
        const twins = rows.map((value) => (value === null ? undefined : timestampTwin(value)));
        const values = rows.filter((value) => value !== null);
        const column = wireColumn(memory, values.map(int8));
        const valid = memory.uint8(rows.length);
        valid.set(rows.map((value) => (value === null ? 0 : 1)));
        const data = memory.int64(rows.length);
        const left = kernels.postgresTimestampsLeft(
          column.bytes.byteOffset,
          column.starts.byteOffset,
          valid.byteOffset,
          rows.length,
          data.byteOffset,
        );
        assert.deepEqual(
          [...data].slice(0, left),
          twins.filter((twin) => twin !== undefined),
        );
        assert.deepEqual(
          [...valid],
          twins.map((twin) => (twin === undefined ? 0 : 1)),
        );
        release(memory, [column.bytes, column.starts, column.ends, valid, data]);
      }),
      RUNS,
    );
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
  const kernel = wide ? kernels.postgresDecimals128 : kernels.postgresDecimals64;
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
    fc.nat(40),
    fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([zeros, value, near]) =>
    near === 0 ? value / 10n ** BigInt(zeros) : 10n ** BigInt(zeros) * BigInt(near) - BigInt(near),
  );

describe('kernels for decimals of PostgreSQL', () => {
  it('read every number of the precision and scale, and no other', () => {
    fc.assert(
      fc.property(
        precisionAndScale,
        fc.array(fc.tuple(anyUnscaled, fc.nat(5)), { minLength: 1 }),
        ([precision, scale], numbers) => {
          // Some have more decimal places than the column's scale.
          const values = numbers.map(([unscaled, more]) => numericBytes(unscaled, scale + more));
          assert.deepEqual(
            decimals(values, precision, scale),
            values.map((value) => numericTwin(value, precision, scale)),
          );
        },
      ),
      { seed: 12, numRuns: 1000 },
    );
  });

  it('take nothing of strange form for another number', () => {
    const digit = fc.oneof(
      { weight: 4, arbitrary: fc.nat(9_999) },
      fc.constantFrom(0, 9_999, 10_000, 0x7fff, 0x8000, 0xffff),
    );
    const sign = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 0x4000) },
      fc.constantFrom(0x8000, 0xc000, 0xd000, 0xf000, 1),
    );
    const strange = fc
      .tuple(
        fc.array(digit, { maxLength: 14 }),
        fc.oneof(
          { weight: 6, arbitrary: fc.integer({ min: -12, max: 12 }) },
          fc.constantFrom(-32_768, 32_767, 40),
        ),
        sign,
        fc.nat(40),
      )
      .map(([digits, weight, ofSign, places]) => numericOf(digits, weight, ofSign, places));
    const cut = fc.tuple(strange, fc.nat(30)).map(([value, length]) => value.subarray(0, length));
    fc.assert(
      fc.property(
        precisionAndScale,
        fc.array(fc.oneof({ weight: 5, arbitrary: strange }, cut), { minLength: 1 }),
        ([precision, scale], values) => {
          decimals(values, precision, scale).forEach((read, i) => {
            if (read === undefined) return;
            assert.equal(read, numericTwin(values[i]!, precision, scale));
          });
        },
      ),
      { seed: 12, numRuns: 1000 },
    );
  });

  it('report NaN and the infinities', () => {
    const values = [0xc000, 0xd000, 0xf000].map((sign) => numericOf([], 0, sign, 0));
    assert.deepEqual(decimals(values, 10, 2), [undefined, undefined, undefined]);
    assert.deepEqual(decimals(values, 30, 2), [undefined, undefined, undefined]);
  });
});

describe('the walk over rows of PostgreSQL', () => {
  const COLUMNS = 3;
  const field = fc.option(
    fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 12 }) },
      fc.constant(new Uint8Array(300)),
    ),
  );
  const row = fc.array(field, { minLength: COLUMNS, maxLength: COLUMNS });
  const stream = fc.array(row, { maxLength: 8 }).map((rows) => Buffer.concat(rows.map(copyData)));

  function check(sent: Buffer, capacity: number): void {
    const fields = new FieldTable(COLUMNS, capacity, memory);
    const bytes = memory.bytes(sent.length + 16);
    bytes.fill(0);
    sent.copy(bytes);
    const rows = kernels.postgresWalk(
      bytes.byteOffset,
      0,
      sent.length,
      COLUMNS,
      fields.places.byteOffset,
      fields.stride,
      0,
      capacity,
      fields.nulls.byteOffset,
      memory.state.byteOffset,
    );
    const [position, problem] = memory.state;
    const found = Array.from({ length: rows }, (_, i) =>
      fields.starts.map((starts, column) =>
        starts[i] === -1 ? null : [starts[i], fields.ends[column]![i]],
      ),
    );
    const twin = walkTwin(sent, COLUMNS, capacity);
    assert.deepEqual({ rows: found, position, problem }, twin);
    if (problem === 0) {
      const nulls = fields.nulls.map((_, i) => twin.rows.filter((one) => one[i] === null).length);
      assert.deepEqual(fields.nulls, nulls);
    }
    release(memory, [bytes, fields.places, fields.nulls]);
  }

  it('finds the values of whole rows', () => {
    fc.assert(
      fc.property(stream, fc.nat(8), (sent, capacity) => check(sent, capacity)),
      RUNS,
    );
  });

  it('stops where the bytes are cut', () => {
    fc.assert(
      fc.property(stream, fc.nat(400), (sent, length) => check(sent.subarray(0, length), 9)),
      RUNS,
    );
  });

  it('stops at a row that does not add up', () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.constantFrom(0, 1, 7, 0x7f, 0x80, 0xff)), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(stream, changes, (whole, changed) => {
        const sent = Buffer.from(whole);
        for (const [place, byte] of changed) if (place < sent.length) sent[place] = byte;
        check(sent, 9);
      }),
      { seed: 13, numRuns: 2000 },
    );
  });
});
