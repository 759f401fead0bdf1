import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  daysOfDate,
  microsOfDuration,
  microsOfTimestamp,
} from '../../../../src/columnar/decode/dates';
import { unscaledDecimal } from '../../../../src/columnar/decode/decimals';
import { readBits } from '../../../../src/sources/mysql/wire/kernels/bytes';
import {
  readDecimals,
  readWideDecimals,
} from '../../../../src/sources/mysql/wire/kernels/decimals';
import { closeUpNulls, dropValues } from '../../../../src/sources/mysql/wire/kernels/nulls';
import {
  readDates,
  readDurations,
  readTimestamps,
} from '../../../../src/sources/mysql/wire/kernels/temporal';
import { textOf, WIRE } from '../../../../src/sources/mysql/wire/wire-types';

/** Lays values one after the other, as a row walker would note them. */
function laid(values: readonly Buffer[]) {
  const bytes = Buffer.concat(values);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = new Int32Array(values.length);
  const ends = new Int32Array(values.length);
  let at = 0;
  values.forEach((value, index) => {
    starts[index] = at;
    at += value.length;
    ends[index] = at;
  });
  return { bytes, view, starts, ends };
}

/** 64-bit values and their halves, the same memory. */
function halved(length: number) {
  const data = new BigInt64Array(length);
  return { data, halves: new Int32Array(data.buffer) };
}

/** Where a carry runs, or a sign turns, in two halves or four words. */
const CORNERS = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 33n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n,
  2n ** 96n,
  10n ** 9n,
  10n ** 18n,
];
const magnitude = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...CORNERS),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([corner, factor, off]) => {
      const value = corner * BigInt(factor) + BigInt(off);
      return value < 0n ? -value : value;
    }),
  fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
);

