import type {
  BooleanVector,
  BytesVector,
  DoubleVector,
  Fixed32Vector,
  Fixed64Vector,
  FloatVector,
  Vector,
} from '../vectors';
import type { LogicalType } from '../../types/logical';
import { decimalBytes } from './schema';
import type { Statistics } from './format';
import { BytesBounds, truncatedBounds } from './bytes-bounds';

/**
 * Smallest and largest value of one column in one page or row group, in the order that Parquet defines for
 * the column's type (parquet.thrift, ColumnOrder): readers skip row groups by them, so a bound that
 * is wrong loses rows, and none at all is always safe.
 */
export interface BoundsCollector {
  /** Takes values `from` up to `end` of the vector's dense values. */
  update(vector: Vector, from: number, end: number): void;
  /** The bounds since the last reset; undefined for no values, or values without an order. */
  result(): Statistics['bounds'];
  /** Takes what another collector of the same column has seen. */
  absorb(other: BoundsCollector): void;
  reset(): void;
}

export function boundsCollector(type: LogicalType): BoundsCollector {
  switch (type.kind) {
    case 'boolean':
      return new BooleanBounds();
    case 'int':
      if (type.bits === 64) return new Int64Bounds(type.signed);
      return new Int32Bounds(type.signed);
    case 'date':
      return new Int32Bounds(true);
    case 'time':
    case 'duration':
    case 'timestamp':
      return new Int64Bounds(true);
    case 'float':
      return new FloatingBounds(4);
    case 'double':
      return new FloatingBounds(8);
    case 'decimal':
      if (type.precision <= 9) return new SmallDecimalBounds();
      if (type.precision <= 18) return new Int64Bounds(true);
      return new WideDecimalBounds(decimalBytes(type.precision));
    case 'uuid':
      return new TextBounds('bytes');
    case 'text':
    case 'json':
      return new TextBounds('utf8');
    case 'binary':
      return new TextBounds('bytes');
    case 'wkb':
      return NO_BOUNDS;
  }
}

/** Byte order says nothing about shapes. */
const NO_BOUNDS: BoundsCollector = {
  update: () => undefined,
  result: () => undefined,
  absorb: () => undefined,
  reset: () => undefined,
};

function exact(min: Uint8Array, max: Uint8Array): Statistics['bounds'] {
  return { min, max, minExact: true, maxExact: true };
}

class BooleanBounds implements BoundsCollector {
  private seen: [boolean, boolean] = [false, false];

  update(vector: Vector, from: number, end: number): void {
    const { data } = vector as BooleanVector;
    for (let i = from; i < end; i++) this.seen[data[i] === 0 ? 0 : 1] = true;
  }

  result(): Statistics['bounds'] {
    const [no, yes] = this.seen;
    if (!no && !yes) return undefined;
    return exact(Buffer.of(no ? 0 : 1), Buffer.of(yes ? 1 : 0));
  }

  absorb(other: BooleanBounds): void {
    this.seen = [this.seen[0] || other.seen[0], this.seen[1] || other.seen[1]];
  }

  reset(): void {
    this.seen = [false, false];
  }
}

/** Compares as signed numbers, or as unsigned ones. */
class Int32Bounds implements BoundsCollector {
  private min = Infinity;
  private max = -Infinity;

  constructor(private readonly signed: boolean) {}

