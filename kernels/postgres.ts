/**
 * Rows of PostgreSQL's COPY … (FORMAT binary), everything big-endian. `bytes` is the address of
 * what came over the wire, and `starts` and `ends` count from it. Up to 16 bytes behind a value
 * are read, before its length is found to be wrong.
 */
import { otherWidths } from './fields';
import {
  isBelowBound,
  low,
  multiplyAdd,
  powerOfTen,
  setBound,
  setWide,
  storeWide,
  WIDE_BYTES,
} from './wide';

const COPY_DATA: u8 = 0x64;
const MESSAGE_HEADER: i32 = 5;
const ROW_HEADER: i32 = 7;

/** What `postgresWalk` says of the row at which it stopped. */
const IS_NO_ROW: i32 = 0;
const HAS_WRONG_LENGTH: i32 = 1;
const HAS_LONG_VALUE: i32 = 2;
const HAS_SHORT_VALUES: i32 = 3;

/**
 * Notes the rows that lie whole between `at` and `filled`, one message each (postgresql.org/docs,
 * "Message Formats", CopyData; "COPY", "Binary Format"), as rows `row` and following of the field
 * table; counts NULLs in `nulls`. Answers the number of rows in the table then. The i32 at
 * `state` is where it stopped, and the one behind it is why: 0 for a message that is not whole or
 * is no row of as many fields, or because the table is full; 1 for a length that is none; 2 for a
 * value that is longer than its row; 3 for a row that is longer than its values.
 */
export function postgresWalk(
  bytes: usize,
  at: i32,
  filled: i32,
  columns: i32,
  places: usize,
  stride: i32,
  row: i32,
  capacity: i32,
  nulls: usize,
  state: usize,
): i32 {
  const toEnds = (<usize>stride) << 2;
  const toNext = toEnds << 1;
  let start = at;
  let problem = IS_NO_ROW;
  while (row < capacity && start + ROW_HEADER <= filled) {
    const message = bytes + <usize>start;
    const length = bswap<i32>(load<i32>(message, 1));
    if (length < ROW_HEADER - 1 || length > filled - start - 1) break;
    if (load<u8>(message) != COPY_DATA) break;
    if (<i32>bswap<u16>(load<u16>(message, 5)) != columns) break;
    const end = start + 1 + length;
    let position = start + ROW_HEADER;
    let place = places + ((<usize>row) << 2);
    let count = nulls;
    const lastPlace = place + <usize>columns * toNext;
    for (; place < lastPlace; place += toNext, count += 4) {
      const raw = load<u32>(bytes + <usize>position);
      const left = <u64>(end - position);
      position += 4;
      // Nearly every value is shorter than 256 bytes, and a machine without a swap is slow at it.
      const size = (raw & 0xffffff) == 0 ? raw >> 24 : bswap<u32>(raw);
      if (<u64>size + 4 <= left) {
        store<i32>(place, position);
        position += size;
        store<i32>(place + toEnds, position);
        continue;
      }
      if (size != <u32>-1 || position > end) {
        problem = <i32>size < 0 && position <= end ? HAS_WRONG_LENGTH : HAS_LONG_VALUE;
        break;
      }
      store<i32>(place, -1);
      store<i32>(count, load<i32>(count) + 1);
    }
    if (problem == IS_NO_ROW && position != end) problem = HAS_SHORT_VALUES;
    if (problem != IS_NO_ROW) break;
    row += 1;
    start = end;
  }
  store<i32>(state, start);
  store<i32>(state, problem, 4);
  return row;
}

function startOf(starts: usize, i: i32): i32 {
  return load<i32>(starts + ((<usize>i) << 2));
}

/** Booleans as 0 and 1. This and the next three answer zero when every value has its width. */
export function postgresBooleans(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    const start = startOf(starts, i);
    wrong |= (startOf(ends, i) - start) ^ 1;
    store<u8>(data + <usize>i, u8(load<u8>(bytes + <usize>start) == 1));
  }
  return wrong;
}

/** Integers of 16 bits as such of 32. */
export function postgresInt16(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    const start = startOf(starts, i);
    wrong |= (startOf(ends, i) - start) ^ 2;
    store<i32>(data + ((<usize>i) << 2), <i32>bswap<i16>(load<i16>(bytes + <usize>start)));
  }
  return wrong;
}

