/**
 * PostgreSQL's binary numeric (src/backend/utils/adt/numeric.c, numeric_send): four 16-bit
 * numbers (count of digits, weight of the first, sign, display scale), then digits of base 10,000.
 */
const HEADER_BYTES = 8;
const NEGATIVE = 0x4000;
const SPECIAL = 0xc000;

const SPECIALS: Readonly<Record<number, string>> = {
  0xc000: 'NaN',
  0xd000: 'Infinity',
  0xf000: '-Infinity',
};

const POWERS = Array.from({ length: 78 }, (_, exponent) => 10n ** BigInt(exponent));

function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** `NaN`, `Infinity` or `-Infinity`; undefined for a number. */
export function specialNumeric(bytes: Buffer, start: number): string | undefined {
  const sign = bytes.readUInt16BE(start + 4);
  return (sign & SPECIAL) === SPECIAL ? (SPECIALS[sign] ?? 'NaN') : undefined;
}

/**
 * The number times 10^scale; undefined where that is no integer, which no column of that scale
 * holds. Call it for numbers only, see `specialNumeric`.
 */
export function unscaledNumeric(bytes: Buffer, start: number, scale: number): bigint | undefined {
  const count = bytes.readUInt16BE(start);
  if (count === 0) return 0n;
  const weight = bytes.readInt16BE(start + 2);
  const exponent = (weight - count + 1) * 4 + scale;
  const digits = digitsOf(bytes, start + HEADER_BYTES, count);
  const shifted = shift(digits, exponent);
  if (shifted === undefined) return undefined;
  return bytes.readUInt16BE(start + 4) === NEGATIVE ? -shifted : shifted;
}

/** All digits as one integer; three of them at a time are exact in a number. */
function digitsOf(bytes: Buffer, start: number, count: number): bigint {
  let total = 0n;
  for (let i = 0; i < count; i += 3) {
    const step = Math.min(3, count - i);
    let part = 0;
    for (let j = 0; j < step; j++) part = part * 10_000 + bytes.readUInt16BE(start + 2 * (i + j));
    total = i === 0 ? BigInt(part) : total * powerOfTen(4 * step) + BigInt(part);
  }
  return total;
}

function shift(digits: bigint, exponent: number): bigint | undefined {
  if (exponent === 0) return digits;
  if (exponent > 0) return digits * powerOfTen(exponent);
  const divisor = powerOfTen(-exponent);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

/** Sixteen bytes, big-endian two's complement. */
export function writeInt128(target: Buffer, value: bigint): void {
  target.writeBigInt64BE(value >> 64n, 0);
  target.writeBigUInt64BE(BigInt.asUintN(64, value), 8);
}
