/**
 * Where the smallest and the largest of some values stand: their places go to the i32 at `state`
 * and `state + 4`. `count` is at least one.
 */

export function extremesSigned32(values: usize, count: i32, state: usize): void {
  let least = load<i32>(values);
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = load<i32>(values + ((<usize>i) << 2));
    least = min(least, value);
    most = max(most, value);
  }
  store<i32>(state, placeOf32(values, <u32>least));
  store<i32>(state, placeOf32(values, <u32>most), 4);
}

export function extremesUnsigned32(values: usize, count: i32, state: usize): void {
  let least = load<u32>(values);
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = load<u32>(values + ((<usize>i) << 2));
    least = min(least, value);
    most = max(most, value);
  }
  store<i32>(state, placeOf32(values, least));
  store<i32>(state, placeOf32(values, most), 4);
}

/** The first place of a value that is there. */
function placeOf32(values: usize, value: u32): i32 {
  let place = 0;
  while (load<u32>(values + ((<usize>place) << 2)) != value) place++;
  return place;
}

export function extremesSigned64(values: usize, count: i32, state: usize): void {
  let least = load<i64>(values);
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = load<i64>(values + ((<usize>i) << 3));
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  store<i32>(state, placeOf64(values, <u64>least));
  store<i32>(state, placeOf64(values, <u64>most), 4);
}

export function extremesUnsigned64(values: usize, count: i32, state: usize): void {
  let least = load<u64>(values);
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = load<u64>(values + ((<usize>i) << 3));
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  store<i32>(state, placeOf64(values, least));
  store<i32>(state, placeOf64(values, most), 4);
}

function placeOf64(values: usize, value: u64): i32 {
  let place = 0;
  while (load<u64>(values + ((<usize>place) << 3)) != value) place++;
  return place;
}

/**
 * In the order of unsigned bytes, a beginning before what it begins. The first eight bytes as a
 * number decide nearly always. Reads up to seven bytes behind a value.
 */
export function extremesBytes(
  data: usize,
  starts: usize,
  ends: usize,
  count: i32,
  state: usize,
): void {
  let least = 0;
  let most = 0;
  let leastBeginning = beginning(data, starts, ends, 0);
  let mostBeginning = leastBeginning;
  for (let i = 1; i < count; i++) {
    const begins = beginning(data, starts, ends, i);
    if (begins <= leastBeginning) {
      if (begins < leastBeginning || compare(data, starts, ends, i, least) < 0) {
        least = i;
        leastBeginning = begins;
      }
    }
    if (begins >= mostBeginning) {
      if (begins > mostBeginning || compare(data, starts, ends, i, most) > 0) {
        most = i;
        mostBeginning = begins;
      }
    }
  }
  store<i32>(state, least);
  store<i32>(state, most, 4);
}

/** The first eight bytes as a big-endian number, zeros for those that a short value lacks. */
function beginning(data: usize, starts: usize, ends: usize, i: i32): u64 {
  const start = load<u32>(starts + ((<usize>i) << 2));
  const length = load<u32>(ends + ((<usize>i) << 2)) - start;
  let word = load<u64>(data + <usize>start);
  if (length < 8) word &= ((<u64>1) << ((<u64>length) << 3)) - 1;
  return bswap<u64>(word);
}

function compare(data: usize, starts: usize, ends: usize, one: i32, other: i32): i32 {
  const oneStart = load<u32>(starts + ((<usize>one) << 2));
  const otherStart = load<u32>(starts + ((<usize>other) << 2));
  const oneLength = load<u32>(ends + ((<usize>one) << 2)) - oneStart;
  const otherLength = load<u32>(ends + ((<usize>other) << 2)) - otherStart;
  const common = min(oneLength, otherLength);
  const difference = memory.compare(data + <usize>oneStart, data + <usize>otherStart, common);
  if (difference != 0) return difference;
  return oneLength < otherLength ? -1 : i32(oneLength > otherLength);
}
