import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { beginnings, byteString, word } from './byte-strings';
import { laidOut, releaseAll } from './laid-out';

const memory = new KernelMemory();
const { kernels, state } = memory;
const RUNS = { seed: 32, numRuns: 400 };

type Find = (this: void, values: number, count: number, state: number) => void;

/** The values at the places that a kernel found. */
function found<Value>(all: readonly Value[]): (Value | undefined)[] {
  return [all[state[0]!], all[state[1]!]];
}

/** The first and the last in order. */
function twin<Value>(all: readonly Value[], compare: (a: Value, b: Value) => number) {
  const sorted = all.toSorted(compare);
  return [sorted[0], sorted.at(-1)];
}

const byNumber = (a: bigint, b: bigint) => (a < b ? -1 : Number(a > b));

describe('kernels for extremes', () => {
  const NUMBERS: readonly (readonly [string, Find, 32 | 64, (value: bigint) => bigint])[] = [
    ['signed 32', kernels.extremesSigned32, 32, (value) => BigInt.asIntN(32, value)],
    ['unsigned 32', kernels.extremesUnsigned32, 32, (value) => BigInt.asUintN(32, value)],
    ['signed 64', kernels.extremesSigned64, 64, (value) => value],
    ['unsigned 64', kernels.extremesUnsigned64, 64, (value) => BigInt.asUintN(64, value)],
  ];
  for (const [name, find, bits, read] of NUMBERS) {
    it(`of numbers: ${name}`, () => {
      fc.assert(
        fc.property(fc.array(word, { minLength: 1, maxLength: 50 }), (words) => {
          const view = bits === 32 ? memory.int32(words.length) : memory.int64(words.length);
          words.forEach((value, i) => {
            if (view instanceof Int32Array) view[i] = Number(BigInt.asIntN(32, value));
            else view[i] = BigInt.asIntN(64, value);
          });
          find(view.byteOffset, words.length, state.byteOffset);
          const values = [...view].map((value) => read(BigInt(value)));
          assert.deepEqual(found(values), twin(values, byNumber));
          releaseAll(memory, [view]);
        }),
        RUNS,
      );
    });
  }

  it('of byte strings', () => {
    const some = (value: fc.Arbitrary<Buffer>) => fc.array(value, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(some(byteString), some(beginnings)), (all) => {
        const { data, starts, ends } = laidOut(memory, all);
        kernels.extremesBytes(
          data.byteOffset,
          starts.byteOffset,
          ends.byteOffset,
          all.length,
          state.byteOffset,
        );
        assert.deepEqual(found(all), twin(all, Buffer.compare));
        releaseAll(memory, [data, starts, ends]);
      }),
      RUNS,
    );
  });
});
