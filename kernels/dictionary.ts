/**
 * Looks values up in the dictionary of a column chunk and writes their indexes. The table has open
 * addressing: a slot holds an index plus one, or zero, and there are 2^bits of them. A value that is
 * found at once takes no branch that the processor could mispredict.
 *
 * Each function takes values until all `count` are done or the dictionary holds `most`, and returns
 * how many it took. The i32 at `state` is the number of entries, before and after.
 */

/** 2^64 divided by the golden ratio: multiplied by it, neighbours end far apart in the high bits. */
const SPREAD: u64 = 0x9e3779b97f4a7c15;
const SPREAD_TOO: u64 = 0xc2b2ae3d27d4eb4f;

/** Values of 32 bits, told apart by their bits. `entries` holds the distinct ones. */
export function dictionary32(
  values: usize,
  count: i32,
  slots: usize,
  bits: i32,
  entries: usize,
  most: i32,
  indexes: usize,
  state: usize,
): i32 {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  let size = load<i32>(state);
  let i = 0;
  for (; i < count; i++) {
    const value = load<u32>(values + ((<usize>i) << 2));
    let slot = <u32>((<u64>value * SPREAD) >> shift);
    let index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    while (index >= 0 && load<u32>(entries + ((<usize>index) << 2)) != value) {
      slot = (slot + 1) & mask;
      index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    }
    if (index < 0) {
      if (size == most) break;
      index = size++;
      store<i32>(slots + ((<usize>slot) << 2), size);
      store<u32>(entries + ((<usize>index) << 2), value);
    }
    store<i32>(indexes + ((<usize>i) << 2), index);
  }
  store<i32>(state, size);
  return i;
}

