import type { ColumnSpec } from '../types/logical';
import { HEAP, type Allocator } from './allocator';
import { storageOf, type Batch, type ColumnVector, type Storage } from './batch';

const INITIAL_ROWS = 1024;
const INITIAL_BYTES = 16 * 1024;

/** What every vector does: count rows, mark NULLs, start again without giving its memory back. */
abstract class GrowingVector implements ColumnVector {
  abstract readonly storage: Storage;
  rows = 0;
  values = 0;
  /** 1 where the row has a value. Only the first `rows` entries count. */
  valid: Uint8Array<ArrayBuffer>;

  constructor(
    readonly spec: ColumnSpec,
    protected readonly memory: Allocator,
  ) {
    this.valid = memory.uint8(INITIAL_ROWS);
  }

  abstract readonly data: ArrayBufferView;
  abstract get byteLength(): number;

  appendNull(): void {
    this.mark(0);
  }

  clear(): void {
    this.rows = 0;
    this.values = 0;
  }

  /** Gives its memory back; the vector may not be used any more. */
  release(): void {
    this.memory.release(this.valid);
    this.memory.release(this.data);
  }

  /**
   * For kernels, which fill a cleared vector at once: makes place for `rows` rows, whose `valid`
   * and values they then write themselves, and declare with `filled`.
   */
  reserve(rows: number): void {
    if (this.valid.length >= rows) return;
    this.memory.release(this.valid);
    this.valid = this.memory.uint8(rows);
  }

  /** Declares what a kernel has written: `rows` entries of `valid`, `values` of them 1. */
  filled(rows: number, values: number): void {
    this.rows = rows;
    this.values = values;
  }

  protected mark(flag: 0 | 1): void {
    if (this.rows === this.valid.length) {
      this.valid = grown(this.memory, this.valid, this.memory.uint8(this.rows * 2));
    }
    this.valid[this.rows++] = flag;
    this.values += flag;
  }
}

/** Moves what a full buffer holds into a larger one. */
function grown<Data extends ArrayBufferView>(memory: Allocator, full: Data, larger: Data): Data {
  (larger as unknown as { set(source: Data): void }).set(full);
  memory.release(full);
  return larger;
}

/** int8, int16, int32, date; uint8, uint16; uint32 in its two's complement bits. */
export class Fixed32Vector extends GrowingVector {
  readonly storage = 'fixed32';
  data: Int32Array<ArrayBuffer>;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.data = memory.int32(INITIAL_ROWS);
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length >= rows) return;
    this.memory.release(this.data);
    this.data = this.memory.int32(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grown(this.memory, this.data, this.memory.int32(this.values * 2));
    }
    this.data[this.values] = value;
    this.mark(1);
  }

  get byteLength(): number {
    return this.values * 4;
  }
}

/** int64, time, duration, timestamp, decimal up to 18 digits (unscaled); uint64 as its bits. */
export class Fixed64Vector extends GrowingVector {
  readonly storage = 'fixed64';
  data: BigInt64Array<ArrayBuffer>;
  /** The same memory in halves, value i at 2 i (low) and 2 i + 1 (high), as no bigint is made so. */
  halves: Int32Array<ArrayBuffer>;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.data = memory.int64(INITIAL_ROWS);
    this.halves = halvesOf(this.data);
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length >= rows) return;
    this.memory.release(this.data);
    this.data = this.memory.int64(rows);
    this.halves = halvesOf(this.data);
  }

  append(value: bigint): void {
    if (this.values === this.data.length) {
      this.data = grown(this.memory, this.data, this.memory.int64(this.values * 2));
      this.halves = halvesOf(this.data);
    }
    this.data[this.values] = value;
    this.mark(1);
  }

  get byteLength(): number {
    return this.values * 8;
  }
}

function halvesOf(data: BigInt64Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  return new Int32Array(data.buffer, data.byteOffset, data.length * 2);
}

export class FloatVector extends GrowingVector {
  readonly storage = 'float';
  data: Float32Array<ArrayBuffer>;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.data = memory.float32(INITIAL_ROWS);
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length >= rows) return;
    this.memory.release(this.data);
    this.data = this.memory.float32(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grown(this.memory, this.data, this.memory.float32(this.values * 2));
    }
    this.data[this.values] = value;
    this.mark(1);
  }

  get byteLength(): number {
    return this.values * 4;
  }
}

export class DoubleVector extends GrowingVector {
  readonly storage = 'double';
  data: Float64Array<ArrayBuffer>;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.data = memory.float64(INITIAL_ROWS);
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length >= rows) return;
    this.memory.release(this.data);
    this.data = this.memory.float64(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grown(this.memory, this.data, this.memory.float64(this.values * 2));
    }
    this.data[this.values] = value;
    this.mark(1);
  }

  get byteLength(): number {
    return this.values * 8;
  }
}

