import type { ColumnSpec } from '../types/logical';
import { storageOf, type Batch, type ColumnVector, type Storage } from './batch';

const INITIAL_ROWS = 1024;
const INITIAL_BYTES = 16 * 1024;

/** What every vector does: count rows, mark NULLs, start again without giving its memory back. */
abstract class GrowingVector implements ColumnVector {
  abstract readonly storage: Storage;
  rows = 0;
  values = 0;
  /** 1 where the row has a value. Only the first `rows` entries count. */
  valid = new Uint8Array(INITIAL_ROWS);

  constructor(readonly spec: ColumnSpec) {}

  abstract get byteLength(): number;

  appendNull(): void {
    this.mark(0);
  }

  clear(): void {
    this.rows = 0;
    this.values = 0;
  }

  /**
   * For kernels, which fill a cleared vector at once: makes place for `rows` rows, whose `valid`
   * and values they then write themselves, and declare with `filled`.
   */
  reserve(rows: number): void {
    if (this.valid.length < rows) this.valid = new Uint8Array(rows);
  }

  /** Declares what a kernel has written: `rows` entries of `valid`, `values` of them 1. */
  filled(rows: number, values: number): void {
    this.rows = rows;
    this.values = values;
  }

  protected mark(flag: 0 | 1): void {
    if (this.rows === this.valid.length) {
      const larger = new Uint8Array(this.valid.length * 2);
      larger.set(this.valid);
      this.valid = larger;
    }
    this.valid[this.rows++] = flag;
    this.values += flag;
  }
}

type NumberBuffer = Int32Array | Float32Array | Float64Array | Uint8Array;

function grownNumbers<B extends NumberBuffer | BigInt64Array>(
  buffer: B,
  make: (length: number) => B,
): B {
  const larger = make(buffer.length * 2);
  (larger as { set(source: B): void }).set(buffer);
  return larger;
}

/** int8, int16, int32, date; uint8, uint16; uint32 in its two's complement bits. */
export class Fixed32Vector extends GrowingVector {
  readonly storage = 'fixed32';
  data = new Int32Array(INITIAL_ROWS);

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length < rows) this.data = new Int32Array(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grownNumbers(this.data, (length) => new Int32Array(length));
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
  data = new BigInt64Array(INITIAL_ROWS);
  /** The same memory in halves, value i at 2 i (low) and 2 i + 1 (high), as no bigint is made so. */
  halves = new Int32Array(this.data.buffer);

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length < rows) this.take(new BigInt64Array(rows));
  }

  private take(data: BigInt64Array<ArrayBuffer>): void {
    this.data = data;
    this.halves = new Int32Array(data.buffer);
  }

  append(value: bigint): void {
    if (this.values === this.data.length) {
      this.take(grownNumbers(this.data, (length) => new BigInt64Array(length)));
    }
    this.data[this.values] = value;
    this.mark(1);
  }

  /** Appends the value with these two's complement halves. */
  appendHalves(low: number, high: number): void {
    const at = 2 * this.values;
    this.append(0n);
    this.halves[at] = low;
    this.halves[at + 1] = high;
  }

  get byteLength(): number {
    return this.values * 8;
  }
}

export class FloatVector extends GrowingVector {
  readonly storage = 'float';
  data = new Float32Array(INITIAL_ROWS);

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length < rows) this.data = new Float32Array(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grownNumbers(this.data, (length) => new Float32Array(length));
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
  data = new Float64Array(INITIAL_ROWS);

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length < rows) this.data = new Float64Array(rows);
  }

  append(value: number): void {
    if (this.values === this.data.length) {
      this.data = grownNumbers(this.data, (length) => new Float64Array(length));
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
  data = new Uint8Array(INITIAL_ROWS);

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.data.length < rows) this.data = new Uint8Array(rows);
  }

  append(value: boolean): void {
    if (this.values === this.data.length) {
      this.data = grownNumbers(this.data, (length) => new Uint8Array(length));
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
  starts = new Int32Array(INITIAL_ROWS);
  ends = new Int32Array(INITIAL_ROWS);
  data: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  /** The vector's own memory; `data` is another one while it refers. */
  private own: Buffer = this.data;
  private held = 0;

  override reserve(rows: number): void {
    super.reserve(rows);
    if (this.starts.length >= rows) return;
    this.starts = new Int32Array(rows);
    this.ends = new Int32Array(rows);
  }

  override clear(): void {
    super.clear();
    this.held = 0;
    this.data = this.own;
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
      this.starts = grownNumbers(this.starts, (longer) => new Int32Array(longer));
      this.ends = grownNumbers(this.ends, (longer) => new Int32Array(longer));
    }
    const start = this.held;
    if (start + length > this.own.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.own.length * 2, start + length));
      this.own.copy(larger, 0, 0, start);
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

/** An empty vector with the storage that the column's type asks for. */
export function createVector(spec: ColumnSpec): Vector {
  switch (storageOf(spec.type)) {
    case 'fixed32':
      return new Fixed32Vector(spec);
    case 'fixed64':
      return new Fixed64Vector(spec);
    case 'float':
      return new FloatVector(spec);
    case 'double':
      return new DoubleVector(spec);
    case 'boolean':
      return new BooleanVector(spec);
    case 'bytes':
      return new BytesVector(spec);
  }
}

/** A batch that a reader fills, hands over, clears and fills again. */
export class BatchBuilder implements Batch {
  readonly columns: readonly Vector[];
  rows = 0;

  constructor(specs: readonly ColumnSpec[]) {
    this.columns = specs.map(createVector);
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
