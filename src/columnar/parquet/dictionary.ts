import type {
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
} from '../vectors';
import { createVector, type Vector } from '../vectors';
import type { ColumnSpec } from '../../types/logical';

/**
 * The distinct values of a column chunk in the order in which they came. A page then holds their
 * indexes, which are smaller and cheaper to compress than the values.
 */
export interface Dictionary {
  /** Value i has index i. */
  readonly values: Vector;
  /**
   * Writes the indexes of values `from` up to `end` of a vector to `indexes` from `at` on. Returns
   * how many it took: fewer than asked when the dictionary is full, and then no more.
   */
  encode(vector: Vector, from: number, end: number, indexes: Int32Array, at: number): number;
  clear(): void;
}

/** More distinct values than this, and the plain encoding is as good. */
export const MOST_ENTRIES = 1 << 15;
/** Bytes of all distinct values together; readers hold a dictionary in memory whole. */
const MOST_BYTES = 1024 * 1024;
/** Values longer than this seldom repeat, and hashing them costs as much as writing them. */
const LONGEST_VALUE = 1024;

/** A dictionary for a column; undefined for booleans, which take one bit as they are. */
export function createDictionary(spec: ColumnSpec): Dictionary | undefined {
  const values = createVector(spec);
  switch (values.storage) {
    case 'boolean':
      return undefined;
    case 'fixed32':
    case 'float':
      return new Dictionary32(values);
    case 'fixed64':
    case 'double':
      return new Dictionary64(values);
    case 'bytes':
      return new BytesDictionary(values);
  }
}

const FIRST_SLOTS = 512;
/** 2^32 divided by the golden ratio: multiplied by it, neighbours end far apart in the high bits. */
const SPREAD = 0x9e3779b1 | 0;

/**
 * A hash table with open addressing: a slot holds an index plus one, or zero. It is kept at most
 * half full, so that a search ends after a step or two.
 */
class Slots {
  slots = new Int32Array(FIRST_SLOTS);
  /** A hash shifted right by this is a slot. */
  shift = 32 - Math.log2(FIRST_SLOTS);
  mask = FIRST_SLOTS - 1;

  /** Four times the slots, all empty. */
  grow(): void {
    this.slots = new Int32Array(this.slots.length * 4);
    this.shift -= 2;
    this.mask = this.slots.length - 1;
  }

  clear(): void {
    this.slots.fill(0);
  }
}

/** Of values of 32 bits, told apart by their bits: 0 and -0 are two values, each NaN its own. */
class Dictionary32 implements Dictionary {
  private readonly table = new Slots();
  private bits = new Int32Array(FIRST_SLOTS);

  constructor(readonly values: Fixed32Vector | FloatVector) {}

  encode(vector: Vector, from: number, end: number, indexes: Int32Array, at: number): number {
    const { data } = vector as Fixed32Vector | FloatVector;
    const source = new Int32Array(data.buffer, data.byteOffset, data.length);
    let { slots, shift, mask } = this.table;
    let bits = this.bits;
    let size = this.values.values;
    let position = at;
    for (let i = from; i < end; i++) {
      const value = source[i]!;
      let slot = Math.imul(value, SPREAD) >>> shift;
      let index = slots[slot]! - 1;
      while (index >= 0 && bits[index] !== value) {
        slot = (slot + 1) & mask;
        index = slots[slot]! - 1;
      }
      if (index < 0) {
        if (size === MOST_ENTRIES) return i - from;
        index = size++;
        slots[slot] = size;
        (this.values as { append(value: number): void }).append(data[i]!);
        if (size > bits.length) bits = this.bits = grown(bits);
        bits[index] = value;
        if (size * 2 > slots.length) {
          this.rehash(size);
          ({ slots, shift, mask } = this.table);
        }
      }
      indexes[position++] = index;
    }
    return end - from;
  }

  clear(): void {
    this.values.clear();
    this.table.clear();
  }

  private rehash(size: number): void {
    this.table.grow();
    const { slots, shift, mask } = this.table;
    for (let index = 0; index < size; index++) {
      let slot = Math.imul(this.bits[index]!, SPREAD) >>> shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
  }
}

/** Of values of 64 bits, by their halves. */
class Dictionary64 implements Dictionary {
  private readonly table = new Slots();
  private halves = new Int32Array(FIRST_SLOTS * 2);

