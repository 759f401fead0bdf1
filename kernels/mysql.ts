/**
 * Values of MySQL's and MariaDB's binary protocol, everything little-endian:
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html. `bytes`
 * is the address of what came over the wire, and `starts` and `ends` count from it. Up to 16 bytes
 * before and behind a value are read, before its length is found to be wrong.
 *
 * Where values lie is found out in JavaScript: code that is generated for a table's columns walks
 * its rows faster than a loop over them, even here.
 */
import { otherWidths } from './fields';
import {
  isBelowBound,
  multiplyAdd,
  powerOfTen,
  setBound,
  setWide,
  storeWide,
  WIDE_BYTES,
} from './wide';

function startOf(starts: usize, i: i32): i32 {
  return load<i32>(starts + ((<usize>i) << 2));
}

/** Integers of 8 and 16 bits as such of 32. */
export function mysqlInt8(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(data + ((<usize>i) << 2), <i32>load<i8>(bytes + <usize>startOf(starts, i)));
  }
}

export function mysqlUint8(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(data + ((<usize>i) << 2), <i32>load<u8>(bytes + <usize>startOf(starts, i)));
  }
}

export function mysqlInt16(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(data + ((<usize>i) << 2), <i32>load<i16>(bytes + <usize>startOf(starts, i)));
  }
}

export function mysqlUint16(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<i32>(data + ((<usize>i) << 2), <i32>load<u16>(bytes + <usize>startOf(starts, i)));
  }
}

/** Numbers of 32 bits, signed, unsigned or floating. */
export function mysqlFixed32(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<u32>(data + ((<usize>i) << 2), load<u32>(bytes + <usize>startOf(starts, i)));
  }
}

/** Numbers of 64 bits, signed, unsigned or floating. */
export function mysqlFixed64(bytes: usize, starts: usize, count: i32, data: usize): void {
  for (let i = 0; i < count; i++) {
    store<u64>(data + ((<usize>i) << 3), load<u64>(bytes + <usize>startOf(starts, i)));
  }
}

/**
 * BIT(n): bytes, the most significant first, the shortest form for n. This and all that follow
 * answer the index of the first value that they cannot take, here one of more than 8 bytes, or
 * `count`.
 */
export function mysqlBits(bytes: usize, starts: usize, ends: usize, count: i32, data: usize): i32 {
  for (let i = 0; i < count; i++) {
    const start = startOf(starts, i);
    const length = startOf(ends, i) - start;
    if (length > 8) return i;
    const word = bswap<u64>(load<u64>(bytes + <usize>start));
    const value = length == 0 ? 0 : word >> (<u64>(64 - (length << 3)));
    store<u64>(data + ((<usize>i) << 3), value);
  }
  return count;
}

const SECOND: i64 = 1000000;
const MOST_MICROSECONDS: u32 = 999999;
const LAST_YEAR: u32 = 9999;

/** By month, of a year that begins in March: days before it, and from the year's end in January. */
const DAYS_BEFORE: usize = memory.data<u16>([
  0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275,
]);
/** From the day before 1 March of the year -400. */
const DAYS_BEFORE_1970: i32 = 719468 + 146097 + 1;

function daysInMonth(year: u32, month: u32): u32 {
  if (month != 2) return 30 + ((month + (month >> 3)) & 1);
  return 28 + u32((year & 3) == 0 && (year % 100 != 0 || year % 400 == 0));
}

/** Days since 1970, or else microseconds; answers as `mysqlDates` and `mysqlTimestamps` do. */
function readMoments(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
  isDate: bool,
): i32 {
  for (let i = 0; i < count; i++) {
    const start = startOf(starts, i);
    const length = startOf(ends, i) - start;
    const at = bytes + <usize>start;
    const date = load<u32>(at);
    const year = date & 0xffff;
    const month = (date >> 16) & 0xff;
    const day = date >> 24;
    if (year > LAST_YEAR || month - 1 > 11) return i;
    if (day - 1 > 27 && day - 1 >= daysInMonth(year, month)) return i;
    // Years that begin in March have the leap day as their last; 400 more keep them positive.
    const marchYear = year + 400 - u32(month < 3);
    const century = marchYear / 100;
    const days =
      <i32>(marchYear * 365 + (marchYear >> 2) - century + (century >> 2)) +
      <i32>(load<u16>(DAYS_BEFORE + ((<usize>month) << 1)) + day) -
      DAYS_BEFORE_1970;
    if (isDate) {
      if (length != 4) return i;
      store<i32>(data + ((<usize>i) << 2), days);
      continue;
    }
    let micros = <i64>days * (86400 * SECOND);
    if (length != 4) {
      const clock = load<u32>(at, 4);
      const hour = clock & 0xff;
      const minute = (clock >> 8) & 0xff;
      const second = (clock >> 16) & 0xff;
      if (hour > 23 || minute > 59 || second > 59) return i;
      micros += <i64>(hour * 3600 + minute * 60 + second) * SECOND;
      if (length != 7) {
        const fraction = load<u32>(at, 7);
        if (length != 11 || fraction > MOST_MICROSECONDS) return i;
        micros += <i64>fraction;
      }
    }
    store<i64>(data + ((<usize>i) << 3), micros);
  }
  return count;
}

