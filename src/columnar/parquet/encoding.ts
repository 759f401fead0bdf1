import type { Kernels } from '../kernels/kernels';

/** Bytes of the length that stands before the levels. */
const LENGTH = 4;

/** The most bytes that the levels of a page of so many rows take. */
export function levelsRoom(rows: number): number {
  // Runs of three groups of eight between single packed ones: four bytes for four groups.
  return LENGTH + Math.ceil(rows / 8) * 2 + 16;
}

/**
 * Writes the definition levels of an optional column (0: NULL, 1: value) in the RLE/bit-packed hybrid
 * with bit width 1, behind their four-byte length, as data page v1 wants them.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 * @param valid a level per row, in the kernels' memory; not read when all rows agree.
 * @param values how many rows have a value.
 * @param out of `levelsRoom` bytes, in the kernels' memory.
 * @returns what was written.
 */
export function definitionLevels(
  { levels }: Pick<Kernels, 'levels'>,
  valid: Uint8Array,
  rows: number,
  values: number,
  out: Buffer,
): Buffer {
  const start = out.byteOffset + LENGTH;
  const length =
    values === rows || values === 0
      ? uniform(rows, values === 0 ? 0 : 1, out)
      : levels(valid.byteOffset, rows, start) - start;
  out.writeUInt32LE(length, 0);
  return out.subarray(0, LENGTH + length);
}

/** One run. */
function uniform(rows: number, level: 0 | 1, out: Buffer): number {
  let at = LENGTH;
  let rest = rows * 2;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  out[at++] = level;
  return at - LENGTH;
}