  constructor(readonly values: Fixed64Vector | DoubleVector) {}

  encode(vector: Vector, from: number, end: number, indexes: Int32Array, at: number): number {
    const { data } = vector as Fixed64Vector | DoubleVector;
    const source = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
    let { slots, shift, mask } = this.table;
    let halves = this.halves;
    let size = this.values.values;
    let position = at;
    for (let i = from; i < end; i++) {
      const low = source[2 * i]!;
      const high = source[2 * i + 1]!;
      let slot = hash64(low, high) >>> shift;
      let index = slots[slot]! - 1;
      while (index >= 0 && (halves[2 * index] !== low || halves[2 * index + 1] !== high)) {
        slot = (slot + 1) & mask;
        index = slots[slot]! - 1;
      }
      if (index < 0) {
        if (size === MOST_ENTRIES) return i - from;
        index = size++;
        slots[slot] = size;
        this.add(low, high, data, i);
        if (2 * size > halves.length) halves = this.halves = grown(halves);
        halves[2 * index] = low;
        halves[2 * index + 1] = high;
        if (size * 2 > slots.length) {
          this.rehash(size);
          ({ slots, shift, mask } = this.table);
        }
      }
      indexes[position++] = index;
    }
    return end - from;
  }

  clear(): void {
    this.values.clear();
    this.table.clear();
  }

  private add(low: number, high: number, data: BigInt64Array | Float64Array, i: number): void {
    const { values } = this;
    if (values.storage === 'fixed64') values.appendHalves(low, high);
    else values.append((data as Float64Array)[i]!);
  }

  private rehash(size: number): void {
    this.table.grow();
    const { slots, shift, mask } = this.table;
    for (let index = 0; index < size; index++) {
      let slot = hash64(this.halves[2 * index]!, this.halves[2 * index + 1]!) >>> shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
  }
}

function hash64(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), SPREAD);
}

/** Words of a key, see `BytesDictionary`. */
const KEY_WORDS = 5;
/** A value of up to so many bytes is its key. */
const SHORT = 16;

/**
 * Of byte strings. Each has a key of five words: its length and four words of its bytes, which for
 * a short value overlap so that they hold all of it. Equal keys of short values are equal values,
 * told without a loop, whose end the processor would mispredict for every other length; a longer
 * value's key ends in a hash of all of it, and its bytes are compared.
 */
class BytesDictionary implements Dictionary {
  private readonly table = new Slots();
  private keys = new Int32Array(FIRST_SLOTS * KEY_WORDS);

  constructor(readonly values: BytesVector) {}

  encode(vector: Vector, from: number, end: number, indexes: Int32Array, at: number): number {
    const { data, starts, ends } = vector as BytesVector;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const { values } = this;
    let { slots, shift, mask } = this.table;
    let keys = this.keys;
    let known = new DataView(values.data.buffer, values.data.byteOffset, values.data.byteLength);
    let position = at;
    for (let i = from; i < end; i++) {
      const start = starts[i]!;
      const length = ends[i]! - start;
      let first = 0;
      let second = 0;
      let third = 0;
      let last = 0;
      if (length >= 4) {
        // min(4, length - 4) and min(8, length - 4), without a branch.
        const short8 = length - 8;
        const short12 = length - 12;
        first = view.getInt32(start, true);
        second = view.getInt32(start + 4 + (short8 & (short8 >> 31)), true);
        third = view.getInt32(start + 8 + (short12 & (short12 >> 31)), true);
        last = length <= SHORT ? view.getInt32(start + length - 4, true) : 0;
        if (length > SHORT) {
          if (length > LONGEST_VALUE) return i - from;
          last = hashBytes(view, start, length);
        }
      } else if (length > 0) {
        first = view.getUint8(start);
        second = view.getUint8(start + (length >> 1));
        third = view.getUint8(start + length - 1);
      }
      let slot = hashKey(length, first, second, third, last) >>> shift;
      let index = slots[slot]! - 1;
      while (index >= 0) {
        const key = index * KEY_WORDS;
        if (
          keys[key] === length &&
          keys[key + 1] === first &&
          keys[key + 2] === second &&
          keys[key + 3] === third &&
          keys[key + 4] === last &&
          (length <= SHORT || isSame(known, values.starts[index]!, view, start, length))
        ) {
          break;
        }
        slot = (slot + 1) & mask;
        index = slots[slot]! - 1;
      }
      if (index < 0) {
        if (values.values === MOST_ENTRIES || values.byteLength + length > MOST_BYTES) {
          return i - from;
        }
        index = values.values;
        slots[slot] = index + 1;
        values.append(data.subarray(start, start + length));
        if (known.buffer !== values.data.buffer || known.byteLength !== values.data.byteLength) {
          known = new DataView(values.data.buffer, values.data.byteOffset, values.data.byteLength);
        }
        const key = index * KEY_WORDS;
        if (key >= keys.length) keys = this.keys = grown(keys);
        keys[key] = length;
        keys[key + 1] = first;
        keys[key + 2] = second;
        keys[key + 3] = third;
        keys[key + 4] = last;
        if (values.values * 2 > slots.length) {
          this.rehash(values.values);
          ({ slots, shift, mask } = this.table);
        }
      }
      indexes[position++] = index;
    }
    return end - from;
  }