/** Fills empty slots with `size` entries: the table has grown. */
export function rehash32(slots: usize, bits: i32, entries: usize, size: i32): void {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  for (let index = 0; index < size; index++) {
    const value = load<u32>(entries + ((<usize>index) << 2));
    let slot = <u32>((<u64>value * SPREAD) >> shift);
    while (load<i32>(slots + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & mask;
    store<i32>(slots + ((<usize>slot) << 2), index + 1);
  }
}

/** Values of 64 bits, told apart by their bits. */
export function dictionary64(
  values: usize,
  count: i32,
  slots: usize,
  bits: i32,
  entries: usize,
  most: i32,
  indexes: usize,
  state: usize,
): i32 {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  let size = load<i32>(state);
  let i = 0;
  for (; i < count; i++) {
    const value = load<u64>(values + ((<usize>i) << 3));
    let slot = <u32>(spread64(value) >> shift);
    let index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    while (index >= 0 && load<u64>(entries + ((<usize>index) << 3)) != value) {
      slot = (slot + 1) & mask;
      index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    }
    if (index < 0) {
      if (size == most) break;
      index = size++;
      store<i32>(slots + ((<usize>slot) << 2), size);
      store<u64>(entries + ((<usize>index) << 3), value);
    }
    store<i32>(indexes + ((<usize>i) << 2), index);
  }
  store<i32>(state, size);
  return i;
}

export function rehash64(slots: usize, bits: i32, entries: usize, size: i32): void {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  for (let index = 0; index < size; index++) {
    let slot = <u32>(spread64(load<u64>(entries + ((<usize>index) << 3))) >> shift);
    while (load<i32>(slots + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & mask;
    store<i32>(slots + ((<usize>slot) << 2), index + 1);
  }
}

/** Doubles of whole numbers have zeros in their low bits, so the high ones are brought down first. */
function spread64(value: u64): u64 {
  return (value ^ (value >> 32)) * SPREAD;
}

/** Bytes of a key: two words, see below. */
const KEY_BYTES: usize = 16;
/** A value of up to so many bytes is told by its length and its key. */
const SHORT: u32 = 16;

/**
 * Byte strings. A key holds the first and the last eight bytes, which overlap so that they are all
 * of a short value; a longer value's second word is a hash of all of it, and its bytes are compared.
 * Entries are copied to `copies`, each behind its four-byte length, which is Parquet's plain
 * encoding, or, with a `width`, as their last `width` bytes alone. `entryStarts` and `entryEnds` are
 * where they lie in `copies`. The u32 at `state + 4` is how much of `copies` is used, and `room` how
 * much there is. Reads up to seven bytes behind a value.
 */
export function dictionaryBytes(
  data: usize,
  starts: usize,
  ends: usize,
  count: i32,
  width: u32,
  slots: usize,
  bits: i32,
  keys: usize,
  entryStarts: usize,
  entryEnds: usize,
  copies: usize,
  room: u32,
  longest: u32,
  most: i32,
  indexes: usize,
  state: usize,
): i32 {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  const prefix: u32 = width == 0 ? 4 : 0;
  let size = load<i32>(state);
  let used = load<u32>(state, 4);
  let i = 0;
  for (; i < count; i++) {
    const end = load<u32>(ends + ((<usize>i) << 2));
    const length = width == 0 ? end - load<u32>(starts + ((<usize>i) << 2)) : width;
    const at = data + <usize>(end - length);
    let first = load<u64>(at);
    let second: u64 = 0;
    if (length >= 8) {
      second = load<u64>(at + <usize>length - 8);
      if (length > SHORT) {
        if (length > longest) break;
        second = hashBytes(at, length);
      }
    } else {
      first &= ((<u64>1) << ((<u64>length) << 3)) - 1;
    }
    let slot = <u32>(spreadKey(length, first, second) >> shift);
    let index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    while (index >= 0) {
      const key = keys + <usize>index * KEY_BYTES;
      if (load<u64>(key) == first && load<u64>(key, 8) == second) {
        const start = load<u32>(entryStarts + ((<usize>index) << 2));
        if (load<u32>(entryEnds + ((<usize>index) << 2)) - start == length) {
          if (length <= SHORT || isSame(copies + <usize>start, at, length)) break;
        }
      }
      slot = (slot + 1) & mask;
      index = load<i32>(slots + ((<usize>slot) << 2)) - 1;
    }
    if (index < 0) {
      if (size == most || used + prefix + length > room) break;
      index = size++;
      store<i32>(slots + ((<usize>slot) << 2), size);
      const key = keys + <usize>index * KEY_BYTES;
      store<u64>(key, first);
      store<u64>(key, second, 8);
      if (prefix != 0) store<u32>(copies + <usize>used, length);
      used += prefix;
      store<u32>(entryStarts + ((<usize>index) << 2), used);
      memory.copy(copies + <usize>used, at, length);
      used += length;
      store<u32>(entryEnds + ((<usize>index) << 2), used);
    }
    store<i32>(indexes + ((<usize>i) << 2), index);
  }
  store<i32>(state, size);
  store<u32>(state, used, 4);
  return i;
}

export function rehashBytes(
  slots: usize,
  bits: i32,
  keys: usize,
  entryStarts: usize,
  entryEnds: usize,
  size: i32,
): void {
  const shift: u64 = 64 - <u64>bits;
  const mask: u32 = (1 << bits) - 1;
  for (let index = 0; index < size; index++) {
    const length =
      load<u32>(entryEnds + ((<usize>index) << 2)) - load<u32>(entryStarts + ((<usize>index) << 2));
    const key = keys + <usize>index * KEY_BYTES;
    let slot = <u32>(spreadKey(length, load<u64>(key), load<u64>(key, 8)) >> shift);
    while (load<i32>(slots + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & mask;
    store<i32>(slots + ((<usize>slot) << 2), index + 1);
  }
}

function spreadKey(length: u32, first: u64, second: u64): u64 {
  const mixed = ((first ^ ((<u64>length) << 57)) * SPREAD) ^ (second * SPREAD_TOO);
  return (mixed ^ (mixed >> 29)) * SPREAD;
}

function hashBytes(at: usize, length: u32): u64 {
  let hash: u64 = length;
  const last = at + <usize>length - 8;
  for (let p = at; p < last; p += 8) hash = ((hash ^ load<u64>(p)) * SPREAD) ^ (hash >> 29);
  return ((hash ^ load<u64>(last)) * SPREAD_TOO) ^ (hash >> 31);
}

/** Of two strings of one length of eight or more. */
function isSame(one: usize, other: usize, length: u32): bool {
  const last = <usize>length - 8;
  for (let p: usize = 0; p < last; p += 8) {
    if (load<u64>(one + p) != load<u64>(other + p)) return false;
  }
  return load<u64>(one + last) == load<u64>(other + last);
}
