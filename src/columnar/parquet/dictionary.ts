import type { KernelMemory } from '../kernels/memory';
import type {
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
} from '../vectors';
import { createVector, type Vector } from '../vectors';
import type { ColumnSpec } from '../../types/logical';
import type { Residence } from './residence';

/**
 * The distinct values of a column chunk in the order in which they came. A page then holds their
 * indexes, which are smaller and cheaper to compress than the values.
 */
export interface Dictionary {
  /** Value i has index i. */
  readonly values: Vector;
  /**
   * Writes the indexes of the first `count` values at `place` to the address `indexes`. Returns how
   * many it took: fewer than asked when the dictionary is full, and then no more.
   */
  encode(place: Residence, count: number, indexes: number): number;
  clear(): void;
  /** Gives its memory back. */
  release(): void;
}

/** More distinct values than this, and the plain encoding is as good. */
export const MOST_ENTRIES = 1 << 15;
/** Bytes of all distinct values together; readers hold a dictionary in memory whole. */
const MOST_BYTES = 1024 * 1024;
/** Values longer than this seldom repeat, and hashing them costs as much as writing them. */
const LONGEST_VALUE = 1024;

/**
 * A dictionary for a column; undefined for booleans, which take one bit as they are.
 * @param width bytes of each value where the file's type has a fixed number of them.
 */
export function createDictionary(
  memory: KernelMemory,
  spec: ColumnSpec,
  width: number | undefined,
): Dictionary | undefined {
  const values = createVector(spec, memory);
  switch (values.storage) {
    case 'boolean':
      return undefined;
    case 'fixed32':
    case 'float':
    case 'fixed64':
    case 'double':
      return new FixedDictionary(memory, values);
    case 'bytes':
      return new BytesDictionary(memory, values, width ?? 0);
  }
}

const FIRST_BITS = 9;
const FIRST_COPIES = 4096;

/** The hash table of a dictionary: a slot holds an index plus one, or zero. At most half full. */
class Slots {
  bits = FIRST_BITS;
  private slots: Int32Array<ArrayBuffer>;

  constructor(private readonly memory: KernelMemory) {
    this.slots = memory.int32(1 << FIRST_BITS).fill(0);
  }

  get address(): number {
    return this.slots.byteOffset;
  }

  /** The most entries that this table and any dictionary may have. */
  get room(): number {
    return Math.min(MOST_ENTRIES, this.slots.length / 2);
  }

  /** Four times the slots, all empty. */
  grow(): void {
    this.memory.release(this.slots);
    this.bits += 2;
    this.slots = this.memory.int32(1 << this.bits).fill(0);
  }

  clear(): void {
    this.slots.fill(0);
  }

  release(): void {
    this.memory.release(this.slots);
  }
}

/** Of values of 32 or 64 bits, told apart by their bits: 0 and -0 are two values, each NaN its own. */
class FixedDictionary implements Dictionary {
  private readonly slots: Slots;

  constructor(
    private readonly memory: KernelMemory,
    readonly values: Fixed32Vector | Fixed64Vector | FloatVector | DoubleVector,
  ) {
    this.slots = new Slots(memory);
  }

  encode(place: Residence, count: number, indexes: number): number {
    const { memory, values, slots } = this;
    const { kernels, state } = memory;
    const width = values.data.BYTES_PER_ELEMENT;
    const look = width === 4 ? kernels.dictionary32 : kernels.dictionary64;
    let taken = 0;
    for (;;) {
      state[0] = values.values;
      taken += look(
        place.data + taken * width,
        count - taken,
        slots.address,
        slots.bits,
        values.data.byteOffset,
        slots.room,
        indexes + taken * 4,
        state.byteOffset,
      );
      values.filled(state[0], state[0]);
      if (taken === count || values.values === MOST_ENTRIES) return taken;
      this.grow();
    }
  }

  clear(): void {
    this.values.clear();
    this.slots.clear();
  }

  release(): void {
    this.values.release();
    this.slots.release();
  }