  update(vector: Vector, from: number, end: number): void {
    const { data } = vector as Fixed32Vector;
    let { min, max } = this;
    const values = this.signed ? data : new Uint32Array(data.buffer, data.byteOffset, data.length);
    for (let i = from; i < end; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.min = min;
    this.max = max;
  }

  result(): Statistics['bounds'] {
    if (this.min > this.max) return undefined;
    return exact(fourBytes(this.min), fourBytes(this.max));
  }

  absorb(other: Int32Bounds): void {
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  reset(): void {
    this.min = Infinity;
    this.max = -Infinity;
  }
}

function fourBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

/** Decimals of up to nine digits: 64-bit in the vector, 32-bit in the file. */
class SmallDecimalBounds implements BoundsCollector {
  private readonly inner = new Int64Bounds(true);

  update(vector: Vector, from: number, end: number): void {
    this.inner.update(vector, from, end);
  }

  result(): Statistics['bounds'] {
    const bounds = this.inner.result();
    return bounds && exact(bounds.min.subarray(0, 4), bounds.max.subarray(0, 4));
  }

  absorb(other: SmallDecimalBounds): void {
    this.inner.absorb(other.inner);
  }

  reset(): void {
    this.inner.reset();
  }
}

/**
 * Compares 64-bit values by their two halves: reading a BigInt64Array makes a BigInt per value,
 * which costs several times as much.
 */
class Int64Bounds implements BoundsCollector {
  private any = false;
  private minHigh = 0;
  private minLow = 0;
  private maxHigh = 0;
  private maxLow = 0;

  constructor(private readonly signed: boolean) {}

  update(vector: Vector, from: number, end: number): void {
    if (end <= from) return;
    const { data } = vector as Fixed64Vector;
    const lows = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
    const highs = this.signed ? new Int32Array(lows.buffer, lows.byteOffset, lows.length) : lows;
    let { minHigh, minLow, maxHigh, maxLow } = this;
    if (!this.any) {
      minHigh = maxHigh = highs[2 * from + 1]!;
      minLow = maxLow = lows[2 * from]!;
      this.any = true;
    }
    for (let i = from; i < end; i++) {
      const high = highs[2 * i + 1]!;
      const low = lows[2 * i]!;
      if (high < minHigh || (high === minHigh && low < minLow)) {
        minHigh = high;
        minLow = low;
      }
      if (high > maxHigh || (high === maxHigh && low > maxLow)) {
        maxHigh = high;
        maxLow = low;
      }
    }
    this.minHigh = minHigh;
    this.minLow = minLow;
    this.maxHigh = maxHigh;
    this.maxLow = maxLow;
  }

  result(): Statistics['bounds'] {
    if (!this.any) return undefined;
    return exact(eightBytes(this.minHigh, this.minLow), eightBytes(this.maxHigh, this.maxLow));
  }

  absorb(other: Int64Bounds): void {
    if (!other.any) return;
    if (!this.any || isLess(other.minHigh, other.minLow, this.minHigh, this.minLow)) {
      this.minHigh = other.minHigh;
      this.minLow = other.minLow;
    }
    if (!this.any || isLess(this.maxHigh, this.maxLow, other.maxHigh, other.maxLow)) {
      this.maxHigh = other.maxHigh;
      this.maxLow = other.maxLow;
    }
    this.any = true;
  }

  reset(): void {
    this.any = false;
  }
}

function isLess(high: number, low: number, otherHigh: number, otherLow: number): boolean {
  return high < otherHigh || (high === otherHigh && low < otherLow);
}

function eightBytes(high: number, low: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeInt32LE(low | 0, 0);
  bytes.writeInt32LE(high | 0, 4);
  return bytes;
}

/**
 * Readers disagree on where NaN stands, so a column that holds one has no bounds; and a zero bound
 * takes the sign that covers both zeros (parquet.thrift, "TypeDefinedOrder").
 */
class FloatingBounds implements BoundsCollector {
  private min = Infinity;
  private max = -Infinity;
  private any = false;
  private nan = false;

  constructor(private readonly bytes: 4 | 8) {}

  update(vector: Vector, from: number, end: number): void {
    const { data } = vector as FloatVector | DoubleVector;
    let { min, max, nan } = this;
    for (let i = from; i < end; i++) {
      const value = data[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
      if (value !== value) nan = true;
    }
    this.min = min;
    this.max = max;
    this.nan = nan;
    this.any ||= end > from;
  }

  result(): Statistics['bounds'] {
    if (!this.any || this.nan) return undefined;
    return exact(
      this.encoded(this.min === 0 ? -0 : this.min),
      this.encoded(this.max === 0 ? 0 : this.max),
    );
  }

  absorb(other: FloatingBounds): void {
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.any ||= other.any;
    this.nan ||= other.nan;
  }

  reset(): void {
    this.min = Infinity;
    this.max = -Infinity;
    this.any = false;
    this.nan = false;
  }

  private encoded(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(this.bytes);
    if (this.bytes === 4) bytes.writeFloatLE(value);
    else bytes.writeDoubleLE(value);
    return bytes;
  }
}

/** The last `width` bytes of two's complement, big-endian, in signed order. */
class WideDecimalBounds implements BoundsCollector {
  private readonly bounds: BytesBounds;

  constructor(private readonly width: number) {
    this.bounds = new BytesBounds(width, 0x80);
  }

  update(vector: Vector, from: number, end: number): void {
    const { data, ends } = vector as BytesVector;
    for (let i = from; i < end; i++) this.bounds.take(data, ends[i]! - this.width, ends[i]!);
  }

  result(): Statistics['bounds'] {
    if (!this.bounds.any) return undefined;
    return exact(Buffer.from(this.bounds.min), Buffer.from(this.bounds.max));
  }

  absorb(other: WideDecimalBounds): void {
    this.bounds.absorb(other.bounds);
  }

  reset(): void {
    this.bounds.reset();
  }
}

const LONGEST_BOUND = 64;

/** Unsigned byte order, which for UTF-8 is the order of code points. Long bounds are cut short. */
class TextBounds implements BoundsCollector {
  private readonly bounds = new BytesBounds(LONGEST_BOUND, 0);

  constructor(private readonly content: 'utf8' | 'bytes') {}

  update(vector: Vector, from: number, end: number): void {
    const { data, starts, ends } = vector as BytesVector;
    this.bounds.update(data, starts, ends, from, end);
  }

  result(): Statistics['bounds'] {
    return truncatedBounds(this.bounds, this.content);
  }

  absorb(other: TextBounds): void {
    this.bounds.absorb(other.bounds);
  }

  reset(): void {
    this.bounds.reset();
  }
}
