/** Bytes of values together. */
export function bytesBetween(starts: Int32Array, ends: Int32Array, values: number): number {
  let total = 0;
  for (let index = 0; index < values; index++) total += ends[index]! - starts[index]!;
  return total;
}

const SRID_BYTES = 4;

/**
 * Both servers store and send a geometry as its SRID in 4 bytes followed by well-known binary:
 * https://dev.mysql.com/doc/refman/8.4/en/gis-data-formats.html (Internal Geometry Storage
 * Format). Taking that as it is keeps the stored order of coordinates, where MySQL's ST_AsBinary
 * would swap longitude and latitude for geographic systems. Passes over the SRIDs; answers the
 * index of the first value that has nothing behind it, or `values`.
 */
export function skipSrids(starts: Int32Array, ends: Int32Array, values: number): number {
  for (let index = 0; index < values; index++) {
    const start = starts[index]! + SRID_BYTES;
    if (start >= ends[index]!) return index;
    starts[index] = start;
  }
  return values;
}

/**
 * BIT(n) comes as its bytes, most significant first, shortest form for n. Into halves; answers
 * the index of the first value longer than 8 bytes, or `values`.
 */
export function readBits(
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  from: number,
  values: number,
  target: Int32Array,
): number {
  for (let index = from; index < values; index++) {
    const start = starts[index]!;
    const end = ends[index]!;
    if (end - start > 8) return index;
    let low = 0;
    let high = 0;
    for (let at = start; at < end; at++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | bytes[at]!;
    }
    target[2 * index] = low;
    target[2 * index + 1] = high;
  }
  return values;
}
