/**
 * Values and definition levels as bytes. Typed arrays are copied as they lie in memory: Parquet is
 * little-endian, as is every machine that Node's builds run on but s390x and AIX.
 */

/**
 * Definition levels of an optional column (0: NULL, 1: value) in the RLE/bit-packed hybrid with
 * bit width 1, behind its four-byte length, as data page v1 wants them. Runs of eight or more equal
 * levels become RLE runs, the rest is packed eight to a byte.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */
export function definitionLevels(valid: Uint8Array, rows: number, values: number): Buffer {
  if (values === rows || values === 0) return uniformLevels(rows, values === 0 ? 0 : 1);

  // Worst case: every other group of eight is an RLE run, each with its own header.
  const out = Buffer.allocUnsafe(4 + Math.ceil(rows / 8) * 2 + 16);
  let length = 4;
  let row = 0;
  let packedFrom = 0;
  const packUpTo = (end: number) => {
    if (end > packedFrom) length = packLevels(out, length, valid, packedFrom, end);
  };
  while (row < rows) {
    const level = valid[row];
    let end = row + 1;
    while (end < rows && valid[end] === level) end++;
    // A run may begin only where a packed group of eight ends.
    const start = Math.min(end, packedFrom + Math.ceil((row - packedFrom) / 8) * 8);
    if (end - start >= 8) {
      packUpTo(start);
      length = writeVarint(out, length, (end - start) * 2);
      out[length++] = level ?? 0;
      packedFrom = end;
    }
    row = end;
  }
  packUpTo(rows);
  out.writeUInt32LE(length - 4, 0);
  return out.subarray(0, length);
}

function uniformLevels(rows: number, level: 0 | 1): Buffer {
  const out = Buffer.alloc(16);
  let length = writeVarint(out, 4, rows * 2);
  out[length++] = level;
  out.writeUInt32LE(length - 4, 0);
  return out.subarray(0, length);
}

function packLevels(out: Buffer, at: number, valid: Uint8Array, from: number, end: number): number {
  const groups = Math.ceil((end - from) / 8);
  const start = writeVarint(out, at, groups * 2 + 1);
  return start + packBits(out, start, valid, from, end);
}

/** Packs zeros and ones, least significant bit first; returns the bytes written. */
export function packBits(
  out: Uint8Array,
  at: number,
  flags: Uint8Array,
  from: number,
  end: number,
): number {
  let position = at;
  for (let i = from; i < end; i += 8) {
    let byte = 0;
    const count = Math.min(8, end - i);
    for (let bit = 0; bit < count; bit++) byte |= (flags[i + bit] ?? 0) << bit;
    out[position++] = byte;
  }
  return position - at;
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest >= 0x80) {
    out[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[position++] = rest;
  return position;
}
