/**
 * Marks which rows have a value and closes up the places of those that have, so that every kernel
 * sees values only. Answers how many there are.
 */
export function closeUpNulls(
  valid: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  rows: number,
): number {
  let values = 0;
  for (let row = 0; row < rows; row++) {
    const start = starts[row]!;
    if (start < 0) {
      valid[row] = 0;
      continue;
    }
    valid[row] = 1;
    starts[values] = start;
    ends[values] = ends[row]!;
    values++;
  }
  return values;
}

/** Turns values into NULLs: those that `keeps` refuses, of which it is given the index. */
export function dropValues(
  valid: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  rows: number,
  keeps: (value: number) => boolean,
): number {
  let value = 0;
  let kept = 0;
  for (let row = 0; row < rows; row++) {
    if (valid[row] === 0) continue;
    if (keeps(value)) {
      starts[kept] = starts[value]!;
      ends[kept] = ends[value]!;
      kept++;
    } else {
      valid[row] = 0;
    }
    value++;
  }
  return kept;
}
