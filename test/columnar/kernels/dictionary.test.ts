import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { createDictionary, MOST_ENTRIES } from '../../../src/columnar/parquet/dictionary';
import { parquetType } from '../../../src/columnar/parquet/schema';
import { Residence } from '../../../src/columnar/parquet/residence';
import { createVector, type Vector } from '../../../src/columnar/vectors';
import type { LogicalType } from '../../../src/types/logical';
import { column } from '../../support/columns';
import { byteString, byteStringsOf, word } from './byte-strings';

const memory = new KernelMemory();
const RUNS = { seed: 33, numRuns: 200 };

const TEXT = { kind: 'text' } as const;
const UUID = { kind: 'uuid' } as const;
const INT32 = { kind: 'int', bits: 32, signed: true } as const;
const INT64 = { kind: 'int', bits: 64, signed: true } as const;
/** 16 bytes in the vector, 9 in the file. */
const DECIMAL = { kind: 'decimal', precision: 20, scale: 0 } as const;
const LONGEST_VALUE = 1024;

/** A value as its bytes; the dictionary knows nothing else of it. */
type Bytes = Buffer;

function vectorOf(type: LogicalType, values: readonly Bytes[], where?: KernelMemory): Vector {
  const vector = createVector(column('v', type), where);
  for (const value of values) {
    if (vector.storage === 'bytes') vector.append(value);
    else if (vector.storage === 'fixed32') vector.append(value.readInt32LE());
    else if (vector.storage === 'fixed64') vector.append(value.readBigInt64LE());
  }
  return vector;
}

/** Value i of a vector as the file would hold it. */
function bytesAt(vector: Vector, i: number): Bytes {
  const { length } = parquetType(vector.spec.type);
  if (vector.storage === 'bytes') {
    const end = vector.ends[i]!;
    const start = length === undefined ? vector.starts[i]! : end - length;
    return Buffer.from(vector.data.subarray(start, end));
  }
  const width = vector.data.BYTES_PER_ELEMENT;
  return Buffer.from(vector.data.buffer, vector.data.byteOffset + i * width, width);
}

/** The indexes that a Map gives, and the values in their order; as many as a dictionary may hold. */
function twin(values: readonly Bytes[]): { indexes: number[]; entries: string[] } {
  const known = new Map<string, number>();
  const indexes: number[] = [];
  for (const value of values) {
    const key = value.toString('hex');
    const isNew = !known.has(key);
    if (isNew && (known.size === MOST_ENTRIES || value.length > LONGEST_VALUE)) break;
    if (isNew) known.set(key, known.size);
    indexes.push(known.get(key)!);
  }
  return { indexes, entries: [...known.keys()] };
}

/** Puts the values into a dictionary in pieces, until it takes no more, and compares. */
function assertSame(type: LogicalType, values: readonly Bytes[], piece: number, isInside = true) {
  const dictionary = createDictionary(memory, column('v', type), parquetType(type).length)!;
  const place = new Residence(memory);
  const vector = vectorOf(type, values, isInside ? memory : undefined);
  const indexes = memory.int32(values.length);
  // Twice: what a cleared dictionary held before means nothing.
  for (const part of [values.length >> 1, values.length]) {
    dictionary.clear();
    let taken = 0;
    while (taken < part) {
      const end = Math.min(part, taken + piece);
      place.settle(vector, taken, end);
      const count = dictionary.encode(place, end - taken, indexes.byteOffset + taken * 4);
      taken += count;
      if (taken < end) break;
    }
    const expected = twin(values.slice(0, part).map((_, i) => bytesAt(vector, i)));
    assert.deepEqual([...indexes.subarray(0, taken)], expected.indexes);
    const entries = Array.from({ length: dictionary.values.values }, (_, i) =>
      bytesAt(dictionary.values, i).toString('hex'),
    );
    assert.deepEqual(entries, expected.entries);
  }
  place.release();
  dictionary.release();
  vector.release();
  memory.release(indexes);
}

function bytesOf(value: bigint, width: 4 | 8): Bytes {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.subarray(0, width);
}

/**
 * Four words, the second of them given and the third such that kernels/dictionary.ts makes the same
 * hash of the whole whatever the second is.
 */
