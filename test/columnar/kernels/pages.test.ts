import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { byteString, byteStringsOf, word } from './byte-strings';
import { laidOut, releaseAll } from './laid-out';

const memory = new KernelMemory();
const { kernels } = memory;
const RUNS = { seed: 31, numRuns: 300 };

/** Runs of equal numbers below 2^bits. */
function indexes(bits: number): fc.Arbitrary<number[]> {
  const value = fc.oneof(fc.constant(2 ** bits - 1), fc.integer({ min: 0, max: 2 ** bits - 1 }));
  const run = fc.tuple(value, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 })));
  return fc
    .array(run, { minLength: 1, maxLength: 60 })
    .map((runs) => runs.flatMap(([number, times]) => Array<number>(times).fill(number)));
}

function int32s(values: readonly number[]): Int32Array<ArrayBuffer> {
  const view = memory.int32(values.length);
  view.set(values.map((value) => value | 0));
  return view;
}

/** As strings of bits: each value's digits before those of the one that precedes it. */
function packedTwin(values: readonly number[], width: number): Buffer {
  const digits = values.map((value) => value.toString(2).padStart(width, '0'));
  const bits = Math.ceil(values.length / 8) * 8 * width;
  const all = digits.toReversed().join('').padStart(bits, '0');
  const bytes = all.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.toReversed().map((byte) => parseInt(byte, 2)));
}

describe('kernels for pages', () => {
  it('pack numbers of every width', () => {
    const widths = fc
      .integer({ min: 1, max: 32 })
      .chain((width) => fc.tuple(fc.constant(width), indexes(width), fc.nat({ max: 20 })));
    fc.assert(
      fc.property(widths, ([width, values, skipped]) => {
        const from = Math.min(skipped, values.length);
        const view = int32s(values);
        const expected = packedTwin(values.slice(from), width);
        const out = memory.bytes(expected.length + 16).fill(0xaa);
        kernels.pack(view.byteOffset, from, values.length, width, out.byteOffset);
        assert.deepEqual(out.subarray(0, expected.length), expected);
        assert.ok(out.subarray(expected.length + 8).every((byte) => byte === 0xaa));
        releaseAll(memory, [view, out]);
      }),
      RUNS,
    );
  });

  it('gather values of 32 and 64 bits by their indexes', () => {
    fc.assert(
      fc.property(indexes(3), fc.array(word, { minLength: 8, maxLength: 8 }), (places, words) => {
        const values = words.map((value) => BigInt.asIntN(64, value));
        const wide = memory.int64(values.length);
        wide.set(values);
        const narrow = int32s(values.map((value) => Number(BigInt.asIntN(32, value))));
        const view = int32s(places);
        const wideOut = memory.int64(places.length);
        const narrowOut = memory.int32(places.length);
        const { length } = places;
        kernels.gather64(wide.byteOffset, view.byteOffset, length, wideOut.byteOffset);
        kernels.gather32(narrow.byteOffset, view.byteOffset, length, narrowOut.byteOffset);
        assert.deepEqual(
          [...wideOut],
          places.map((place) => values[place]),
        );
        assert.deepEqual(
          [...narrowOut],
          places.map((place) => narrow[place]),
        );
        releaseAll(memory, [wide, narrow, view, wideOut, narrowOut]);
      }),
      RUNS,
    );
  });

  it('count repeats and the lengths of runs', () => {
    fc.assert(
      fc.property(indexes(3), fc.nat(), (values, start) => {
        const view = int32s(values);
        const repeats = values.filter((value, i) => i > 0 && value === values[i - 1]);
        assert.equal(kernels.countRepeats(view.byteOffset, values.length), repeats.length);
        const from = start % values.length;
        const other = values.findIndex((value, i) => i > from && value !== values[from]);
        const expected = (other < 0 ? values.length : other) - from;
        assert.equal(kernels.runLength(view.byteOffset, from, values.length), expected);
        releaseAll(memory, [view]);
      }),
      RUNS,
    );
  });

  it('mark the entries that a page uses, and no others', () => {
    fc.assert(
      fc.property(indexes(6), (values) => {
        const [view, used] = [int32s(values), memory.int32(64).fill(7)];
        kernels.markUsed(view.byteOffset, values.length, used.byteOffset, 9);
        const expected = Array.from({ length: 64 }, (_, i) => (values.includes(i) ? 9 : 7));
        assert.deepEqual([...used], expected);
        releaseAll(memory, [view, used]);
      }),
      RUNS,
    );
  });

  it('write byte strings behind their lengths', () => {
    const around256 = fc.integer({ min: 250, max: 262 }).map((length) => Buffer.alloc(length, 5));
    const values = fc.array(fc.oneof(byteString, around256), { maxLength: 60 });
    fc.assert(
      fc.property(values, (all) => {
        const { data, starts, ends } = laidOut(memory, all);
        const expected = Buffer.concat(
          all.flatMap((value) => {
            const length = Buffer.alloc(4);
            length.writeUInt32LE(value.length);
            return [length, value];
          }),
        );
        const [from, to, count] = [starts.byteOffset, ends.byteOffset, all.length];
        const total = kernels.sumLengths(from, to, count);
        assert.equal(total + 4 * count, expected.length);
        const out = memory.bytes(expected.length + 32).fill(0xaa);
        const end = kernels.plainBytes(data.byteOffset, from, to, count, out.byteOffset);
        assert.equal(end - out.byteOffset, expected.length);
        assert.deepEqual(out.subarray(0, expected.length), expected);
        assert.ok(out.subarray(expected.length + 16).every((byte) => byte === 0xaa));
        releaseAll(memory, [data, starts, ends, out]);
      }),
      RUNS,
    );
  });

  it('write the last bytes of each value', () => {
    const cases = fc
      .integer({ min: 1, max: 16 })
      .chain((width) =>
        fc.tuple(fc.constant(width), fc.array(byteStringsOf(16), { maxLength: 40 })),
      );
    fc.assert(
      fc.property(cases, ([width, all]) => {
        const { data, starts, ends } = laidOut(memory, all);
        const expected = Buffer.concat(all.map((value) => value.subarray(16 - width)));
        const out = memory.bytes(expected.length + 8);
        kernels.plainTails(data.byteOffset, ends.byteOffset, all.length, width, out.byteOffset);
        assert.deepEqual(out.subarray(0, expected.length), expected);
        releaseAll(memory, [data, starts, ends, out]);
      }),
      RUNS,
    );
  });

  it('take the low halves of 64-bit values', () => {
    fc.assert(
      fc.property(fc.array(word), (all) => {
        const values = memory.int64(all.length);
        values.set(all.map((value) => BigInt.asIntN(64, value)));
        const out = memory.int32(all.length);
        kernels.narrow(values.byteOffset, all.length, out.byteOffset);
        assert.deepEqual(
          [...out],
          all.map((value) => Number(BigInt.asIntN(32, value))),
        );
        releaseAll(memory, [values, out]);
      }),
      RUNS,
    );
  });

  it('count the rows that have a value', () => {
    const flags = fc.array(fc.constantFrom(0, 1), { maxLength: 100 });
    fc.assert(
      fc.property(flags, fc.nat(), (all, start) => {
        const view = memory.uint8(all.length + 8).fill(1);
        view.set(all);
        const from = start % (all.length + 1);
        const expected = all.slice(from).filter((flag) => flag === 1).length;
        assert.equal(kernels.countOnes(view.byteOffset, from, all.length), expected);
        releaseAll(memory, [view]);
      }),
      RUNS,
    );
  });
});
