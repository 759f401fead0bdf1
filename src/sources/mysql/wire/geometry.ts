export const SRID_BYTES = 4;

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
