import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { addresses, release, wireColumn } from './wire-column';

const memory = new KernelMemory();
const { kernels } = memory;
const RUNS = { seed: 10, numRuns: 300 };
const value = fc.option(fc.uint8Array({ maxLength: 20 }));

describe('kernels for columns of a field table', () => {
  it('gather the places of values and mark which rows have one', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 70 }), (values) => {
        const column = wireColumn(memory, values);
        const valid = memory.uint8(values.length);
        const [, starts, ends, count] = addresses(column);
        const found = kernels.gatherValues(starts, ends, valid.byteOffset, count);
        const read = Array.from({ length: found }, (_, i) =>
          column.bytes.subarray(column.starts[i], column.ends[i]),
        );
        const present = values.filter((one) => one !== null);
        assert.deepEqual(
          read.map((one) => [...one]),
          present.map((one) => [...one]),
        );
        assert.deepEqual(
          [...valid],
          values.map((one) => (one === null ? 0 : 1)),
        );
        release(memory, [column.bytes, column.starts, column.ends, valid]);
      }),
      RUNS,
    );
  });

  it('tell whether all values have one width', () => {
    const widths = fc.array(fc.oneof({ weight: 30, arbitrary: fc.constant(4) }, fc.nat(9)), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(widths, (lengths) => {
        const column = wireColumn(
          memory,
          lengths.map((length) => new Uint8Array(length)),
        );
        const [, starts, ends, count] = addresses(column);
        const hasOther = kernels.otherWidths(starts, ends, count, 4) !== 0;
        assert.equal(
          hasOther,
          lengths.some((length) => length !== 4),
        );
        release(memory, [column.bytes, column.starts, column.ends]);
      }),
      RUNS,
    );
  });

  it('place values side by side', () => {
    const starts = memory.int32(5);
    const ends = memory.int32(5);
    kernels.placeSideBySide(starts.byteOffset, ends.byteOffset, 5, 16);
    assert.deepEqual([...starts], [0, 16, 32, 48, 64]);
    assert.deepEqual([...ends], [16, 32, 48, 64, 80]);
  });
});
