/**
 * The RLE/bit-packed hybrid in which Parquet writes dictionary indexes: runs of equal values as
 * their length and value, everything else packed eight values to a group.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

/** Values of one packed group; a run is worth its header from here on. */
const GROUP = 8;
/** Header of a run and its value, and header of the packed values behind it, at most. */
const RUN_OVERHEAD = 16;

/**
 * Bits that hold every index below `size`. At least one: some readers stumble over none, and
 * Arrow's writer avoids it too.
 */
export function bitWidth(size: number): number {
  return Math.max(1, 32 - Math.clz32(size - 1));
}

/** The most bytes that `count` values can take. */
export function hybridBound(count: number, width: number): number {
  return Math.ceil(count / GROUP) * (width + RUN_OVERHEAD) + RUN_OVERHEAD;
}

/**
 * Writes the first `count` indexes with `width` (1 to 24) bits each at `at`; returns the end. There
 * must be `hybridBound` bytes behind `at`. Every index fits its bits.
 */
export function writeHybrid(
  out: DataView,
  at: number,
  indexes: Int32Array,
  count: number,
  width: number,
): number {
  // Looking for runs costs more than it saves where neighbours seldom agree.
  if (countRepeats(indexes, count) * 2 < count) return packed(out, at, indexes, 0, count, width);
  let position = at;
  let packedFrom = 0;
  for (let i = 0; i < count;) {
    const value = indexes[i]!;
    let end = i + 1;
    while (end < count && indexes[end] === value) end++;
    // A run may begin only where a packed group ends.
    const start = packedFrom + Math.ceil((i - packedFrom) / GROUP) * GROUP;
    if (end - start >= GROUP) {
      if (start > packedFrom) position = packed(out, position, indexes, packedFrom, start, width);
      position = writeVarint(out, position, (end - start) * 2);
      for (let bits = 0; bits < width; bits += 8) out.setUint8(position++, (value >>> bits) & 0xff);
      packedFrom = end;
    }
    i = end;
  }
  return packedFrom < count ? packed(out, position, indexes, packedFrom, count, width) : position;
}

function countRepeats(indexes: Int32Array, count: number): number {
  let repeats = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const index = indexes[i]!;
    // One for equal, without a branch that the processor would mispredict.
    repeats += ((index ^ previous) - 1) >>> 31;
    previous = index;
  }
  return repeats;
}

/** Values least significant bit first, gathered in a 32-bit word that leaves when it is full. */
function packed(
  out: DataView,
  at: number,
  indexes: Int32Array,
  from: number,
  end: number,
  width: number,
): number {
  const groups = Math.ceil((end - from) / GROUP);
  let position = writeVarint(out, at, groups * 2 + 1);
  const stop = position + groups * width;
  let word = 0;
  let bits = 0;
  for (let i = from; i < end; i++) {
    const value = indexes[i]!;
    word |= value << bits;
    bits += width;
    if (bits >= 32) {
      out.setInt32(position, word, true);
      position += 4;
      bits -= 32;
      // A shift by 32 is a shift by 0 here.
      word = bits === 0 ? 0 : value >>> (width - bits);
    }
  }
  for (; bits > 0; bits -= 8) {
    out.setUint8(position++, word & 0xff);
    word >>>= 8;
  }
  // The last group is filled up with zeros.
  while (position < stop) out.setUint8(position++, 0);
  return stop;
}

function writeVarint(out: DataView, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest >= 0x80) {
    out.setUint8(position++, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.setUint8(position++, rest);
  return position;
}
