import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { definitionLevels, levelsRoom } from '../../../src/columnar/parquet/encoding';
import { releaseAll } from '../kernels/laid-out';
import { readThrift, ThriftWriter } from '../../../src/columnar/parquet/thrift';

const memory = new KernelMemory();

function encoded(levels: readonly (0 | 1)[]): Buffer {
  const values = levels.filter((level) => level === 1).length;
  const valid = memory.uint8(levels.length + 8);
  valid.set(levels);
  // What lies behind the levels must not get into them.
  valid.fill(1, levels.length);
  const room = levelsRoom(levels.length);
  const out = memory.bytes(room + 8).fill(0xaa);
  const written = definitionLevels(memory.kernels, valid, levels.length, values, out);
  assert.ok(out.subarray(room).every((byte) => byte === 0xaa));
  releaseAll(memory, [valid, out]);
  return Buffer.from(written);
}

/** Reads the RLE/bit-packed hybrid of width 1, as its specification says. */
function decoded(bytes: Buffer, rows: number): number[] {
  assert.equal(bytes.readUInt32LE(0), bytes.length - 4);
  const levels: number[] = [];
  let at = 4;
  while (at < bytes.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (header % 2 === 0) {
      levels.push(...Array<number>(header >> 1).fill(bytes[at++] ?? -1));
    } else {
      for (let bit = 0; bit < (header >> 1) * 8; bit++) {
        levels.push(((bytes[at + (bit >> 3)] ?? 0) >> (bit & 7)) & 1);
      }
      at += header >> 1;
    }
  }
  assert.ok(levels.slice(rows).every((padding) => padding === 0) && levels.length < rows + 8);
  return levels.slice(0, rows);
}

describe('definition levels', () => {
  it('are one run when all agree', () => {
    assert.deepEqual(encoded(Array<1>(100).fill(1)), Buffer.from('03000000c80101', 'hex'));
    assert.deepEqual(encoded([0, 0]), Buffer.from('020000000400', 'hex'));
  });

  it('pack what alternates, and run what repeats', () => {
    const levels = [...Array<1>(3).fill(1), 0 as const, ...Array<1>(30).fill(1), 0 as const];
    // A packed group of 11101111, a run of 24 ones, and another group, 110.
    assert.deepEqual(encoded(levels), Buffer.from('0600000003f730010303', 'hex'));
  });

  it('come back whatever their runs', () => {
    const run = fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 60 }), (runs) => {
        const levels = runs.flatMap(([level, count]) => Array<0 | 1>(count).fill(level));
        assert.deepEqual(decoded(encoded(levels), levels.length), levels);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});

describe('thrift', () => {
  it('reads what it wrote', () => {
    const out = new ThriftWriter();
    out.i32(1, -7);
    out.i64(2, 2 ** 52);
    out.boolean(3, true);
    out.boolean(20, false);
    out.binary(21, 'é');
    out.struct(22, () => out.i8(1, 64));
    out.i32List(
      23,
      Array.from({ length: 20 }, (_, i) => i),
    );
    out.binaryList(24, ['a']);
    out.structList(25, [1, 2], (item) => out.i16(3, item));
    const read = readThrift(out.stop().bytes());
    assert.deepEqual(
      [...read].map(([field, value]) => [field, value]),
      [
        [1, -7],
        [2, 2 ** 52],
        [3, true],
        [20, false],
        [21, Buffer.from('é')],
        [22, new Map([[1, 64]])],
        [23, Array.from({ length: 20 }, (_, i) => i)],
        [24, [Buffer.from('a')]],
        [25, [new Map([[3, 1]]), new Map([[3, 2]])]],
      ],
    );
  });

  it('refuses what ends early', () => {
    assert.throws(() => readThrift(Buffer.from([0x15])), RangeError);
    assert.throws(() => readThrift(Buffer.from([0x18, 0x7f, 0x00])), RangeError);
  });
});
