/** Values and indexes as they stand in Parquet's pages (parquet-format, Encodings.md). */

/** How many of `count` indexes equal the one before them. */
export function countRepeats(indexes: usize, count: i32): i32 {
  let repeats = 0;
  let previous = load<i32>(indexes);
  for (let i = 1; i < count; i++) {
    const index = load<i32>(indexes + ((<usize>i) << 2));
    repeats += i32(index == previous);
    previous = index;
  }
  return repeats;
}

/** The length of the run of equal indexes that begins at `from`. */
export function runLength(indexes: usize, from: i32, count: i32): i32 {
  const value = load<i32>(indexes + ((<usize>from) << 2));
  let end = from + 1;
  while (end < count && load<i32>(indexes + ((<usize>end) << 2)) == value) end++;
  return end - from;
}

/**
 * Packs indexes `from` up to `end` with `width` (1 to 32) bits each, the least significant bit
 * first, and fills the last group of eight up with zeros. Writes up to eight bytes behind the end.
 */
export function pack(indexes: usize, from: i32, end: i32, width: i32, out: usize): void {
  const bitsEach = <u64>width;
  let word: u64 = 0;
  let bits: u64 = 0;
  let at = out;
  for (let i = from; i < end; i++) {
    const value = <u64>load<u32>(indexes + ((<usize>i) << 2));
    word |= value << bits;
    bits += bitsEach;
    if (bits >= 64) {
      store<u64>(at, word);
      at += 8;
      bits -= 64;
      // A shift by 64 is a shift by 0.
      word = bits == 0 ? 0 : value >> (bitsEach - bits);
    }
  }
  const groups = (end - from + 7) >> 3;
  const stop = out + <usize>(groups * width);
  for (; at < stop; at += 8) {
    store<u64>(at, word);
    word = 0;
  }
}

/** Notes in `used` that the page of this number uses these entries of the dictionary. */
export function markUsed(indexes: usize, count: i32, used: usize, page: i32): void {
  for (let i = 0; i < count; i++) {
    store<i32>(used + ((<usize>load<u32>(indexes + ((<usize>i) << 2))) << 2), page);
  }
}

/** The 32-bit values at `count` indexes, one behind the other. */
export function gather32(values: usize, indexes: usize, count: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>(count << 2); i += 4) {
    store<u32>(out + i, load<u32>(values + ((<usize>load<u32>(indexes + i)) << 2)));
  }
}

/** As `gather32`, of 64 bits. */
export function gather64(values: usize, indexes: usize, count: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>(count << 2); i += 4) {
    const value = load<u64>(values + ((<usize>load<u32>(indexes + i)) << 3));
    store<u64>(out + (i << 1), value);
  }
}

/** Bytes of `count` values together. */
export function sumLengths(starts: usize, ends: usize, count: i32): f64 {
  let total: u64 = 0;
  for (let i = 0; i < count; i++) {
    total += load<u32>(ends + ((<usize>i) << 2)) - load<u32>(starts + ((<usize>i) << 2));
  }
  return <f64>total;
}

/**
 * BYTE_ARRAY, plain: each value behind its four-byte length. Returns where it ended. Reads up to 15
 * bytes behind a value and writes up to 15 behind the last, so that short values need no exact copy.
 */
export function plainBytes(data: usize, starts: usize, ends: usize, count: i32, out: usize): usize {
  let at = out;
  for (let i = 0; i < count; i++) {
    const start = load<u32>(starts + ((<usize>i) << 2));
    const length = load<u32>(ends + ((<usize>i) << 2)) - start;
    store<u32>(at, length);
    at += 4;
    const from = data + <usize>start;
    if (length <= 256) {
      for (let done: usize = 0; done < <usize>length; done += 16) {
        v128.store(at + done, v128.load(from + done));
      }
    } else {
      memory.copy(at, from, length);
    }
    at += <usize>length;
  }
  return at;
}

/** FIXED_LEN_BYTE_ARRAY, plain: the last `width` bytes of each value. */
export function plainTails(data: usize, ends: usize, count: i32, width: i32, out: usize): void {
  let at = out;
  for (let i = 0; i < count; i++) {
    const from = data + <usize>(load<i32>(ends + ((<usize>i) << 2)) - width);
    memory.copy(at, from, width);
    at += <usize>width;
  }
}

/** The low halves of 64-bit values. */
export function narrow(values: usize, count: i32, out: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(out + ((<usize>i) << 2), load<i32>(values + ((<usize>i) << 3)));
  }
}

/** How many of the bytes from `from` up to `end` are 1; all are 0 or 1. */
export function countOnes(bytes: usize, from: i32, end: i32): i32 {
  let ones: i32 = 0;
  let i = from;
  for (; i + 8 <= end; i += 8) ones += <i32>popcnt<u64>(load<u64>(bytes + <usize>i));
  for (; i < end; i++) ones += <i32>load<u8>(bytes + <usize>i);
  return ones;
}
