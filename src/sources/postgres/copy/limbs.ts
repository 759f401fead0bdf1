/** A whole number of 128 bits is four parts of 32 bits, the lowest first. No bigint is made. */
export const LIMBS = 4;

const TWO_TO_32 = 2 ** 32;

/** Multiplies and adds; answers what does not fit. `factor` is below 2^21, so products are exact. */
export function multiplyAdd(limbs: Uint32Array, factor: number, add: number): number {
  let carry = add;
  for (let i = 0; i < LIMBS; i++) {
    if (carry === 0 && limbs[i] === 0) continue;
    const product = limbs[i]! * factor + carry;
    const low = product >>> 0;
    limbs[i] = low;
    carry = (product - low) / TWO_TO_32;
  }
  return carry;
}

/** Sets a whole number below 2^53. */
export function setLimbs(limbs: Uint32Array, value: number): void {
  limbs[0] = value >>> 0;
  limbs[1] = value / TWO_TO_32;
  limbs[2] = 0;
  limbs[3] = 0;
}

export function isBelow(limbs: Uint32Array, bound: Uint32Array): boolean {
  for (let i = LIMBS - 1; i > 0; i--) {
    if (limbs[i] !== bound[i]) return limbs[i]! < bound[i]!;
  }
  return limbs[0]! < bound[0]!;
}

/** Two's complement. */
export function negate(limbs: Uint32Array): void {
  let carry = 1;
  for (let i = 0; i < LIMBS; i++) {
    const sum = (~limbs[i]! >>> 0) + carry;
    limbs[i] = sum;
    carry = sum === TWO_TO_32 ? 1 : 0;
  }
}

export function limbsOf(value: bigint, limbs: Uint32Array): Uint32Array {
  for (let i = 0; i < LIMBS; i++) limbs[i] = Number(BigInt.asUintN(32, value >> BigInt(32 * i)));
  return limbs;
}
