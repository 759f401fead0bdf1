import { LIMBS, limbsOf } from './limbs';

/**
 * How numerics of one column become whole numbers. PostgreSQL's digits are of base 10,000 and
 * stand left and right of the point, so the last one that a scale has room for lies at the weight
 * `lowestWeight` and has `divisor` too many: of 0.12 it is 1200.
 */
export interface Scaling {
  readonly lowestWeight: number;
  readonly divisor: number;
  /** A digit of base 10,000 times `factor`, shifted right by `shift`, is the digit by `divisor`. */
  readonly factor: number;
  readonly shift: number;
  /**
   * By which the digits are multiplied, by how far above `lowestWeight` the last of them stands;
   * at 0 those before the last.
   */
  readonly multipliers: Float64Array;
  /** 10 to the power of the precision: the first magnitude that does not fit. */
  readonly bound: number;
  readonly boundLimbs: Uint32Array;
}

/** By the places to be taken off: division of whole numbers below 10,000 without a division. */
const DIVISIONS = [
  { divisor: 1, factor: 1, shift: 0 },
  { divisor: 10, factor: 52_429, shift: 19 },
  { divisor: 100, factor: 5_243, shift: 19 },
  { divisor: 1_000, factor: 8_389, shift: 23 },
] as const;

/** Powers of ten up to this one are exact in a double. */
const EXACT_POWER = 22;

/** The scaling of a decimal of at most 38 digits. */
export function scaleOf(precision: number, scale: number): Scaling {
  const places = Math.ceil(scale / 4);
  const spare = places * 4 - scale;
  const exponents = [4 - spare];
  for (let exponent = 4 - spare; exponent <= EXACT_POWER; exponent += 4) exponents.push(exponent);
  return {
    lowestWeight: -places,
    ...DIVISIONS[spare]!,
    multipliers: Float64Array.from(exponents, (exponent) => 10 ** exponent),
    bound: 10 ** precision,
    boundLimbs: limbsOf(10n ** BigInt(precision), new Uint32Array(LIMBS)),
  };
}
