import fc from 'fast-check';

/** Few different bytes, so that strings agree in long parts. */
const byte = fc.constantFrom(0, 1, 0x61, 0x62, 0x80, 0xff);

const ofLength = (minLength: number, maxLength: number) =>
  fc.array(byte, { minLength, maxLength }).map((bytes) => Buffer.from(bytes));

/** Equal at both ends, as long as each other, and different in one byte between, or in none. */
const sameEnds = fc
  .tuple(fc.integer({ min: 17, max: 40 }), fc.integer({ min: 8, max: 31 }), byte)
  .map(([length, at, other]) => {
    const bytes = Buffer.alloc(length, 0x61);
    if (at < length - 8) bytes[at] = other;
    return bytes;
  });

/** Around the longest that a dictionary takes. */
const long = fc
  .tuple(fc.integer({ min: 1018, max: 1030 }), fc.integer({ min: 0, max: 1029 }), byte)
  .map(([length, at, other]) => {
    const bytes = Buffer.alloc(length, 0x61);
    bytes[at % length] = other;
    return bytes;
  });

/** A string and the same with zeros behind it, which only their lengths tell apart. */
const withZeros = fc
  .tuple(ofLength(0, 6), fc.integer({ min: 0, max: 20 }))
  .map(([start, zeros]) => Buffer.concat([start, Buffer.alloc(zeros)]));

/** Beginnings of each other, but perhaps for the last byte. */
export const beginnings: fc.Arbitrary<Buffer> = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0x61, 0x61, 0, 0xff))
  .map(([length, last]) => {
    const bytes = Buffer.alloc(length, 0x61);
    if (length > 0) bytes[length - 1] = last;
    return bytes;
  });

/** What is hard to tell apart: beginnings, ends, lengths. */
export const byteString: fc.Arbitrary<Buffer> = fc.oneof(
  ofLength(0, 40),
  ofLength(7, 9),
  ofLength(15, 18),
  sameEnds,
  beginnings,
  withZeros,
  long,
);

/** Of one length. */
export function byteStringsOf(length: number): fc.Arbitrary<Buffer> {
  return fc.oneof(
    ofLength(length, length),
    fc.tuple(fc.nat({ max: length - 1 }), byte).map(([at, other]) => {
      const bytes = Buffer.alloc(length, 0x61);
      bytes[at] = other;
      return bytes;
    }),
  );
}

/** Bit patterns of 64-bit numbers and doubles that look alike or are special. */
export const word: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    2n ** 31n,
    2n ** 32n,
    2n ** 63n,
    2n ** 63n - 1n,
    2n ** 64n - 1n,
    // NaNs of several kinds, the infinities, -0 is 2^63.
    0x7ff8000000000000n,
    0x7ff8000000000001n,
    0xfff8000000000000n,
    0x7ff0000000000001n,
    0x7ff0000000000000n,
    0xfff0000000000000n,
  ),
  // Equal low halves, equal high halves, neighbours, doubles of small numbers.
  fc.nat({ max: 40 }).map((high) => BigInt(high) << 32n),
  fc.nat({ max: 40 }).map((low) => (1n << 40n) | BigInt(low)),
  fc.nat({ max: 40 }).map((low) => BigInt(low)),
  fc.nat({ max: 40 }).map((number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(number / 4);
    return bytes.readBigUInt64BE();
  }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