describe('MySQL kernels', () => {
  describe('decimals', () => {
    const text = fc
      .record({
        precision: fc.integer({ min: 1, max: 38 }),
        share: fc.integer({ min: 0, max: 4 }),
        magnitude,
        negative: fc.boolean(),
        zeros: fc.constantFrom(0, 0, 0, 1, 5, 30),
        damage: fc.option(
          fc.tuple(fc.nat({ max: 50 }), fc.constantFrom('x', '.', '-', ' ', '/', ':')),
          { freq: 1 },
        ),
      })
      .map(({ precision, share, magnitude, negative, zeros, damage }) => {
        const scale = Math.min(30, (precision * share) >> 2);
        const bounded = magnitude % 10n ** BigInt(precision + (zeros === 1 ? 1 : 0));
        const digits = String(bounded).padStart(scale + 1, '0');
        const point = digits.length - scale;
        const whole = `${negative ? '-' : ''}${'0'.repeat(zeros)}${digits.slice(0, point)}`;
        let text = scale === 0 ? whole : `${whole}.${digits.slice(point)}`;
        if (damage !== null) {
          const at = damage[0] % text.length;
          text = text.slice(0, at) + damage[1] + text.slice(at + 1);
        }
        return { precision, scale, value: Buffer.from(text) };
      });

    it('are what the slow decoder reads, or are left to it', () => {
      let taken = 0;
      fc.assert(
        fc.property(text, ({ precision, scale, value }) => {
          const expected = unscaledDecimal(value, precision, scale);
          const { bytes, starts, ends } = laid([value]);
          let found: bigint;
          if (precision <= 18) {
            const { data, halves } = halved(1);
            if (readDecimals(bytes, starts, ends, 0, 1, halves, precision, scale) === 0) return;
            found = data[0]!;
          } else {
            const wide = new DataView(new ArrayBuffer(16));
            if (readWideDecimals(bytes, starts, ends, 0, 1, wide, precision, scale) === 0) return;
            found = (wide.getBigInt64(0) << 64n) + wide.getBigUint64(8);
          }
          assert.equal(found, expected, value.toString());
          taken++;
        }),
        { seed: 4, numRuns: 20_000 },
      );
      assert.ok(taken > 5_000, String(taken));
    }).timeout(30_000);

    it('take all that the server prints of a decimal in its bounds', () => {
      const inBounds = fc.integer({ min: 1, max: 38 }).chain((precision) =>
        fc.record({
          precision: fc.constant(precision),
          scale: fc.integer({ min: 0, max: Math.min(30, precision) }),
          magnitude: magnitude.map((value) => value % 10n ** BigInt(precision)),
        }),
      );
      fc.assert(
        fc.property(inBounds, fc.boolean(), ({ precision, scale, magnitude }, negative) => {
          const digits = String(magnitude).padStart(scale + 1, '0');
          const point = digits.length - scale;
          const printed = `${negative ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : '.'}${digits.slice(point)}`;
          const { bytes, starts, ends } = laid([Buffer.from(printed)]);
          const target = new ArrayBuffer(16);
          const taken =
            precision <= 18
              ? readDecimals(bytes, starts, ends, 0, 1, new Int32Array(target), precision, scale)
              : readWideDecimals(bytes, starts, ends, 0, 1, new DataView(target), precision, scale);
          assert.equal(taken, 1, printed);
        }),
        { seed: 5, numRuns: 5_000 },
      );
    });
  });

  describe('dates and times', () => {
    const definition = (type: number) => ({ type, unsigned: false, decimals: 6 });
    const moment = fc
      .record({
        year: fc.oneof(
          fc.integer({ min: 0, max: 9999 }),
          fc.integer({ min: 0, max: 65_535 }),
          fc.constantFrom(0, 1900, 2000, 2024, 9999),
        ),
        month: fc.integer({ min: 0, max: 13 }),
        day: fc.integer({ min: 0, max: 32 }),
        hour: fc.integer({ min: 0, max: 24 }),
        minute: fc.integer({ min: 0, max: 60 }),
        second: fc.integer({ min: 0, max: 60 }),
        micros: fc.integer({ min: 0, max: 1_000_000 }),
        length: fc.constantFrom(0, 4, 7, 11),
      })
      .map(({ year, month, day, hour, minute, second, micros, length }) => {
        const bytes = Buffer.alloc(11);
        bytes.writeUInt16LE(year);
        bytes.set([month, day, hour, minute, second], 2);
        bytes.writeUInt32LE(micros, 7);
        return bytes.subarray(0, length);
      });

    it('are what the slow decoder reads of their text', () => {
      let taken = 0;
      fc.assert(
        fc.property(moment, (value) => {
          const { bytes, view, starts, ends } = laid([value]);
          const date = textOf(definition(WIRE.date))(bytes, 0, value.length);
          const day = new Int32Array(1);
          const days = daysOfDate(date);
          const isFar = value.length > 0 && value.readUInt16LE() > 9999;
          const takesDate = value.length === 4 && !Number.isNaN(days) && !isFar;
          assert.equal(
            readDates(view, starts, ends, 0, 1, day),
            takesDate ? 1 : 0,
            date.toString(),
          );
          if (takesDate) assert.equal(day[0], days);

          const text = textOf(definition(WIRE.datetime))(bytes, 0, value.length);
          const isWrong = isFar || (value.length === 11 && value.readUInt32LE(7) > 999_999);
          const micros = isWrong ? undefined : microsOfTimestamp(text);
          const { data, halves } = halved(1);
          const took = readTimestamps(view, starts, ends, 0, 1, halves);
          assert.equal(took, micros === undefined ? 0 : 1, text.toString());
          if (micros !== undefined) assert.equal(data[0], micros, text.toString());
          taken += took;
        }),
        { seed: 6, numRuns: 20_000 },
      );
      assert.ok(taken > 5_000, String(taken));
    }).timeout(30_000);

    it('know every day of the calendar', () => {
      const value = Buffer.alloc(4);
      const { view, starts, ends, bytes } = laid([value]);
      const day = new Int32Array(1);
      const moment = new Date(0);
      for (let days = -719_528; days <= 2_932_896; days++) {
        moment.setTime(days * 86_400_000);
        bytes.writeUInt16LE(moment.getUTCFullYear());
        bytes[2] = moment.getUTCMonth() + 1;
        bytes[3] = moment.getUTCDate();
        assert.equal(readDates(view, starts, ends, 0, 1, day), 1);
        if (day[0] !== days) assert.fail(`${moment.toISOString()}: ${day[0]}`);
      }
    }).timeout(30_000);

    it('take spans of either sign', () => {
      const span = fc
        .record({
          negative: fc.integer({ min: 0, max: 1 }),
          days: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
          clock: fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 60 }), fc.nat({ max: 60 })),
          micros: fc.integer({ min: 0, max: 1_000_000 }),
          length: fc.constantFrom(0, 8, 12),
        })
        .map(({ negative, days, clock, micros, length }) => {
          const bytes = Buffer.alloc(12);
          bytes[0] = negative;
          bytes.writeUInt32LE(days, 1);
          bytes.set(clock, 5);
          bytes.writeUInt32LE(micros, 8);
          return bytes.subarray(0, length);
        });
      fc.assert(
        fc.property(span, (value) => {
          const { bytes, view, starts, ends } = laid([value]);
          const text = textOf(definition(WIRE.time))(bytes, 0, value.length);
          const micros = microsOfDuration(text);
          const isExact = Number.isSafeInteger(micros) && !text.toString().includes('.1000000');
          const { data, halves } = halved(1);
          if (readDurations(view, starts, ends, 0, 1, halves) === 0) {
            assert.ok(
              !isExact || value[8] === undefined || bytes.readUInt32LE(8) > 999_999,
              text.toString(),
            );
          } else {
            assert.equal(data[0], BigInt(micros), text.toString());
          }
        }),
        { seed: 7, numRuns: 5_000 },
      );
    });

    it('stop at a length that no value has', () => {
      for (const length of [1, 2, 3, 5, 6, 8, 9, 10, 12, 13, 255]) {
        const { view, starts, ends } = laid([Buffer.alloc(length, 1)]);
        const { halves } = halved(1);
        assert.equal(readDates(view, starts, ends, 0, 1, halves), 0);
        assert.equal(readTimestamps(view, starts, ends, 0, 1, halves), 0);
        if (length !== 8 && length !== 12) {
          assert.equal(readDurations(view, starts, ends, 0, 1, halves), 0);
        }
      }
    });
  });

  it('read bits as the number that they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9 }), (value) => {
        const { bytes, starts, ends } = laid([Buffer.from(value)]);
        const { data, halves } = halved(1);
        const taken = readBits(bytes, starts, ends, 0, 1, halves);
        assert.equal(taken, value.length > 8 ? 0 : 1);
        const expected = value.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
        if (taken === 1) assert.equal(BigInt.asUintN(64, data[0]!), expected);
      }),
      { seed: 8, numRuns: 1_000 },
    );
  });

  it('close up NULLs and values that are dropped', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('null', 'kept', 'dropped')), (rows) => {
        const starts = Int32Array.from(rows, (row, index) => (row === 'null' ? -1 : index));
        const ends = Int32Array.from(rows, (_, index) => index + 1);
        const valid = new Uint8Array(rows.length);
        const values = closeUpNulls(valid, starts, ends, rows.length);
        assert.deepEqual(
          [...valid],
          rows.map((row) => (row === 'null' ? 0 : 1)),
        );
        const left = dropValues(
          valid,
          starts,
          ends,
          rows.length,
          (value) => value < values && rows[starts[value]!] === 'kept',
        );
        const kept = rows.flatMap((row, index) => (row === 'kept' ? [index] : []));
        assert.deepEqual([...starts.subarray(0, left)], kept);
        assert.deepEqual(
          [...ends.subarray(0, left)],
          kept.map((index) => index + 1),
        );
        assert.deepEqual(
          [...valid],
          rows.map((row) => (row === 'kept' ? 1 : 0)),
        );
      }),
      { seed: 9, numRuns: 1_000 },
    );
  });
});
