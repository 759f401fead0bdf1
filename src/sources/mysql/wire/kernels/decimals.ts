// Constants of this file, not imported ones: those are looked up again for each digit.
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Bytes of a decimal of more than 18 digits. */
const WIDE_DECIMAL_BYTES = 16;

const TWO_32 = 2 ** 32;

/**
 * DECIMAL comes as text with exactly `scale` digits after the point:
 * https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/result-set-packets
 * Reads up to 18 digits into halves, from value `from` on; answers the index of the first value
 * that has another form, or `values`.
 */
export function readDecimals(
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  from: number,
  values: number,
  target: Int32Array,
  precision: number,
  scale: number,
): number {
  // The limits of the digits before the last nine, and of the last nine.
  const highLimit = precision > 9 ? 10 ** (precision - 9) : 1;
  const lowLimit = precision > 9 ? 1e9 : 10 ** precision;
  const dotLength = scale === 0 ? 0 : 1;
  for (let index = from; index < values; index++) {
    let at = starts[index]!;
    const end = ends[index]!;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const dot = end - scale - dotLength;
    let digits = end - at - dotLength;
    if (dot <= at || (dotLength !== 0 && bytes[dot] !== DOT)) return index;
    if (digits > 18) {
      for (; at < dot && bytes[at] === ZERO; at++) digits--;
      if (digits > 18) return index;
    }
    let wrong = 0;
    if (digits <= 9) {
      let value = 0;
      for (; at < dot; at++) {
        const digit = bytes[at]! - ZERO;
        wrong |= digit | (9 - digit);
        value = value * 10 + digit;
      }
      for (at += dotLength; at < end; at++) {
        const digit = bytes[at]! - ZERO;
        wrong |= digit | (9 - digit);
        value = value * 10 + digit;
      }
      if (wrong < 0 || (highLimit === 1 && value >= lowLimit)) return index;
      if (negative) value = -value;
      target[2 * index] = value;
      target[2 * index + 1] = value >> 31;
      continue;
    }
    let upper = 0;
    let lower = 0;
    let left = digits;
    for (; at < end; at++) {
      if (at === dot) continue;
      const digit = bytes[at]! - ZERO;
      wrong |= digit | (9 - digit);
      if (left-- > 9) upper = upper * 10 + digit;
      else lower = lower * 10 + digit;
    }
    if (wrong < 0 || upper >= highLimit || lower >= lowLimit) return index;
    // Exact: upper times 5^9 is below 2^53, and the rest of 10^9 is 2^9.
    const whole = upper * 1e9;
    let high = Math.floor(whole / TWO_32);
    let low = whole - high * TWO_32 + lower;
    if (low >= TWO_32) {
      low -= TWO_32;
      high++;
    }
    if (negative) {
      high = low === 0 ? -high : -high - 1;
      low = low === 0 ? 0 : TWO_32 - low;
    }
    target[2 * index] = low;
    target[2 * index + 1] = high;
  }
  return values;
}

/** Digits that are taken in at a time: times 2^32 they stay below 2^53. */
const STEP_DIGITS = 6;
const POWERS_OF_TEN = Array.from({ length: STEP_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/**
 * Reads decimals of 19 to 38 digits as 16 bytes each, big-endian, value i at `16 * i` of
 * `target`; otherwise as `readDecimals`. A text of more digits than the precision is not taken.
 */
export function readWideDecimals(
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  from: number,
  values: number,
  target: DataView,
  precision: number,
  scale: number,
): number {
  const dotLength = scale === 0 ? 0 : 1;
  for (let index = from; index < values; index++) {
    let at = starts[index]!;
    const end = ends[index]!;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const dot = end - scale - dotLength;
    if (dot <= at || (dotLength !== 0 && bytes[dot] !== DOT)) return index;
    while (at < dot - 1 && bytes[at] === ZERO) at++;
    // A zero before the point is no digit of the precision.
    const digits = end - at - dotLength - (bytes[at] === ZERO ? 1 : 0);
    if (digits > precision) return index;

    // The magnitude in four words, lowest first.
    let word0 = 0;
    let word1 = 0;
    let word2 = 0;
    let word3 = 0;
    let wrong = 0;
    while (at < end) {
      let step = 0;
      let count = 0;
      for (; at < end && count < STEP_DIGITS; at++) {
        if (at === dot) continue;
        const digit = bytes[at]! - ZERO;
        wrong |= digit | (9 - digit);
        step = step * 10 + digit;
        count++;
      }
      const power = POWERS_OF_TEN[count]!;
      word0 = word0 * power + step;
      let carry = Math.floor(word0 / TWO_32);
      word0 -= carry * TWO_32;
      word1 = word1 * power + carry;
      carry = Math.floor(word1 / TWO_32);
      word1 -= carry * TWO_32;
      word2 = word2 * power + carry;
      carry = Math.floor(word2 / TWO_32);
      word2 -= carry * TWO_32;
      word3 = word3 * power + carry;
    }
    if (wrong < 0) return index;
    const place = index * WIDE_DECIMAL_BYTES;
    if (!negative) {
      target.setUint32(place, word3);
      target.setUint32(place + 4, word2);
      target.setUint32(place + 8, word1);
      target.setUint32(place + 12, word0);
      continue;
    }
    // Two's complement: the inverse of the words, plus one that runs through those that are 0.
    target.setInt32(place, (word0 | word1 | word2) === 0 ? -word3 : ~word3);
    target.setInt32(place + 4, (word0 | word1) === 0 ? -word2 : ~word2);
    target.setInt32(place + 8, word0 === 0 ? -word1 : ~word1);
    target.setInt32(place + 12, -word0);
  }
  return values;
}
