import type { FieldTable } from '../../../columnar/fields';
import type { BytesVector, Fixed64Vector } from '../../../columnar/vectors';
import { ComportaError } from '../../../errors';
import { specialNumeric, unscaledNumeric } from '../numeric';
import type { PlannedColumn } from '../plan';
import { takeValues, wrongWidth } from './fixed';
import type { KernelContext } from './kernel';
import { isBelow, LIMBS, limbsOf, multiplyAdd, negate, setLimbs } from './limbs';
import { scaleOf, type Scaling } from './scaling';
import { unreadable } from './unreadable';

/** Whole numbers below this are exact in a double. */
const EXACT = 2 ** 53;
const TWO_TO_MINUS_32 = 2 ** -32;
const HEADER_BYTES = 8;
const BASE = 10_000;
const NEGATIVE = 0x4000;
/** The digits of base 10,000 that a double may hold exactly, one of them in part. */
const MOST_EXACT = 5;
/** More digits than 38 decimal ones take, wherever the point is. */
const MOST_DIGITS = 12;
const WIDE_BYTES = 16;

/**
 * Writes decimals of up to 18 digits as halves, up to one that is not exact in a double or not
 * usual in any other way; answers how many it has written. The form is that of `numeric.ts`.
 */
function readDecimals(
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  from: number,
  values: number,
  halves: Int32Array,
  { lowestWeight, divisor, factor, shift, multipliers, bound }: Scaling,
): number {
  const limit = Math.min(bound, EXACT);
  const upper = multipliers[0]!;
  for (let i = from; i < values; i++) {
    const start = starts[i]!;
    const head = view.getInt32(start);
    const count = head >>> 16;
    const sign = view.getInt32(start + 4) >>> 16;
    if (ends[i]! - start !== HEADER_BYTES + 2 * count || (sign & ~NEGATIVE) !== 0) return i;
    // The lower half of the head is the weight, which may be negative.
    const gap = ((head << 16) >> 16) - count + 1 - lowestWeight;
    if (count === 1) {
      const digit = view.getUint16(start + HEADER_BYTES);
      if (digit >= BASE) return i;
      let value = 0;
      if (gap === 1) {
        value = Math.imul(digit, upper);
      } else if (gap === 0) {
        value = Math.imul(digit, factor) >>> shift;
        if (Math.imul(value, divisor) !== digit) return i;
      } else return i;
      if (value >= limit) return i;
      if (sign !== 0) value = -value | 0;
      halves[2 * i] = value;
      halves[2 * i + 1] = value >> 31;
    } else if (count === 0) {
      halves[2 * i] = 0;
      halves[2 * i + 1] = 0;
    } else {
      if (count > MOST_EXACT || gap < 0 || gap >= multipliers.length) return i;
      const last = start + HEADER_BYTES + 2 * count - 2;
      let value = view.getUint16(start + HEADER_BYTES);
      if (value >= BASE) return i;
      for (let at = start + HEADER_BYTES + 2; at < last; at += 2) {
        const digit = view.getUint16(at);
        if (digit >= BASE) return i;
        value = value * BASE + digit;
      }
      const digit = view.getUint16(last);
      if (digit >= BASE) return i;
      if (gap === 0) {
        const part = Math.imul(digit, factor) >>> shift;
        if (Math.imul(part, divisor) !== digit) return i;
        value = value * upper + part;
      } else {
        value = (value * BASE + digit) * multipliers[gap]!;
      }
      if (value >= limit) return i;
      if (sign !== 0) value = -value;
      halves[2 * i] = value;
      halves[2 * i + 1] = Math.floor(value * TWO_TO_MINUS_32);
    }
  }
  return values;
}

/**
 * The magnitude of any usual numeric as limbs; false for an unusual one, which may still be a
 * number of the column.
 */
function readLimbs(
  view: DataView,
  start: number,
  { lowestWeight, divisor, multipliers }: Scaling,
  limbs: Uint32Array,
): boolean {
  const count = view.getUint16(start);
  const gap = view.getInt16(start + 2) - count + 1 - lowestWeight;
  if (count > MOST_DIGITS || (count > 0 && (gap < 0 || gap > MOST_DIGITS))) return false;
  setLimbs(limbs, 0);
  if (count === 0) return true;
  const last = start + HEADER_BYTES + 2 * count - 2;
  let at = start + HEADER_BYTES;
  let first = 0;
  for (const stop = Math.min(last, at + 6); at < stop; at += 2) {
    const digit = view.getUint16(at);
    if (digit >= BASE) return false;
    first = first * BASE + digit;
  }
  setLimbs(limbs, first);
  let overflow = 0;
  for (; at < last; at += 2) {
    const digit = view.getUint16(at);
    if (digit >= BASE) return false;
    overflow += multiplyAdd(limbs, BASE, digit);
  }
  const digit = view.getUint16(last);
  if (digit >= BASE) return false;
  if (gap === 0) {
    const part = digit / divisor;
    if ((part | 0) !== part) return false;
    return overflow + multiplyAdd(limbs, multipliers[0]!, part) === 0;
  }
  overflow += multiplyAdd(limbs, BASE, digit);
  for (let i = 1; i < gap; i++) overflow += multiplyAdd(limbs, BASE, 0);
  return overflow + multiplyAdd(limbs, multipliers[0]!, 0) === 0;
}

