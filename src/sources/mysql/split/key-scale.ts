import { daysOfDate, microsOfTimestamp } from '../../../columnar/decode/dates';
import type { KeyColumn } from './key-columns';

/**
 * The values of a column between two of them, as whole numbers in the column's order, so that a
 * value about halfway can be named without asking for one. A wrong guess of the order makes ranges
 * uneven, never wrong: the server compares, and what it finds out of order is left out.
 */
export interface KeyScale {
  readonly low: bigint;
  readonly high: bigint;
  /** The value at a place of the scale, in the source's text form. */
  valueAt(place: bigint): string;
}

/** Single characters as a collation orders them, those that it takes for equal together. */
export type Alphabet = readonly (readonly string[])[];

/**
 * The scale from one value to another; undefined where there is none. `floor`, if there is one, is
 * a value that is not above `low`.
 */
export function scaleBetween(
  column: KeyColumn,
  low: string,
  high: string,
  alphabet: Alphabet,
  floor?: string,
): KeyScale | undefined {
  switch (column.kind) {
    case 'integer':
      return { low: BigInt(low), high: BigInt(high), valueAt: String };
    case 'decimal':
      return decimalScale(low, high, column.scale);
    case 'date':
      return dateScale(low, high);
    case 'timestamp':
      return timestampScale(low, high);
    case 'uuid':
      return uuidScale(low, high);
    case 'binary':
      return binaryScale(low, high);
    case 'text':
      // Of other characters the place is unknown, and would be taken for the very first.
      return textScale(
        floor !== undefined && !isSpelt(low, alphabet) ? floor : low,
        high,
        alphabet,
      );
  }
}

function decimalScale(low: string, high: string, scale: number): KeyScale {
  const unscaled = (text: string) => {
    const [whole = '', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(scale, '0'));
  };
  return {
    low: unscaled(low),
    high: unscaled(high),
    valueAt(place) {
      const sign = place < 0n ? '-' : '';
      const digits = String(place < 0n ? -place : place).padStart(scale + 1, '0');
      if (scale === 0) return `${sign}${digits}`;
      return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    },
  };
}

/** In place of a first date that no calendar has, `0000-00-00`: the first that MySQL speaks for. */
const FIRST_DATE = '1000-01-01';
const MICROS_PER_DAY = 86_400_000_000n;

function dateScale(low: string, high: string): KeyScale | undefined {
  const days = (text: string) => daysOfDate(Buffer.from(text));
  const first = days(Number.isNaN(days(low)) ? FIRST_DATE : low);
  const last = days(high);
  if (!(first <= last)) return undefined;
  return {
    low: BigInt(first),
    high: BigInt(last),
    valueAt: (place) => instant(place * MICROS_PER_DAY).slice(0, 10),
  };
}

function timestampScale(low: string, high: string): KeyScale | undefined {
  const micros = (text: string) => microsOfTimestamp(Buffer.from(text));
  const first = micros(low) ?? micros(`${FIRST_DATE} 00:00:00`);
  const last = micros(high);
  if (first === undefined || last === undefined || first > last) return undefined;
  return { low: first, high: last, valueAt: instant };
}

function instant(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const text = new Date(Number((micros - rest) / 1000n)).toISOString();
  return text.replace('T', ' ').replace('Z', String(rest).padStart(3, '0'));
}

/** Where a UUID says what it is. */
const [VERSION, VARIANT] = [14, 19];

function withCharacter(text: string, at: number, from: string): string {
  return text.slice(0, at) + from.charAt(at) + text.slice(at + 1);
}

/**
 * MariaDB orders the versions that begin with the low bits of a time from their end on, and version
 * 6 and later as they are written: https://mariadb.com/kb/en/uuid-data-type/
 */
function uuidScale(low: string, high: string): KeyScale {
  const isWritten = low.charAt(VERSION) >= '6';
  const order = (parts: readonly string[]) => (isWritten ? parts : parts.toReversed());
  const place = (text: string) => BigInt(`0x${order(text.split('-')).join('')}`);
  const widths = order(['8', '4', '4', '4', '12']).map(Number);
  return {
    low: place(low),
    high: place(high),
    valueAt(number) {
      const digits = number.toString(16).padStart(32, '0');
      let start = 0;
      const text = order(widths.map((width) => digits.slice(start, (start += width)))).join('-');
      // The server takes what has another version or variant for something else.
      return withCharacter(withCharacter(text, VERSION, low), VARIANT, low);
    },
  };
}

/** What follows the common beginning counts this far: 2^48 places are more than there are ranges. */
const BINARY_BYTES = 6;

/** Of hex digits, as the source prints binary values here. */
function binaryScale(low: string, high: string): KeyScale {
  const common = commonLength([...low], [...high], (a, b) => a === b);
  const prefix = low.slice(0, common - (common % 2));
  const width = 2 * BINARY_BYTES;
  const place = (text: string) =>
    BigInt(`0x${text.slice(prefix.length, prefix.length + width).padEnd(width, '0')}`);
  return {
    low: place(low),
    high: place(high),
    valueAt: (number) =>
      `${prefix}${number.toString(16).padStart(width, '0')}`.replace(/(00)+$/, ''),
  };
}

/** Characters that count after the common beginning. */
const TEXT_CHARACTERS = 8;

function isSpelt(text: string, alphabet: Alphabet): boolean {
  return [...text].every((character) => alphabet.some((equal) => equal.includes(character)));
}

function textScale(low: string, high: string, alphabet: Alphabet): KeyScale {
  // Place 0 is the end of the text, before every character.
  const placeOf = new Map(
    alphabet.flatMap((equal, i) => equal.map((character) => [character, i + 1] as const)),
  );
  const base = BigInt(alphabet.length + 1);
  const [first, last] = [[...low], [...high]];
  const areEqual = (a: string, b: string) =>
    a === b || (placeOf.has(a) && placeOf.get(a) === placeOf.get(b));
  const common = commonLength(first, last, areEqual);
  const prefix = first.slice(0, common).join('');
  const place = (characters: readonly string[], unknown: number) => {
    let sum = 0n;
    for (let i = 0; i < TEXT_CHARACTERS; i++) {
      const character = characters[common + i];
      const digit = character === undefined ? 0 : (placeOf.get(character) ?? unknown);
      sum = sum * base + BigInt(digit);
    }
    return sum;
  };
  return {
    low: place(first, 0),
    high: place(last, alphabet.length),
    valueAt(number) {
      let text = '';
      // What follows the end of a text would be lost: there the first character takes its place.
      for (let rest = number, i = TEXT_CHARACTERS - 1; rest > 0n; i--) {
        const digit = Number(rest / base ** BigInt(i));
        text += alphabet[Math.max(0, digit - 1)]?.[0] ?? '';
        rest %= base ** BigInt(i);
      }
      return prefix + text;
    },
  };
}

function commonLength(
  one: readonly string[],
  other: readonly string[],
  areEqual: (a: string, b: string) => boolean,
): number {
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; i++) {
    if (!areEqual(one[i] ?? '', other[i] ?? '')) return i;
  }
  return length;
}