/** Durations are exact in a double, which 2^53 microseconds are at the end of this day. */
const MOST_DAYS: u32 = 104249;
const LONGEST_DURATION: i64 = (1 << 53) - 1;

/** Constants of 16 bytes as memory: as such they would be made anew for every value. */
const FOURS: usize = memory.data<i32>([
  0xffff, 0xffff, 0xffff, 0xffff, 0xff, 0xff, 0xff, 0xff, 12, 12, 12, 12, 9999, 9999, 9999, 9999, 1,
  1, 1, 1, 30, 30, 30, 30, 2, 2, 2, 2, 3, 3, 3, 3, 400, 400, 400, 400, 5243, 5243, 5243, 5243, 365,
  365, 365, 365, 979, 979, 979, 979, 2919, 2919, 2919, 2919, 865566, 865566, 865566, 865566,
]);

/** DATE: year in 2 bytes, month, day; as days since 1970. */
export function mysqlDates(bytes: usize, starts: usize, ends: usize, count: i32, data: usize): i32 {
  if (otherWidths(starts, ends, count, 4) != 0) {
    return readMoments(bytes, starts, ends, count, data, true);
  }
  const ofYear = v128.load(FOURS);
  const ofMonth = v128.load(FOURS, 16);
  const twelve = v128.load(FOURS, 32);
  const lastYear = v128.load(FOURS, 48);
  const one = v128.load(FOURS, 64);
  const thirty = v128.load(FOURS, 80);
  const two = v128.load(FOURS, 96);
  const three = v128.load(FOURS, 112);
  const moreYears = v128.load(FOURS, 128);
  const perCentury = v128.load(FOURS, 144);
  const yearDays = v128.load(FOURS, 160);
  const monthDays = v128.load(FOURS, 176);
  const beforeMarch = v128.load(FOURS, 192);
  const before1970 = v128.load(FOURS, 208);
  const zero = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const place = (<usize>i) << 2;
    let four = v128.load32_zero(bytes + load<usize>(starts + place));
    four = v128.load_lane<u32>(bytes + load<usize>(starts + place, 4), four, 1);
    four = v128.load_lane<u32>(bytes + load<usize>(starts + place, 8), four, 2);
    four = v128.load_lane<u32>(bytes + load<usize>(starts + place, 12), four, 3);
    const year = v128.and(four, ofYear);
    const month = v128.and(i32x4.shr_u(four, 16), ofMonth);
    const day = i32x4.shr_u(four, 24);
    const isLong = v128.and(i32x4.add(month, i32x4.shr_u(month, 3)), one);
    // 28 for every February: its 29th is looked at by itself.
    const lessDays = v128.and(i32x4.eq(month, two), two);
    const length = i32x4.sub(i32x4.add(thirty, isLong), lessDays);
    const isBeyond = v128.or(
      i32x4.gt_s(year, lastYear),
      v128.or(i32x4.gt_s(month, twelve), i32x4.gt_s(day, length)),
    );
    const isZero = i32x4.eq(i32x4.min_s(month, day), zero);
    if (v128.any_true(v128.or(isBeyond, isZero))) {
      const taken = readMoments(bytes, starts + place, ends + place, 4, data + place, true);
      if (taken < 4) return i + taken;
      continue;
    }
    // As in `readMoments`; a hundredth is a multiplication and a shift below 2^15, and so is what
    // lies before a month that is counted from March, the third, to February, the fourteenth.
    const isEarly = i32x4.lt_s(month, three);
    const marchYear = i32x4.add(i32x4.add(year, moreYears), isEarly);
    const century = i32x4.shr_u(i32x4.mul(marchYear, perCentury), 19);
    const marchMonth = i32x4.add(month, v128.and(isEarly, twelve));
    const ofMonths = i32x4.shr_u(i32x4.sub(i32x4.mul(marchMonth, monthDays), beforeMarch), 5);
    const leapDays = i32x4.sub(i32x4.shr_u(marchYear, 2), century);
    const ofYears = i32x4.add(
      i32x4.mul(marchYear, yearDays),
      i32x4.add(leapDays, i32x4.shr_u(century, 2)),
    );
    v128.store(data + place, i32x4.sub(i32x4.add(i32x4.add(ofYears, ofMonths), day), before1970));
  }
  const place = (<usize>i) << 2;
  return i + readMoments(bytes, starts + place, ends + place, count - i, data + place, true);
}