export class BooleanVector extends GrowingVector {
  readonly storage = 'boolean';
  data: Uint8Array<ArrayBuffer>;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.data = memory.uint8(INITIAL_ROWS);
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length >= rows) return;
    this.memory.release(this.data);
    this.data = this.memory.uint8(rows);
  }

  append(value: boolean): void {
    if (this.values === this.data.length) {
      this.data = grown(this.memory, this.data, this.memory.uint8(this.values * 2));
    }
    this.data[this.values] = value ? 1 : 0;
    this.mark(1);
  }

  get byteLength(): number {
    return this.values;
  }
}

/**
 * text, json, binary, wkb; uuid as 16 bytes; wide decimal as 16 bytes, big-endian. The values lie
 * in the vector's own memory (`append`), or somewhere else (`refer`), anywhere and in any order.
 */
export class BytesVector extends GrowingVector {
  readonly storage = 'bytes';
  /** Value i is `data` from `starts[i]` up to `ends[i]`. */
  starts: Int32Array<ArrayBuffer>;
  ends: Int32Array<ArrayBuffer>;
  data: Buffer;
  /** The vector's own memory; `data` is another one while it refers. */
  private own: Buffer;
  private held = 0;

  constructor(spec: ColumnSpec, memory: Allocator = HEAP) {
    super(spec, memory);
    this.starts = memory.int32(INITIAL_ROWS);
    this.ends = memory.int32(INITIAL_ROWS);
    this.own = memory.bytes(INITIAL_BYTES);
    this.data = this.own;
  }

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.starts.length >= rows) return;
    this.memory.release(this.starts);
    this.memory.release(this.ends);
    this.starts = this.memory.int32(rows);
    this.ends = this.memory.int32(rows);
  }

  override clear(): void {
    super.clear();
    this.held = 0;
    this.data = this.own;
  }

  override release(): void {
    this.data = this.own;
    super.release();
    this.memory.release(this.starts);
    this.memory.release(this.ends);
  }

  /** For kernels: `starts` and `ends` speak of `data`, and the values have `held` bytes together. */
  refer(data: Buffer, held: number): void {
    this.data = data;
    this.held = held;
  }

  append(bytes: Uint8Array): void {
    const start = this.room(bytes.length);
    this.data.set(bytes, start);
  }

  appendText(text: string): void {
    const length = Buffer.byteLength(text);
    const start = this.room(length);
    this.data.write(text, start, length, 'utf8');
  }

  /** Makes place for one more value of `length` bytes and says where it begins. */
  private room(length: number): number {
    if (this.values === this.starts.length) {
      this.starts = grown(this.memory, this.starts, this.memory.int32(this.values * 2));
      this.ends = grown(this.memory, this.ends, this.memory.int32(this.values * 2));
    }
    const start = this.held;
    if (start + length > this.own.length) {
      const larger = this.memory.bytes(Math.max(this.own.length * 2, start + length));
      this.own.copy(larger, 0, 0, start);
      this.memory.release(this.own);
      this.own = larger;
      this.data = larger;
    }
    this.held = start + length;
    this.starts[this.values] = start;
    this.ends[this.values] = this.held;
    this.mark(1);
    return start;
  }

  get byteLength(): number {
    return this.held;
  }
}

export type Vector =
  Fixed32Vector | Fixed64Vector | FloatVector | DoubleVector | BooleanVector | BytesVector;

/** An empty vector with the storage that the column's type asks for. Default memory: the heap. */
export function createVector(spec: ColumnSpec, memory: Allocator = HEAP): Vector {
  switch (storageOf(spec.type)) {
    case 'fixed32':
      return new Fixed32Vector(spec, memory);
    case 'fixed64':
      return new Fixed64Vector(spec, memory);
    case 'float':
      return new FloatVector(spec, memory);
    case 'double':
      return new DoubleVector(spec, memory);
    case 'boolean':
      return new BooleanVector(spec, memory);
    case 'bytes':
      return new BytesVector(spec, memory);
  }
}

/** A batch that a reader fills, hands over, clears and fills again. */
export class BatchBuilder implements Batch {
  readonly columns: readonly Vector[];
  rows = 0;

  constructor(specs: readonly ColumnSpec[], memory: Allocator = HEAP) {
    this.columns = specs.map((spec) => createVector(spec, memory));
  }

  get byteLength(): number {
    let total = 0;
    for (const column of this.columns) total += column.byteLength;
    return total;
  }

  clear(): void {
    this.rows = 0;
    for (const column of this.columns) column.clear();
  }
}