  private grow(): void {
    const { memory, values, slots } = this;
    const { kernels } = memory;
    slots.grow();
    keepAll(values, slots.room);
    const rehash = values.data.BYTES_PER_ELEMENT === 4 ? kernels.rehash32 : kernels.rehash64;
    rehash(slots.address, slots.bits, values.data.byteOffset, values.values);
  }
}

/** Makes place for so many values without losing those that are there. */
function keepAll(values: FixedDictionary['values'], rows: number): void {
  const before = values.data.slice(0, values.values);
  values.reserve(rows);
  (values.data as { set(source: typeof before): void }).set(before);
}

const KEY_BYTES = 16;

/** Of byte strings; kernels/dictionary.ts says how they are told apart. */
class BytesDictionary implements Dictionary {
  private readonly slots: Slots;
  private keys: Buffer;
  private copies: Buffer;
  private used = 0;

  constructor(
    private readonly memory: KernelMemory,
    readonly values: BytesVector,
    private readonly width: number,
  ) {
    this.slots = new Slots(memory);
    this.keys = memory.bytes(this.slots.room * KEY_BYTES);
    this.copies = memory.bytes(FIRST_COPIES);
  }

  encode(place: Residence, count: number, indexes: number): number {
    const { memory, values, slots } = this;
    const { kernels, state } = memory;
    let taken = 0;
    for (;;) {
      state[0] = values.values;
      state[1] = this.used;
      taken += kernels.dictionaryBytes(
        place.data,
        place.starts + taken * 4,
        place.ends + taken * 4,
        count - taken,
        this.width,
        slots.address,
        slots.bits,
        this.keys.byteOffset,
        values.starts.byteOffset,
        values.ends.byteOffset,
        this.copies.byteOffset,
        this.copies.length,
        LONGEST_VALUE,
        slots.room,
        indexes + taken * 4,
        state.byteOffset,
      );
      this.used = state[1];
      values.filled(state[0], state[0]);
      values.refer(this.copies, this.used);
      if (taken === count || !this.grow()) return taken;
    }
  }

  clear(): void {
    this.values.clear();
    this.slots.clear();
    this.used = 0;
  }

  release(): void {
    this.values.release();
    this.slots.release();
    this.memory.release(this.keys);
    this.memory.release(this.copies);
  }

  /** Makes place for the value that stopped the kernel; false when there may be no more. */
  private grow(): boolean {
    const { memory, values, slots } = this;
    if (values.values === slots.room) {
      if (values.values === MOST_ENTRIES) return false;
      slots.grow();
      this.keys = moved(memory, this.keys, slots.room * KEY_BYTES);
      const starts = values.starts.slice(0, values.values);
      const ends = values.ends.slice(0, values.values);
      values.reserve(slots.room);
      values.starts.set(starts);
      values.ends.set(ends);
      memory.kernels.rehashBytes(
        slots.address,
        slots.bits,
        this.keys.byteOffset,
        values.starts.byteOffset,
        values.ends.byteOffset,
        values.values,
      );
      return true;
    }
    if (this.copies.length >= MOST_BYTES) return false;
    this.copies = moved(memory, this.copies, this.copies.length * 4);
    return true;
  }
}

function moved(memory: KernelMemory, from: Buffer, length: number): Buffer {
  const larger = memory.bytes(length);
  from.copy(larger);
  memory.release(from);
  return larger;
}

/**
 * The values behind the first `count` indexes, as a vector without NULLs in `memory`, where the
 * values and the indexes lie too. The caller releases it.
 */
export function gathered(
  memory: KernelMemory,
  values: Dictionary['values'],
  indexes: Int32Array,
  count: number,
): Dictionary['values'] {
  const { gather32, gather64 } = memory.kernels;
  const result = createVector(values.spec, memory);
  result.reserve(count);
  result.filled(count, count);
  const from = indexes.byteOffset;
  if (values.storage === 'bytes' && result.storage === 'bytes') {
    gather32(values.starts.byteOffset, from, count, result.starts.byteOffset);
    gather32(values.ends.byteOffset, from, count, result.ends.byteOffset);
    result.refer(values.data, 0);
    return result;
  }
  const gather = values.storage === 'fixed64' || values.storage === 'double' ? gather64 : gather32;
  gather(values.data.byteOffset, from, count, result.data.byteOffset);
  return result;
}
