import type { BytesVector, Fixed64Vector } from '../vectors';
import { bigDigits, DOT, MINUS, powerOfTen, ZERO } from './digits';

/**
 * `-123.45` as the integer -12345 for scale 2. Undefined when it is no plain decimal, has more
 * digits than the precision, or digits other than 0 after the scale: nothing is rounded.
 */
export function unscaledDecimal(
  text: Uint8Array,
  precision: number,
  scale: number,
): bigint | undefined {
  const negative = text[0] === MINUS;
  const start = negative ? 1 : 0;
  const dot = text.indexOf(DOT);
  const wholeEnd = dot === -1 ? text.length : dot;
  const fraction = dot === -1 ? text.length : dot + 1;
  let end = text.length;
  while (end - fraction > scale && text[end - 1] === ZERO) end--;
  if (end - fraction > scale) return undefined;
  const whole = wholeEnd > start ? bigDigits(text, start, wholeEnd) : 0n;
  const part = end > fraction ? bigDigits(text, fraction, end) : 0n;
  if (whole === undefined || part === undefined || text.length === start) return undefined;
  if (wholeEnd === start && fraction === text.length) return undefined;
  const padding = powerOfTen(scale - Math.max(0, end - fraction));
  const magnitude = whole * powerOfTen(scale) + part * padding;
  if (magnitude >= powerOfTen(precision)) return undefined;
  return negative ? -magnitude : magnitude;
}

/** Appends a decimal of precision up to 18, unscaled; false when it does not fit exactly. */
export function appendDecimal64(
  vector: Fixed64Vector,
  text: Uint8Array,
  precision: number,
  scale: number,
): boolean {
  const value = unscaledDecimal(text, precision, scale);
  if (value === undefined) return false;
  vector.append(value);
  return true;
}

/** Bytes of a decimal of precision 19 to 38 in a vector. */
export const WIDE_DECIMAL_BYTES = 16;

const LOW_64_BITS = 2n ** 64n - 1n;

/** Writes a value as 16 bytes, big-endian two's complement. */
export function writeWideDecimal(target: Buffer, value: bigint): void {
  target.writeBigInt64BE(value >> 64n, 0);
  target.writeBigUInt64BE(value & LOW_64_BITS, 8);
}

/**
 * Appends a decimal of precision 19 to 38 as 16 bytes; false when it does not fit exactly.
 * @param scratch 16 bytes to build it in.
 */
export function appendDecimal128(
  vector: BytesVector,
  text: Uint8Array,
  precision: number,
  scale: number,
  scratch: Buffer,
): boolean {
  const value = unscaledDecimal(text, precision, scale);
  if (value === undefined) return false;
  writeWideDecimal(scratch, value);
  vector.append(scratch);
  return true;
}
