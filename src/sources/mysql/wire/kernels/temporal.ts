import { daysFromCivil } from '../../../../columnar/decode/dates';

/**
 * Kernels for values that begin with their length and may have no faithful form: from value
 * `from` on as many as they can, answering the index of the first that they cannot take, or
 * `values`. Sent as in
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html:
 * trailing parts that are zero are left out.
 */
export type CheckedKernel = (
  view: DataView,
  starts: Int32Array,
  ends: Int32Array,
  from: number,
  values: number,
  target: Int32Array,
) => number;

const YEARS = 10_000;

/** Months are looked up by `year * 16 + month`. */
const MONTH_BITS = 4;

/** Days in a month are kept in the low bits of its entry. */
const LENGTH_BITS = 5;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;

let months: Int32Array | undefined;

/**
 * For each month of the years 0 to 9999 the day before its first, counted from 1970-01-01, and
 * how many days it has: 640 KB, of which a table's dates touch little. 0 for what is no month.
 */
function calendar(): Int32Array {
  if (months !== undefined) return months;
  months = new Int32Array(YEARS << MONTH_BITS);
  for (let year = 0; year < YEARS; year++) {
    for (let month = 1; month <= 12; month++) {
      const first = daysFromCivil(year, month, 1);
      const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1);
      months[(year << MONTH_BITS) | month] = ((first - 1) << LENGTH_BITS) | (next - first);
    }
  }
  return months;
}

/** DATE: year in 2 bytes, month, day. */
export const readDates: CheckedKernel = (view, starts, ends, from, values, target) => {
  const table = calendar();
  for (let index = from; index < values; index++) {
    const at = starts[index]!;
    if (ends[index]! - at !== 4) return index;
    const date = view.getUint32(at, true);
    const year = date & 0xffff;
    const month = (date >>> 16) & 0xff;
    const day = date >>> 24;
    if (year >= YEARS || month > 12) return index;
    const entry = table[(year << MONTH_BITS) | month]!;
    if (day === 0 || day > (entry & LENGTH_MASK)) return index;
    target[index] = (entry >> LENGTH_BITS) + day;
  }
  return values;
};

const TWO_32 = 2 ** 32;

/** DATETIME, TIMESTAMP: a date, then hour, minute, second, then microseconds in 4 bytes. */
export const readTimestamps: CheckedKernel = (view, starts, ends, from, values, target) => {
  const table = calendar();
  for (let index = from; index < values; index++) {
    const at = starts[index]!;
    const length = ends[index]! - at;
    if (length !== 7 && length !== 11 && length !== 4) return index;
    const date = view.getUint32(at, true);
    const year = date & 0xffff;
    const month = (date >>> 16) & 0xff;
    const day = date >>> 24;
    if (year >= YEARS || month > 12) return index;
    const entry = table[(year << MONTH_BITS) | month]!;
    if (day === 0 || day > (entry & LENGTH_MASK)) return index;
    let seconds = ((entry >> LENGTH_BITS) + day) * 86_400;
    let micros = 0;
    if (length >= 7) {
      const hour = view.getUint8(at + 4);
      const minute = view.getUint8(at + 5);
      const second = view.getUint8(at + 6);
      if (hour > 23 || minute > 59 || second > 59) return index;
      seconds += hour * 3600 + minute * 60 + second;
      if (length === 11) {
        micros = view.getUint32(at + 7, true);
        if (micros > 999_999) return index;
      }
    }
    // Exact beyond 2^53 too: seconds times 15,625 is below it, and the rest of a million is 2^6.
    const whole = seconds * 1e6;
    let high = Math.floor(whole / TWO_32);
    let low = whole - high * TWO_32 + micros;
    if (low >= TWO_32) {
      low -= TWO_32;
      high++;
    }
    target[2 * index] = low;
    target[2 * index + 1] = high;
  }
  return values;
};

/** TIME: a sign, days in 4 bytes, hour, minute, second, then microseconds in 4 bytes. */
export const readDurations: CheckedKernel = (view, starts, ends, from, values, target) => {
  for (let index = from; index < values; index++) {
    const at = starts[index]!;
    const length = ends[index]! - at;
    let micros = 0;
    if (length === 8 || length === 12) {
      const minute = view.getUint8(at + 6);
      const second = view.getUint8(at + 7);
      const fraction = length === 12 ? view.getUint32(at + 8, true) : 0;
      if (minute > 59 || second > 59 || fraction > 999_999) return index;
      const hours = view.getUint32(at + 1, true) * 24 + view.getUint8(at + 5);
      micros = (hours * 3600 + minute * 60 + second) * 1e6 + fraction;
      if (micros > Number.MAX_SAFE_INTEGER) return index;
      if (view.getUint8(at) !== 0) micros = -micros;
    } else if (length !== 0) return index;
    const high = Math.floor(micros / TWO_32);
    target[2 * index] = micros - high * TWO_32;
    target[2 * index + 1] = high;
  }
  return values;
};