/** The kernel for decimals of up to 18 digits. */
export function decimal64Kernel(
  column: PlannedColumn,
  index: number,
  vector: Fixed64Vector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { exact, scaling } = exactDecimals(column, index, context);
  return (fields) => {
    const values = takeValues(fields, index, vector);
    const { view } = fields;
    const { halves } = vector;
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    let at = readDecimals(view, starts, ends, 0, values, halves, scaling);
    while (at < values) {
      const limbs = exact(fields, at);
      halves[2 * at] = limbs[0]!;
      halves[2 * at + 1] = limbs[1]!;
      at = readDecimals(view, starts, ends, at + 1, values, halves, scaling);
    }
  };
}

/** The kernel for decimals of 19 to 38 digits, as 16 bytes each. */
export function decimal128Kernel(
  column: PlannedColumn,
  index: number,
  vector: BytesVector,
  context: KernelContext,
): (fields: FieldTable) => void {
  const { exact, scaling } = exactDecimals(column, index, context);
  let places: Int32Array | undefined;
  let halves = new Int32Array(0);
  let bytes = Buffer.alloc(0);
  let target = new DataView(bytes.buffer);
  return (fields) => {
    const values = takeValues(fields, index, vector);
    if (places !== vector.starts) {
      places = vector.starts;
      const capacity = places.length;
      halves = new Int32Array(2 * capacity);
      bytes = Buffer.allocUnsafeSlow(capacity * WIDE_BYTES);
      target = new DataView(bytes.buffer);
      for (let i = 0; i < capacity; i++) {
        vector.starts[i] = i * WIDE_BYTES;
        vector.ends[i] = (i + 1) * WIDE_BYTES;
      }
    }
    const { view } = fields;
    const starts = fields.starts[index]!;
    const ends = fields.ends[index]!;
    for (let at = 0; at < values; at++) {
      const from = at;
      at = readDecimals(view, starts, ends, from, values, halves, scaling);
      widen(halves, target, from, at);
      if (at < values) writeLimbs(exact(fields, at), target, at * WIDE_BYTES);
    }
    vector.refer(bytes, values * WIDE_BYTES);
  };
}

/** Writes what `readDecimals` has read as 16 bytes each. */
function widen(halves: Int32Array, target: DataView, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const start = i * WIDE_BYTES;
    const high = halves[2 * i + 1]!;
    target.setInt32(start, high >> 31);
    target.setInt32(start + 4, high >> 31);
    target.setInt32(start + 8, high);
    target.setInt32(start + 12, halves[2 * i]!);
  }
}

function writeLimbs(limbs: Uint32Array, target: DataView, start: number): void {
  for (let i = 0; i < LIMBS; i++) target.setUint32(start + 4 * i, limbs[LIMBS - 1 - i]!);
}

/** Reads single numerics, however large or odd, and says what is wrong with those that do not fit. */
function exactDecimals(
  { spec }: PlannedColumn,
  index: number,
  { table }: KernelContext,
): {
  readonly scaling: Scaling;
  /** The value at a place among the column's values, in two's complement, until the next call. */
  readonly exact: (fields: FieldTable, at: number) => Uint32Array;
} {
  if (spec.type.kind !== 'decimal') throw new TypeError(`${spec.name} is no decimal`);
  const { precision, scale } = spec.type;
  const scaling = scaleOf(precision, scale);
  const limbs = new Uint32Array(LIMBS);
  const bound = 10n ** BigInt(precision);
  const unfaithful = (value: string) =>
    new ComportaError(
      'ValueUnfaithful',
      `column ${spec.name} (${spec.sourceType}) holds ${value}`,
      { table, remedy: `list ${spec.name} under columns.text` },
    );

  const unusual = (bytes: Buffer, start: number): Uint32Array => {
    const value = unscaledNumeric(bytes, start, scale);
    // A foreign table's server need not keep to the precision that is declared here.
    if (value === undefined || value >= bound || value <= -bound) {
      throw unfaithful('a number beyond its precision or scale');
    }
    return limbsOf(value, limbs);
  };

  const noNumber = (bytes: Buffer, start: number): ComportaError => {
    const special = specialNumeric(bytes, start);
    return special === undefined
      ? unreadable(`column ${spec.name} holds no number`)
      : unfaithful(special);
  };

  return {
    scaling,
    exact({ view, bytes, starts, ends }, at) {
      const start = starts[index]![at]!;
      const count = view.getUint16(start);
      if (ends[index]![at]! - start !== HEADER_BYTES + 2 * count) throw wrongWidth(spec.name);
      const sign = view.getUint16(start + 4);
      if ((sign & ~NEGATIVE) !== 0) throw noNumber(bytes, start);
      const isUsual = readLimbs(view, start, scaling, limbs) && isBelow(limbs, scaling.boundLimbs);
      if (!isUsual) return unusual(bytes, start);
      if (sign === NEGATIVE) negate(limbs);
      return limbs;
    },
  };
}
