import type { Fixed32Vector, Fixed64Vector } from '../vectors';
import { bigDigits, digits, MINUS } from './digits';

/** Range and storage of an integer type, worked out once per column. */
export interface IntegerRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** The range of an integer of 8, 16 or 32 bits. */
export function integerRange(bits: 8 | 16 | 32, signed: boolean): IntegerRange {
  return signed
    ? { minimum: -(2 ** (bits - 1)), maximum: 2 ** (bits - 1) - 1 }
    : { minimum: 0, maximum: 2 ** bits - 1 };
}

/** Appends an integer of up to 32 bits; false and nothing appended when it is none or out of range. */
export function appendInteger32(
  vector: Fixed32Vector,
  text: Uint8Array,
  { minimum, maximum }: IntegerRange,
): boolean {
  const negative = text[0] === MINUS;
  const magnitude = digits(text, negative ? 1 : 0, text.length);
  const value = negative ? -magnitude : magnitude;
  if (!(value >= minimum && value <= maximum)) return false;
  vector.append(value);
  return true;
}

const INT64_MINIMUM = -(2n ** 63n);
const INT64_MAXIMUM = 2n ** 63n - 1n;
const UINT64_MAXIMUM = 2n ** 64n - 1n;

/** Whether a value fits a signed 64-bit integer. */
export function isInt64(value: bigint): boolean {
  return value >= INT64_MINIMUM && value <= INT64_MAXIMUM;
}

/** Appends an integer of 64 bits, an unsigned one as its bits; false when it is none or out of range. */
export function appendInteger64(vector: Fixed64Vector, text: Uint8Array, signed: boolean): boolean {
  const negative = text[0] === MINUS;
  const magnitude = bigDigits(text, negative ? 1 : 0, text.length);
  if (magnitude === undefined) return false;
  const value = negative ? -magnitude : magnitude;
  if (signed ? !isInt64(value) : value < 0n || value > UINT64_MAXIMUM) return false;
  // A BigInt64Array keeps the low 64 bits, so an unsigned value above 2^63 needs no conversion.
  vector.append(value);
  return true;
}
