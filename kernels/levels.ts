/** Zeros and ones as bits (parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid"). */

/** Eight bytes of 1. */
const ONES: u64 = 0x0101010101010101;
/** Moves byte i of eight flags to bit i of the highest byte: no two products meet elsewhere. */
const TO_BITS: u64 = 0x0102040810204080;
/** Groups of eight that agree become a run when there are so many: less is no smaller than packed. */
const FEWEST_GROUPS = 3;

/** Packs `count` zeros and ones, the first into the lowest bit. Reads up to 7 bytes behind them. */
export function packFlags(flags: usize, count: i32, out: usize): void {
  const groups = count >> 3;
  for (let group = 0; group < groups; group++) {
    store<u8>(out + <usize>group, packed(load<u64>(flags + ((<usize>group) << 3))));
  }
  const rest = count & 7;
  if (rest > 0) {
    const bits = <u64>rest * 8;
    const mask = ((<u64>1) << bits) - 1;
    store<u8>(out + <usize>groups, packed(load<u64>(flags + ((<usize>groups) << 3)) & mask));
  }
}

/**
 * Definition levels of an optional column, 0 or 1 each, as runs of groups of eight that agree and
 * packed groups in between. Returns where they end. Reads as `packFlags` does.
 */
export function levels(flags: usize, count: i32, out: usize): usize {
  const groups = count >> 3;
  let at = out;
  let packedFrom = 0;
  let group = 0;
  while (group < groups) {
    const word = load<u64>(flags + ((<usize>group) << 3));
    if (word != 0 && word != ONES) {
      group++;
      continue;
    }
    let end = group + 1;
    while (end < groups && load<u64>(flags + ((<usize>end) << 3)) == word) end++;
    if (end - group >= FEWEST_GROUPS) {
      at = packedRun(flags, packedFrom << 3, group << 3, at);
      at = varint(at, (end - group) << 4);
      store<u8>(at, <u8>word);
      at++;
      packedFrom = end;
    }
    group = end;
  }
  return packedRun(flags, packedFrom << 3, count, at);
}

function packed(flags: u64): u8 {
  return <u8>((flags * TO_BITS) >> 56);
}

/** Flags `from` up to `end` as one run of packed groups behind its header, if there are any. */
function packedRun(flags: usize, from: i32, end: i32, out: usize): usize {
  if (from == end) return out;
  const groups = (end - from + 7) >> 3;
  const at = varint(out, (groups << 1) | 1);
  packFlags(flags + <usize>from, end - from, at);
  return at + <usize>groups;
}

function varint(out: usize, value: i32): usize {
  let at = out;
  let rest = <u32>value;
  while (rest >= 0x80) {
    store<u8>(at, <u8>(rest | 0x80));
    at++;
    rest >>= 7;
  }
  store<u8>(at, <u8>rest);
  return at + 1;
}
