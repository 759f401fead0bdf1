import type { Fixed32Vector, Fixed64Vector } from '../vectors';
import { COLON, digits, DOT, microseconds, MINUS, PLUS, twoDigits, ZERO } from './digits';
import { isInt64 } from './integers';

const SECONDS_PER_DAY = 86_400;
const DASH = MINUS;
const SPACE = 0x20;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/**
 * Days from 1970-01-01 to a day of the proleptic Gregorian calendar, year 0 being 1 BC; NaN for a
 * day that the calendar does not have. Counts in years that begin in March, so that the leap day
 * is a year's last.
 */
export function daysFromCivil(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return NaN;
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Whether the text ends in ` BC`, as PostgreSQL writes years before 1. */
function endsInBc(text: Uint8Array): boolean {
  const end = text.length;
  return text[end - 1] === 0x43 && text[end - 2] === 0x42 && text[end - 3] === SPACE;
}

/** Index of the dash after the year. */
function yearEnd(text: Uint8Array): number {
  return text.indexOf(DASH, 1);
}

/** Length of `-MM-DD`. */
const AFTER_YEAR = 6;

/** Days of the date at the text's beginning. */
function daysAt(text: Uint8Array, dash: number, beforeChrist: boolean): number {
  if (dash < 4 || text[dash + 3] !== DASH) return NaN;
  const negative = text[0] === MINUS;
  const written = digits(text, negative ? 1 : 0, dash);
  const year = beforeChrist ? 1 - written : negative ? -written : written;
  return daysFromCivil(year, twoDigits(text, dash + 1), twoDigits(text, dash + 4));
}

/**
 * Days from 1970-01-01 to `YYYY-MM-DD`, with more digits, a minus (year 0 is 1 BC) or a following
 * ` BC` for far years. NaN for anything else: `infinity`, `0000-00-00`, `2024-02-30`.
 */
export function daysOfDate(text: Uint8Array): number {
  const beforeChrist = endsInBc(text);
  const dash = yearEnd(text);
  const end = beforeChrist ? text.length - 3 : text.length;
  return dash + AFTER_YEAR === end ? daysAt(text, dash, beforeChrist) : NaN;
}

/** Appends a date; false when {@link daysOfDate} knows none. */
export function appendDate(vector: Fixed32Vector, text: Uint8Array): boolean {
  const days = daysOfDate(text);
  if (!(days >= -(2 ** 31) && days < 2 ** 31)) return false;
  vector.append(days);
  return true;
}

/** Seconds of `HH:MM:SS` at `start`, up to 23:59:59; NaN otherwise. */
function secondsOfDay(text: Uint8Array, start: number): number {
  const hours = twoDigits(text, start);
  const minutes = twoDigits(text, start + 3);
  const seconds = twoDigits(text, start + 6);
  const colons = text[start + 2] === COLON && text[start + 5] === COLON;
  return colons && hours < 24 && minutes < 60 && seconds < 60
    ? hours * 3600 + minutes * 60 + seconds
    : NaN;
}

/** Where the digits of a number that starts at `start` end. */
function digitsEnd(text: Uint8Array, start: number, limit: number): number {
  let end = start;
  while (end < limit && (text[end] ?? 0) >= ZERO && (text[end] ?? 0) <= ZERO + 9) end++;
  return end;
}

/** Seconds east of UTC of `Z`, `±HH`, `±HH:MM` or `±HH:MM:SS`, or of nothing; NaN otherwise. */
function offsetSeconds(text: Uint8Array, start: number, end: number): number {
  if (start === end) return 0;
  if (text[start] === LETTER_Z) return start + 1 === end ? 0 : NaN;
  const sign = text[start] === PLUS ? 1 : text[start] === MINUS ? -1 : NaN;
  let total = 0;
  let unit = 3600;
  for (let at = start + 1; at <= end; at += 3, unit /= 60) {
    const more = at + 2 < end;
    if (unit < 1 || at + 2 > end || (more && text[at + 2] !== COLON)) return NaN;
    total += twoDigits(text, at) * unit;
    if (!more) return sign * total;
  }
  return NaN;
}

/**
 * Microseconds from 1970-01-01T00:00:00 to `YYYY-MM-DD HH:MM:SS[.ffffff][±HH[:MM[:SS]]]` (also
 * with `T`, `Z`, and far years as in {@link daysOfDate}); without an offset the wall clock is
 * taken as it stands. Undefined for anything else, and beyond 64 bits (years after 294246).
 */
export function microsOfTimestamp(text: Uint8Array): bigint | undefined {
  const beforeChrist = endsInBc(text);
  const end = beforeChrist ? text.length - 3 : text.length;
  const dash = yearEnd(text);
  const time = dash + AFTER_YEAR + 1;
  const separator = text[time - 1];
  if (separator !== SPACE && separator !== LETTER_T) return undefined;
  let at = time + 8;
  let fraction = 0;
  if (text[at] === DOT) {
    const start = at + 1;
    at = digitsEnd(text, start, end);
    fraction = microseconds(text, start, at);
  }
  const seconds =
    daysAt(text, dash, beforeChrist) * SECONDS_PER_DAY +
    secondsOfDay(text, time) -
    offsetSeconds(text, at, end);
  if (at > end || Number.isNaN(seconds) || Number.isNaN(fraction)) return undefined;
  const micros = seconds * 1e6 + fraction;
  // Beyond 2^53 (years before 1684 and after 2255) a double would lose microseconds.
  if (Number.isSafeInteger(micros)) return BigInt(micros);
  const exact = BigInt(seconds) * 1_000_000n + BigInt(fraction);
  return isInt64(exact) ? exact : undefined;
}

/** Appends a timestamp; false when {@link microsOfTimestamp} knows none. */
export function appendTimestamp(vector: Fixed64Vector, text: Uint8Array): boolean {
  const micros = microsOfTimestamp(text);
  if (micros === undefined) return false;
  vector.append(micros);
  return true;
}

/** Microseconds of `HH:MM:SS[.ffffff]` within one day; NaN otherwise, so also for 24:00:00. */
export function microsOfTime(text: Uint8Array): number {
  const seconds = secondsOfDay(text, 0);
  if (text.length === 8) return seconds * 1e6;
  return text[8] === DOT ? seconds * 1e6 + microseconds(text, 9, text.length) : NaN;
}

/** Appends a time of day; false when {@link microsOfTime} knows none. */
export function appendTime(vector: Fixed64Vector, text: Uint8Array): boolean {
  const micros = microsOfTime(text);
  if (Number.isNaN(micros)) return false;
  vector.append(BigInt(micros));
  return true;
}

/** Microseconds of `[-]H…HH:MM:SS[.ffffff]` with any number of hours; NaN otherwise. */
export function microsOfDuration(text: Uint8Array): number {
  const negative = text[0] === MINUS;
  const start = negative ? 1 : 0;
  const colon = text.indexOf(COLON);
  const hours = digits(text, start, colon);
  const minutes = twoDigits(text, colon + 1);
  const seconds = twoDigits(text, colon + 4);
  if (!(minutes < 60 && seconds < 60) || text[colon + 3] !== COLON) return NaN;
  const end = colon + 6;
  const fraction =
    text.length === end ? 0 : text[end] === DOT ? microseconds(text, end + 1, text.length) : NaN;
  const micros = (hours * 3600 + minutes * 60 + seconds) * 1e6 + fraction;
  return negative ? -micros : micros;
}

/** Appends a duration; false when {@link microsOfDuration} knows none or it is not exact in a double. */
export function appendDuration(vector: Fixed64Vector, text: Uint8Array): boolean {
  const micros = microsOfDuration(text);
  if (!Number.isSafeInteger(micros)) return false;
  vector.append(BigInt(micros));
  return true;
}