/**
 * DATETIME, TIMESTAMP: a date, then hour, minute, second, then microseconds in 4 bytes; trailing
 * parts that are zero are left out. As microseconds since 1970.
 */
export function mysqlTimestamps(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  return readMoments(bytes, starts, ends, count, data, false);
}

/** TIME: a sign, days in 4 bytes, hour, minute, second, then microseconds in 4 bytes. */
export function mysqlDurations(
  bytes: usize,
  starts: usize,
  ends: usize,
  count: i32,
  data: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    const start = startOf(starts, i);
    const length = startOf(ends, i) - start;
    const at = bytes + <usize>start;
    let micros: i64 = 0;
    if (length != 0) {
      if (length != 8 && length != 12) return i;
      const days = load<u32>(at, 1);
      const hours = <u32>load<u8>(at, 5);
      const minute = <u32>load<u8>(at, 6);
      const second = <u32>load<u8>(at, 7);
      const fraction = length == 12 ? load<u32>(at, 8) : 0;
      if (minute > 59 || second > 59 || fraction > MOST_MICROSECONDS || days > MOST_DAYS) return i;
      const seconds = <i64>days * 86400 + <i64>(hours * 3600 + minute * 60 + second);
      micros = seconds * SECOND + <i64>fraction;
      if (micros > LONGEST_DURATION) return i;
      if (load<u8>(at) != 0) micros = -micros;
    }
    store<i64>(data + ((<usize>i) << 3), micros);
  }
  return count;
}

/**
 * As `mysqlDates`, for values among which some are no days: their rows become NULL in `valid`.
 * This and the next two answer how many values are left.
 */
export function mysqlDatesLeft(
  bytes: usize,
  starts: usize,
  ends: usize,
  valid: usize,
  rows: i32,
  data: usize,
): i32 {
  let value: usize = 0;
  let left: usize = 0;
  for (let row = 0; row < rows; row++) {
    const flag = valid + <usize>row;
    if (load<u8>(flag) == 0) continue;
    const is = mysqlDates(bytes, starts + (value << 2), ends + (value << 2), 1, data + (left << 2));
    value += 1;
    store<u8>(flag, <u8>is);
    left += <usize>is;
  }
  return <i32>left;
}

export function mysqlTimestampsLeft(
  bytes: usize,
  starts: usize,
  ends: usize,
  valid: usize,
  rows: i32,
  data: usize,
): i32 {
  let value: usize = 0;
  let left: usize = 0;
  for (let row = 0; row < rows; row++) {
    const flag = valid + <usize>row;
    if (load<u8>(flag) == 0) continue;
    const place = value << 2;
    const is = mysqlTimestamps(bytes, starts + place, ends + place, 1, data + (left << 3));
    value += 1;
    store<u8>(flag, <u8>is);
    left += <usize>is;
  }
  return <i32>left;
}

export function mysqlDurationsLeft(
  bytes: usize,
  starts: usize,
  ends: usize,
  valid: usize,
  rows: i32,
  data: usize,
): i32 {
  let value: usize = 0;
  let left: usize = 0;
  for (let row = 0; row < rows; row++) {
    const flag = valid + <usize>row;
    if (load<u8>(flag) == 0) continue;
    const place = value << 2;
    const is = mysqlDurations(bytes, starts + place, ends + place, 1, data + (left << 3));
    value += 1;
    store<u8>(flag, <u8>is);
    left += <usize>is;
  }
  return <i32>left;
}

const MINUS: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
/** Bytes of a value, without its sign, that are taken at once. */
const AT_ONCE: i32 = 16;
/** For `i8x16.swizzle`: which byte of a value's last 16 each digit is. */
const DIGITS: usize = memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * Decimals of up to 18 digits, unscaled, from value `from` on. They come as text with exactly
 * `scale` digits after the point:
 * https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/result-set-packets
 */
