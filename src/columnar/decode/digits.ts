/**
 * Reading digits from text as it lies in a buffer, without making a string of it.
 *
 * The parsers of this folder answer `undefined`, `NaN` or `false` for text that is not a value of
 * the type: what to do then is the source's decision.
 */

export const MINUS = 0x2d;
export const PLUS = 0x2b;
export const DOT = 0x2e;
export const COLON = 0x3a;
export const ZERO = 0x30;

/** Whole numbers of this many digits are exact in a double. */
const EXACT_DIGITS = 15;

/** The digits from `start` to `end` as a number; NaN where there are none, others or more than 15. */
export function digits(text: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > EXACT_DIGITS) return NaN;
  let value = 0;
  for (let index = start; index < end; index++) {
    const digit = (text[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Exactly two digits at `start`, as in months and minutes; NaN where there are not. */
export function twoDigits(text: Uint8Array, start: number): number {
  return start + 2 > text.length ? NaN : digits(text, start, start + 2);
}

const POWERS_OF_TEN = Array.from({ length: 40 }, (_, exponent) => 10n ** BigInt(exponent));

/** 10 to the power of 0 to 39. */
export function powerOfTen(exponent: number): bigint {
  return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);
}

/** Any number of digits from `start` to `end`, exactly. */
export function bigDigits(text: Uint8Array, start: number, end: number): bigint | undefined {
  if (end - start <= EXACT_DIGITS) {
    const value = digits(text, start, end);
    return Number.isNaN(value) ? undefined : BigInt(value);
  }
  let total = 0n;
  for (let from = start; from < end; from += EXACT_DIGITS) {
    const to = Math.min(from + EXACT_DIGITS, end);
    const value = digits(text, from, to);
    if (Number.isNaN(value)) return undefined;
    total = total * powerOfTen(to - from) + BigInt(value);
  }
  return total;
}

/** Microseconds of a fraction of a second given as its digits after the point; NaN beyond six. */
export function microseconds(text: Uint8Array, start: number, end: number): number {
  const length = end - start;
  return length > 6 ? NaN : digits(text, start, end) * 10 ** (6 - length);
}
