/** Whole numbers of 128 bits: a magnitude that grows from its highest digits down. */

export const POWERS_OF_TEN: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
  100000000000000000, 1000000000000000000, 10000000000000000000,
]);

/** 10 to the power of 0 to 19. */
export function powerOfTen(exponent: i32): u64 {
  return load<u64>(POWERS_OF_TEN + ((<usize>exponent) << 3));
}

export let high: u64 = 0;
export let low: u64 = 0;
/** Whether something has not found place. */
export let overflows: bool = false;

export function setWide(value: u64): void {
  high = 0;
  low = value;
  overflows = false;
}

/** Multiplies by `factor` and adds `part`. */
export function multiplyAdd(factor: u64, part: u64): void {
  const carried = upperProduct(low, factor);
  const lower = low * factor;
  low = lower + part;
  const carry = carried + u64(low < lower);
  if (high != 0) {
    if (upperProduct(high, factor) != 0) overflows = true;
    const upper = high * factor;
    high = upper + carry;
    if (high < upper) overflows = true;
  } else {
    high = carry;
  }
}

/** The high half of a product of two numbers of 64 bits. */
function upperProduct(one: u64, other: u64): u64 {
  const oneLow = one & 0xffffffff;
  const oneHigh = one >> 32;
  const otherLow = other & 0xffffffff;
  const otherHigh = other >> 32;
  const middle = oneHigh * otherLow + ((oneLow * otherLow) >> 32);
  const rest = oneLow * otherHigh + (middle & 0xffffffff);
  return oneHigh * otherHigh + (middle >> 32) + (rest >> 32);
}

let boundHigh: u64 = 0;
let boundLow: u64 = 0;

/** From now on numbers are compared with 10 to the power of `digits`, 0 to 38. */
export function setBound(digits: i32): void {
  setWide(powerOfTen(min(digits, 19)));
  multiplyAdd(powerOfTen(max(0, digits - 19)), 0);
  boundHigh = high;
  boundLow = low;
}

export function isBelowBound(): bool {
  if (overflows) return false;
  return high < boundHigh || (high == boundHigh && low < boundLow);
}

export const WIDE_BYTES: usize = 16;

/** Sixteen bytes, big-endian two's complement. */
export function storeWide(out: usize, isNegative: bool): void {
  let lower = low;
  let upper = high;
  if (isNegative) {
    lower = 0 - lower;
    upper = ~upper + u64(lower == 0);
  }
  store<u64>(out, bswap<u64>(upper));
  store<u64>(out, bswap<u64>(lower), 8);
}