export function mysqlDecimals64(
  bytes: usize,
  starts: usize,
  ends: usize,
  from: i32,
  count: i32,
  precision: i32,
  scale: i32,
  data: usize,
): i32 {
  const bound = powerOfTen(precision);
  const dotLength = i32(scale != 0);
  for (let lane = 0; lane < AT_ONCE; lane++) {
    store<u8>(DIGITS + <usize>lane, <u8>(lane < AT_ONCE - scale ? lane - dotLength : lane));
  }
  const order = v128.load(DIGITS);
  for (let i = from; i < count; i++) {
    const start = bytes + <usize>startOf(starts, i);
    const end = bytes + <usize>startOf(ends, i);
    const isNegative = i32(load<u8>(start) == MINUS);
    const length = <i32>(end - start) - isNegative;
    const digits = length - dotLength;
    if (digits <= scale) return i;
    if (dotLength != 0 && load<u8>(end - <usize>(scale + 1)) != DOT) return i;
    let value: u64;
    if (length <= AT_ONCE && scale < AT_ONCE) {
      const text = i8x16.swizzle(v128.load(end - AT_ONCE), order);
      const isDigit = i8x16.gt_s(LANES, i8x16.splat(<i8>(AT_ONCE - 1 - digits)));
      const numbers = v128.and(i8x16.sub(text, i8x16.splat(ZERO)), isDigit);
      if (v128.any_true(i8x16.gt_u(numbers, i8x16.splat(9)))) return i;
      value = numberOf(numbers);
    } else {
      // One more than the precision, for the zero before the point of 0.5 and its like.
      if (digits > 19) return i;
      const dot = end - <usize>(scale + 1);
      value = 0;
      for (let at = end - <usize>length; at < end; at++) {
        if (dotLength != 0 && at == dot) continue;
        const digit = <u32>load<u8>(at) - ZERO;
        if (digit > 9) return i;
        value = value * 10 + digit;
      }
    }
    if (value >= bound) return i;
    const negative = <i64>isNegative;
    store<i64>(data + ((<usize>i) << 3), ((<i64>value) ^ -negative) + negative);
  }
  return count;
}

const LANES: v128 = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

/** Sixteen digits, the highest first, as a number. */
function numberOf(digits: v128): u64 {
  const tens = i16x8.mul(v128.and(digits, i16x8.splat(0xff)), i16x8.splat(10));
  const pairs = i16x8.add(tens, i16x8.shr_u(digits, 8));
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const upper = <u64>i32x4.extract_lane(fours, 0) * 10000 + <u64>i32x4.extract_lane(fours, 1);
  const lower = <u64>i32x4.extract_lane(fours, 2) * 10000 + <u64>i32x4.extract_lane(fours, 3);
  return upper * 100000000 + lower;
}

/** Decimals of 19 to 38 digits as 16 bytes each, side by side, big-endian. */
export function mysqlDecimals128(
  bytes: usize,
  starts: usize,
  ends: usize,
  from: i32,
  count: i32,
  precision: i32,
  scale: i32,
  data: usize,
): i32 {
  setBound(precision);
  const dotLength = i32(scale != 0);
  for (let i = from; i < count; i++) {
    const start = bytes + <usize>startOf(starts, i);
    const end = bytes + <usize>startOf(ends, i);
    const isNegative = i32(load<u8>(start) == MINUS);
    const digits = <i32>(end - start) - isNegative - dotLength;
    if (digits <= scale || digits > MOST_DIGITS) return i;
    const dot = end - <usize>(scale + 1);
    if (dotLength != 0 && load<u8>(dot) != DOT) return i;
    setWide(0);
    let part: u64 = 0;
    let factor: u64 = 1;
    for (let at = start + <usize>isNegative; at < end; at++) {
      if (dotLength != 0 && at == dot) continue;
      const digit = <u32>load<u8>(at) - ZERO;
      if (digit > 9) return i;
      part = part * 10 + digit;
      factor *= 10;
      if (factor == MOST_FACTOR) {
        multiplyAdd(factor, part);
        part = 0;
        factor = 1;
      }
    }
    multiplyAdd(factor, part);
    if (!isBelowBound()) return i;
    storeWide(data + <usize>i * WIDE_BYTES, isNegative != 0);
  }
  return count;
}

/** Again one more than the precision. */
const MOST_DIGITS: i32 = 39;
const MOST_FACTOR: u64 = 1000000000000000000;
