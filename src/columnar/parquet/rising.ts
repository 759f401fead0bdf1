import type { LogicalType } from '../../types/logical';
import { storageOf } from '../batch';
import type { Fixed32Vector, Fixed64Vector, Vector } from '../vectors';

/**
 * Finds out whether a column's values never fall, in the order that Parquet defines for its type:
 * what a table is read by, mostly its key. Whatever order the source was asked for, only what came
 * is told to readers, who may rely on it (parquet.thrift, SortingColumn).
 */
export interface RisingCheck {
  /** No value since the last reset was smaller than the one before it. */
  readonly holds: boolean;
  /** Takes values `from` up to `end` of the vector's dense values. Without effect once it fell. */
  update(vector: Vector, from: number, end: number): void;
  reset(): void;
}

/** For numbers, dates and times of up to 64 bits; undefined for all others, which cost too much. */
export function risingCheck(type: LogicalType): RisingCheck | undefined {
  const isSigned = type.kind !== 'int' || type.signed;
  const storage = storageOf(type);
  if (storage === 'fixed32') return new Rising32(isSigned);
  return storage === 'fixed64' ? new Rising64(isSigned) : undefined;
}

/** Brings unsigned numbers into the order of signed ones. */
const flipped = (isSigned: boolean) => (isSigned ? 0 : 1 << 31);

class Rising32 implements RisingCheck {
  holds = true;
  private last = -Infinity;
  private readonly flip: number;

  constructor(isSigned: boolean) {
    this.flip = flipped(isSigned);
  }

  update(vector: Vector, from: number, end: number): void {
    if (!this.holds) return;
    const { data } = vector as Fixed32Vector;
    const { flip } = this;
    let { last } = this;
    for (let i = from; i < end; i++) {
      const value = data[i]! ^ flip;
      if (value < last) {
        this.holds = false;
        return;
      }
      last = value;
    }
    this.last = last;
  }

  reset(): void {
    this.holds = true;
    this.last = -Infinity;
  }
}

/** By halves, as reading a BigInt64Array makes a BigInt per value. */
class Rising64 implements RisingCheck {
  holds = true;
  private lastHigh = -Infinity;
  private lastLow = 0;
  private readonly flip: number;

  constructor(isSigned: boolean) {
    this.flip = flipped(isSigned);
  }

  update(vector: Vector, from: number, end: number): void {
    if (!this.holds) return;
    const { halves } = vector as Fixed64Vector;
    const { flip } = this;
    let { lastHigh, lastLow } = this;
    for (let i = from; i < end; i++) {
      const high = halves[2 * i + 1]! ^ flip;
      const low = halves[2 * i]! >>> 0;
      if (high < lastHigh || (high === lastHigh && low < lastLow)) {
        this.holds = false;
        return;
      }
      lastHigh = high;
      lastLow = low;
    }
    this.lastHigh = lastHigh;
    this.lastLow = lastLow;
  }

  reset(): void {
    this.holds = true;
    this.lastHigh = -Infinity;
    this.lastLow = 0;
  }
}