  clear(): void {
    this.values.clear();
    this.table.clear();
  }

  private rehash(size: number): void {
    this.table.grow();
    const { slots, shift, mask } = this.table;
    const { keys } = this;
    for (let index = 0; index < size; index++) {
      const key = index * KEY_WORDS;
      const hash = hashKey(
        keys[key]!,
        keys[key + 1]!,
        keys[key + 2]!,
        keys[key + 3]!,
        keys[key + 4]!,
      );
      let slot = hash >>> shift;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
  }
}

function hashKey(
  length: number,
  first: number,
  second: number,
  third: number,
  last: number,
): number {
  const one = Math.imul(first ^ Math.imul(length, 0x85ebca6b), SPREAD);
  const two = Math.imul(second ^ Math.imul(last, 0xc2b2ae35), SPREAD);
  return Math.imul((one >>> 13) ^ (two >>> 9) ^ one ^ third, SPREAD);
}

function hashBytes(view: DataView, start: number, length: number): number {
  let hash = length;
  let at = start;
  for (const words = start + (length & ~3); at < words; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), SPREAD) ^ (hash >>> 15);
  }
  for (const end = start + length; at < end; at++) {
    hash = Math.imul(hash ^ view.getUint8(at), SPREAD);
  }
  return hash;
}

function isSame(
  known: DataView,
  other: number,
  view: DataView,
  start: number,
  length: number,
): boolean {
  const words = length & ~3;
  for (let at = 0; at < words; at += 4) {
    if (known.getInt32(other + at) !== view.getInt32(start + at)) return false;
  }
  for (let at = words; at < length; at++) {
    if (known.getUint8(other + at) !== view.getUint8(start + at)) return false;
  }
  return true;
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 4);
  larger.set(array);
  return larger;
}

/** The values behind the first `count` indexes, as a vector without NULLs. */
export function gathered(values: Vector, indexes: Int32Array, count: number): Vector {
  const result = createVector(values.spec);
  result.reserve(count);
  result.filled(count, count);
  switch (values.storage) {
    case 'bytes': {
      const target = result as BytesVector;
      for (let i = 0; i < count; i++) {
        target.starts[i] = values.starts[indexes[i]!]!;
        target.ends[i] = values.ends[indexes[i]!]!;
      }
      target.refer(values.data, 0);
      return target;
    }
    case 'fixed64': {
      const { halves } = result as Fixed64Vector;
      for (let i = 0; i < count; i++) {
        halves[2 * i] = values.halves[2 * indexes[i]!]!;
        halves[2 * i + 1] = values.halves[2 * indexes[i]! + 1]!;
      }
      return result;
    }
    case 'boolean':
    case 'fixed32':
    case 'float':
    case 'double': {
      const { data } = result as typeof values;
      for (let i = 0; i < count; i++) data[i] = values.data[indexes[i]!]!;
      return result;
    }
  }
}