function withHash(second: bigint): Bytes {
  const modulus = 2n ** 64n;
  const spread = 0x9e3779b97f4a7c15n;
  const first = 0x6162636465666768n;
  const step = (hash: bigint, part: bigint) => (((hash ^ part) * spread) % modulus) ^ (hash >> 29n);
  const before = step(step(32n, first), second);
  const wanted = 0x0123456789abcdefn ^ (before >> 29n);
  const third = ((wanted * inverse(spread, modulus)) % modulus) ^ before;
  const bytes = Buffer.alloc(32);
  [first, second, third, first].forEach((part, i) => bytes.writeBigUInt64LE(part, i * 8));
  return bytes;
}

/** Of an odd number modulo a power of two, by Newton's iteration, which doubles the right bits. */
function inverse(odd: bigint, modulus: bigint): bigint {
  let result = odd;
  for (let bits = 3; bits < 64; bits *= 2)
    result = BigInt.asUintN(64, result * (2n - odd * result));
  return result % modulus;
}

/** Values, some of them again and again. */
function repeating(value: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes[]> {
  return fc.oneof(
    fc.array(value, { maxLength: 80 }),
    fc
      .tuple(
        fc.array(value, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 99 }),
      )
      .map(([few, picks]) => picks.map((pick) => few[pick % few.length]!)),
  );
}

describe('dictionaries', () => {
  const TYPES: readonly (readonly [string, LogicalType, fc.Arbitrary<Bytes>])[] = [
    ['32 bits', INT32, word.map((value) => bytesOf(value, 4))],
    ['64 bits', INT64, word.map((value) => bytesOf(value, 8))],
    ['byte strings', TEXT, byteString],
    ['byte strings of 16', UUID, byteStringsOf(16)],
    ['the last bytes of 16', DECIMAL, byteStringsOf(16)],
  ];
  for (const [name, type, value] of TYPES) {
    it(`number values as a Map does: ${name}`, () => {
      const pieces = fc.integer({ min: 1, max: 90 });
      fc.assert(
        fc.property(repeating(value), pieces, fc.boolean(), (values, piece, isInside) => {
          assertSame(type, values, piece, isInside);
        }),
        RUNS,
      );
    });
  }

  /** So many distinct values, each met twice, the second time in another order. */
  function twice(distinct: number, value: (number: number) => Bytes): Bytes[] {
    const order = Array.from({ length: distinct }, (_, i) => i);
    const again = order.map((i) => (i * 7919) % distinct);
    return [...order, ...again].map(value);
  }
  const MANY: readonly (readonly [string, LogicalType, (number: number) => Bytes])[] = [
    ['32 bits', INT32, (i) => bytesOf(BigInt(i * 65_537) % 2n ** 32n, 4)],
    ['64 bits that differ in the high half', INT64, (i) => bytesOf(BigInt(i) << 47n, 8)],
    ['byte strings with one beginning', TEXT, (i) => Buffer.from(`the same beginning ${i}`)],
    ['short byte strings', TEXT, (i) => Buffer.from(i.toString(36))],
    ['byte strings with one end', TEXT, (i) => Buffer.from(`${i} and the same end`)],
    [
      'byte strings of one length',
      UUID,
      (i) => Buffer.from(i.toString(16).padStart(32, '0'), 'hex'),
    ],
  ];
  for (const [name, type, value] of MANY) {
    it(`grow, and stop when they are full: ${name}`, () => {
      for (const distinct of [257, 5000, MOST_ENTRIES + 1]) {
        assertSame(type, twice(distinct, value), 8192);
      }
    });
  }

  it('tell strings of one byte by their lengths', () => {
    // Their first and their last eight bytes are the same.
    const all = Array.from({ length: 9 * 256 }, (_, i) => Buffer.alloc(8 + (i % 9), i / 9));
    assertSame(TEXT, [...all, ...all], 1000);
  });

  it('tell strings apart whose hashes are equal', () => {
    const strings = [0n, 1n, 2n ** 63n, 0x6161616161616161n].map(withHash);
    assertSame(TEXT, [...strings, ...strings.toReversed()], 3);
  });

  it('stop at a mebibyte of byte strings, and give back those before', () => {
    const values = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(1000, `${i} `));
    const dictionary = createDictionary(memory, column('v', TEXT), undefined)!;
    const place = new Residence(memory).settle(vectorOf(TEXT, values), 0, values.length);
    const indexes = memory.int32(values.length);
    const taken = dictionary.encode(place, values.length, indexes.byteOffset);
    assert.equal(taken, Math.floor(2 ** 20 / 1004));
    for (let i = 0; i < taken; i++) assert.ok(bytesAt(dictionary.values, i).equals(values[i]!));
    place.release();
    dictionary.release();
    memory.release(indexes);
  });
});