/** Numbers of 32 bits, whole or floating. */
export function postgresFixed32(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  const wrong = otherWidths(starts, ends, count, 4);
  const stop = starts + ((<usize>count) << 2);
  for (; starts + 12 < stop; starts += 16, data += 16) v128.store(data, swappedFour(bytes, starts));
  for (; starts < stop; starts += 4, data += 4) {
    store<u32>(data, bswap<u32>(load<u32>(bytes + load<usize>(starts))));
  }
  return wrong;
}

/** Four values of 32 bits, swapped: WebAssembly has no other swap of bytes than of lanes. */
function swappedFour(bytes: usize, starts: usize): v128 {
  let four = v128.load32_zero(bytes + load<usize>(starts));
  four = v128.load_lane<u32>(bytes + load<usize>(starts, 4), four, 1);
  four = v128.load_lane<u32>(bytes + load<usize>(starts, 8), four, 2);
  four = v128.load_lane<u32>(bytes + load<usize>(starts, 12), four, 3);
  return i8x16.shuffle(four, four, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Numbers of 64 bits, whole or floating. */
export function postgresFixed64(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  const wrong = otherWidths(starts, ends, count, 8);
  const stop = starts + ((<usize>count) << 2);
  for (; starts + 4 < stop; starts += 8, data += 16) v128.store(data, swappedTwo(bytes, starts));
  if (starts < stop) store<u64>(data, bswap<u64>(load<u64>(bytes + load<usize>(starts))));
  return wrong;
}

/** Two values of 64 bits, swapped. */
function swappedTwo(bytes: usize, starts: usize): v128 {
  let two = v128.load64_zero(bytes + load<usize>(starts));
  two = v128.load_lane<u64>(bytes + load<usize>(starts, 4), two, 1);
  return i8x16.shuffle(two, two, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
}

/** From 1970-01-01 to 2000-01-01, where PostgreSQL's dates and timestamps begin. */
const EPOCH_DAYS: i32 = 10957;
const EPOCH_MICROSECONDS: i64 = 946684800000000;
/** Infinities are the least and the largest (src/include/datatype/timestamp.h). */
const NO_DATE: i32 = i32.MIN_VALUE;
const NO_TIMESTAMP: i64 = i64.MIN_VALUE;

function dateAt(at: usize): i32 {
  const days = bswap<i32>(load<i32>(at));
  const isOdd = days == i32.MIN_VALUE || days > i32.MAX_VALUE - EPOCH_DAYS;
  return isOdd ? NO_DATE : days + EPOCH_DAYS;
}

function timestampAt(at: usize): i64 {
  const value = bswap<i64>(load<i64>(at));
  const isOdd = value == i64.MIN_VALUE || value > i64.MAX_VALUE - EPOCH_MICROSECONDS;
  return isOdd ? NO_TIMESTAMP : value + EPOCH_MICROSECONDS;
}

/**
 * Days since 1970. Answers zero when every value has its width and is a day that fits 32 bits,
 * which infinity is not.
 */
export function postgresDates(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  let wrong = otherWidths(starts, ends, count, 4);
  let odd = i32x4.splat(0);
  const stop = starts + ((<usize>count) << 2);
  for (; starts + 12 < stop; starts += 16, data += 16) {
    const days = swappedFour(bytes, starts);
    odd = v128.or(odd, i32x4.eq(days, i32x4.splat(i32.MIN_VALUE)));
    odd = v128.or(odd, i32x4.gt_s(days, i32x4.splat(i32.MAX_VALUE - EPOCH_DAYS)));
    v128.store(data, i32x4.add(days, i32x4.splat(EPOCH_DAYS)));
  }
  wrong |= i32(v128.any_true(odd));
  for (; starts < stop; starts += 4, data += 4) {
    const days = dateAt(bytes + load<usize>(starts));
    wrong |= i32(days == NO_DATE);
    store<i32>(data, days);
  }
  return wrong;
}

/** Microseconds since 1970; answers as `postgresDates`. */
export function postgresTimestamps(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  let wrong = otherWidths(starts, ends, count, 8);
  let odd = i64x2.splat(0);
  const stop = starts + ((<usize>count) << 2);
  for (; starts + 4 < stop; starts += 8, data += 16) {
    const values = swappedTwo(bytes, starts);
    odd = v128.or(odd, i64x2.eq(values, i64x2.splat(i64.MIN_VALUE)));
    odd = v128.or(odd, i64x2.gt_s(values, i64x2.splat(i64.MAX_VALUE - EPOCH_MICROSECONDS)));
    v128.store(data, i64x2.add(values, i64x2.splat(EPOCH_MICROSECONDS)));
  }
  wrong |= i32(v128.any_true(odd));
  if (starts < stop) {
    const value = timestampAt(bytes + load<usize>(starts));
    wrong |= i32(value == NO_TIMESTAMP);
    store<i64>(data, value);
  }
  return wrong;
}

/**
 * As `postgresDates`, for values that all have their width, among which some are no days: their
 * rows become NULL in `valid`. Answers how many values are left.
 */
export function postgresDatesLeft(
  bytes: usize,
  starts: usize,
  valid: usize,
  rows: i32,
  data: usize,
): i32 {
  let value = 0;
  let left = 0;
  for (let row = 0; row < rows; row++) {
    const flag = valid + <usize>row;
    if (load<u8>(flag) == 0) continue;
    const days = dateAt(bytes + <usize>startOf(starts, value++));
    store<i32>(data + ((<usize>left) << 2), days);
    store<u8>(flag, u8(days != NO_DATE));
    left += i32(days != NO_DATE);
  }
  return left;
}

/** As `postgresTimestamps`, in the manner of `postgresDatesLeft`. */
export function postgresTimestampsLeft(
  bytes: usize,
  starts: usize,
  valid: usize,
  rows: i32,
  data: usize,
): i32 {
  let value = 0;
  let left = 0;
  for (let row = 0; row < rows; row++) {
    const flag = valid + <usize>row;
    if (load<u8>(flag) == 0) continue;
    const micros = timestampAt(bytes + <usize>startOf(starts, value++));
    store<i64>(data + ((<usize>left) << 3), micros);
    store<u8>(flag, u8(micros != NO_TIMESTAMP));
    left += i32(micros != NO_TIMESTAMP);
  }
  return left;
}

/**
 * A numeric has four numbers of 16 bits (count of digits, weight of the first, sign, display
 * scale), then digits of base 10,000 (src/backend/utils/adt/numeric.c, numeric_send). They stand
 * left and right of the point, so the last one that a scale has room for has some decimal places
 * too many: of 0.12 it is 1200.
 */
const NUMERIC_HEADER: i32 = 8;
const NEGATIVE: i32 = 0x4000;
const BASE: u64 = 10000;
/** A numeric's first 16 bytes are taken at once when no digit stands beyond four places. */
const AT_ONCE: u32 = 4;
/**
 * For `i8x16.swizzle`, by the place of the first digit above the lowest and, of eight, the count of
 * digits: moves the digit of the lowest place to the end and turns each one's bytes round.
 */
const ORDERS: usize = memory.data<u8>([
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 9, 8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 9, 8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 9, 8, 11, 10, 13, 12, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10,
  13, 12, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 128, 9, 8, 11, 10, 13, 12, 15, 14, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13,
  12, 15, 14, 128, 128, 128, 128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 15, 14, 128, 128, 128,
  128, 128, 128, 128, 128, 9, 8, 11, 10, 13, 12, 15, 14,
]);
/** Constants of 16 bytes as memory: as such they would be made anew for every value. */
const SWAPPED: usize = memory.data<u8>([1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]);
const LARGEST: usize = memory.data<u16>([9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999]);
const PAIRS: usize = memory.data<u16>([0, 0, 0, 0, 10000, 1, 10000, 1]);
/** What undoes a multiplication by 5 in 64 bits. */
const INVERSE_OF_FIVE: u64 = 0xcccccccccccccccd;

/**
 * Decimals of up to 18 digits, unscaled, from value `from` on; answers the index of the first that
 * is none (an infinity, a NaN, corrupt, beyond the precision or the scale), or `count`.
 */
export function postgresDecimals64(
  bytes: usize,
  starts: usize,
  ends: usize,
  from: i32,
  count: i32,
  precision: i32,
  scale: i32,
  data: usize,
): i32 {
  return readDecimals(bytes, starts, ends, from, count, precision, scale, data, false);
}

/**
 * Decimals of 19 to 38 digits as 16 bytes each, side by side, big-endian; answers as
 * `postgresDecimals64`.
 */
export function postgresDecimals128(
  bytes: usize,
  starts: usize,
  ends: usize,
  from: i32,
  count: i32,
  precision: i32,
  scale: i32,
  data: usize,
): i32 {
  return readDecimals(bytes, starts, ends, from, count, precision, scale, data, true);
}

function readDecimals(
  bytes: usize,
  starts: usize,
  ends: usize,
  from: i32,
  count: i32,
  precision: i32,
  scale: i32,
  data: usize,
  isWide: bool,
): i32 {
  setBound(precision);
  const places = (scale + 3) >> 2;
  const spare = (places << 2) - scale;
  // The division by 10 to the power of `spare`, which is a multiplication where nothing is left
  // over, and makes a number beyond `limit` otherwise.
  let inverse: u64 = 1;
  for (let i = 0; i < spare; i++) inverse *= INVERSE_OF_FIVE;
  const inverseOfUpper = inverse * 100000000;
  const limit = min(<u64>-1 / powerOfTen(spare), powerOfTen(min(precision, 19)) - 1);
  const swapped = v128.load(SWAPPED);
  const largest = v128.load(LARGEST);
  const pairs = v128.load(PAIRS);
  for (let i = from; i < count; i++) {
    const start = startOf(starts, i);
    const at = bytes + <usize>start;
    const beginning = v128.load(at);
    const header = i64x2.extract_lane(i8x16.swizzle(beginning, swapped), 0);
    const digits = (<i32>header) & 0xffff;
    const first = <i32>(<i16>(header >> 16)) + places;
    const sign = (<i32>(header >> 32)) & 0xffff;
    if (startOf(ends, i) - start != NUMERIC_HEADER + 2 * digits) return i;
    if ((sign & ~NEGATIVE) != 0) return i;
    if (<u32>first < AT_ONCE && digits <= first + 1) {
      const order = v128.load(ORDERS + ((<usize>(first * 8 + digits)) << 4));
      const ordered = i8x16.swizzle(beginning, order);
      if (v128.any_true(i16x8.sub_sat_u(ordered, largest))) return i;
      const eights = i64x2.extract_lane(i32x4.dot_i16x8_s(ordered, pairs), 1);
      const value = rotr<u64>(
        (eights & 0xffffffff) * inverseOfUpper + (eights >> 32) * inverse,
        spare,
      );
      if (value > limit) return i;
      if (!isWide) {
        const negative = <i64>(sign >> 14);
        store<i64>(data + ((<usize>i) << 3), ((<i64>value) ^ -negative) + negative);
        continue;
      }
      setWide(value);
    } else if (!readNumeric(at, digits, first, spare) || !isBelowBound()) {
      return i;
    }
    if (isWide) storeWide(data + <usize>i * WIDE_BYTES, sign != 0);
    else store<i64>(data + ((<usize>i) << 3), sign == 0 ? <i64>low : -(<i64>low));
  }
  return count;
}

/** More digits than 38 decimal ones take, wherever the point is, and more zeros behind them. */
const MOST_DIGITS: i32 = 12;

/** The magnitude of a numeric without its last `spare` decimal places, which have to be zeros. */
function readNumeric(at: usize, digits: i32, first: i32, spare: i32): bool {
  setWide(0);
  if (digits == 0) return true;
  const gap = first - digits + 1;
  if (digits > MOST_DIGITS || gap < 0 || gap > MOST_DIGITS) return false;
  let digit = at + <usize>NUMERIC_HEADER;
  const last = digit + ((<usize>(digits - 1)) << 1);
  let part: u64 = 0;
  let factor: u64 = 1;
  for (; digit < last; digit += 2) {
    const value = <u64>bswap<u16>(load<u16>(digit));
    if (value >= BASE) return false;
    part = part * BASE + value;
    factor *= BASE;
    if (factor == BASE * BASE * BASE * BASE) {
      multiplyAdd(factor, part);
      part = 0;
      factor = 1;
    }
  }
  multiplyAdd(factor, part);
  const value = <u64>bswap<u16>(load<u16>(last));
  if (value >= BASE) return false;
  const lowest = powerOfTen(4 - spare);
  if (gap == 0) {
    const divisor = powerOfTen(spare);
    if (value % divisor != 0) return false;
    multiplyAdd(lowest, value / divisor);
    return true;
  }
  multiplyAdd(BASE, value);
  for (let i = 1; i < gap; i++) multiplyAdd(BASE, 0);
  multiplyAdd(lowest, 0);
  return true;
}
