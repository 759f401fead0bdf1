import type { DoubleVector, FloatVector } from '../vectors';

const WORDS: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ['infinity', Infinity],
  ['+infinity', Infinity],
  ['-infinity', -Infinity],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
]);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A floating-point number with or without exponent, or NaN or Infinity in any case; else undefined. */
export function floatOf(text: Buffer): number | undefined {
  const word = text.toString('latin1');
  // `Number` would also take '', '0x10' and spaces.
  return NUMBER.test(word) ? Number(word) : WORDS.get(word.toLowerCase());
}

/**
 * Appends a floating-point number; false when it is none.
 *
 * For a `float` vector the nearest single-precision number is stored, which is the very one that
 * was printed if the text had at least nine significant digits or was the shortest that round-trips.
 */
export function appendFloat(vector: FloatVector | DoubleVector, text: Buffer): boolean {
  const value = floatOf(text);
  if (value === undefined) return false;
  vector.append(value);
  return true;
}
