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
const TWO_TO_32 = 2 ** 32;
const HEADER_BYTES = 8;
const BASE = 10_000;
const NEGATIVE = 0x4000;
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
  { lowestWeight, divisor, multipliers, bound }: Scaling,
): number {
  const limit = Math.min(bound, EXACT);
  for (let i = from; i < values; i++) {
    const start = starts[i]!;
    const count = view.getUint16(start);
    const sign = view.getUint16(start + 4);
    if (ends[i]! - start !== HEADER_BYTES + 2 * count || (sign & ~NEGATIVE) !== 0) return i;
    if (count === 0) {
      halves[2 * i] = 0;
      halves[2 * i + 1] = 0;
      continue;
    }
    const gap = view.getInt16(start + 2) - count + 1 - lowestWeight;
    if (count > 5 || gap < 0 || gap >= multipliers.length) return i;
    const last = start + HEADER_BYTES + 2 * count - 2;
    let value = 0;
    for (let at = start + HEADER_BYTES; at < last; at += 2) {
      const digit = view.getUint16(at);
      if (digit >= BASE) return i;
      value = value * BASE + digit;
    }
    const digit = view.getUint16(last);
    if (digit >= BASE) return i;
    if (gap === 0) {
      const part = digit / divisor;
      if ((part | 0) !== part) return i;
      value = value * multipliers[0]! + part;
    } else {
      value = (value * BASE + digit) * multipliers[gap]!;
    }
    if (value >= limit) return i;
    if (sign !== 0) value = -value;
    halves[2 * i] = value;
    halves[2 * i + 1] = Math.floor(value / TWO_TO_32);
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
  let overflow = 0;
  for (let at = start + HEADER_BYTES; at < last; at += 2) {
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
  const { exact } = exactDecimals(column, index, context);
  let bytes = Buffer.alloc(0);
  let view = new DataView(bytes.buffer, 0, 0);
  return (fields) => {
    const values = takeValues(fields, index, vector);
    if (bytes.length < values * WIDE_BYTES) {
      bytes = Buffer.allocUnsafeSlow(vector.starts.length * WIDE_BYTES);
      view = new DataView(bytes.buffer);
    }
    for (let i = 0; i < values; i++) {
      const limbs = exact(fields, i);
      const start = i * WIDE_BYTES;
      view.setInt32(start, limbs[3]!);
      view.setInt32(start + 4, limbs[2]!);
      view.setInt32(start + 8, limbs[1]!);
      view.setInt32(start + 12, limbs[0]!);
      vector.starts[i] = start;
      vector.ends[i] = start + WIDE_BYTES;
    }
    vector.refer(bytes, values * WIDE_BYTES);
  };
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

  return {
    scaling,
    exact({ view, bytes, starts, ends }, at) {
      const start = starts[index]![at]!;
      const count = view.getUint16(start);
      if (ends[index]![at]! - start !== HEADER_BYTES + 2 * count) throw wrongWidth(spec.name);
      const sign = view.getUint16(start + 4);
      const special = specialNumeric(bytes, start);
      if (special !== undefined) throw unfaithful(special);
      if ((sign & ~NEGATIVE) !== 0) throw unreadable(`column ${spec.name} holds no number`);
      const isUsual = readLimbs(view, start, scaling, limbs) && isBelow(limbs, scaling.boundLimbs);
      if (!isUsual) return unusual(bytes, start);
      if (sign === NEGATIVE) negate(limbs);
      return limbs;
    },
  };
}
