/** Columns of a field table (src/columnar/fields.ts): where values lie, offsets of 32 bits each. */

/**
 * Moves the places of the values that are not NULL to the front of `starts` and `ends`, and marks
 * in `valid` which of the rows have one. Answers their number. Without branches, because whether a
 * value is NULL cannot be foretold.
 */
export function gatherValues(starts: usize, ends: usize, valid: usize, rows: i32): i32 {
  let values: i32 = 0;
  for (let row = 0; row < rows; row++) {
    const start = load<i32>(starts + ((<usize>row) << 2));
    const isValue = i32(start >= 0);
    const place = (<usize>values) << 2;
    store<i32>(starts + place, start);
    store<i32>(ends + place, load<i32>(ends + ((<usize>row) << 2)));
    store<u8>(valid + <usize>row, <u8>isValue);
    values += isValue;
  }
  return values;
}

/** Zero when every value has `width` bytes. */
export function otherWidths(starts: usize, ends: usize, count: i32, width: i32): i32 {
  let four = i32x4.splat(0);
  const expected = i32x4.splat(width);
  const stop = starts + ((<usize>count) << 2);
  for (; starts + 12 < stop; starts += 16, ends += 16) {
    const widths = i32x4.sub(v128.load(ends), v128.load(starts));
    four = v128.or(four, v128.xor(widths, expected));
  }
  let wrong = i32(v128.any_true(four));
  for (; starts < stop; starts += 4, ends += 4) {
    wrong |= (load<i32>(ends) - load<i32>(starts)) ^ width;
  }
  return wrong;
}

/** The places of `count` values of one width that lie side by side. */
export function placeSideBySide(starts: usize, ends: usize, count: i32, width: i32): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const place = (<usize>i) << 2;
    store<i32>(starts + place, at);
    at += width;
    store<i32>(ends + place, at);
  }
}
