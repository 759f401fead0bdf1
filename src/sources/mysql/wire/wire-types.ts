import type { ColumnDefinition } from './packets';

/** Types of columns on the wire: https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html */
export const WIRE = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  bit: 16,
} as const;

/**
 * Bytes of a value that is always as long; every other value begins with its length. As in
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 * (Binary Protocol Value); a type that is not there has a length in all servers.
 */
const WIDTHS: ReadonlyMap<number, number> = new Map([
  [WIRE.tiny, 1],
  [WIRE.short, 2],
  [WIRE.year, 2],
  [WIRE.long, 4],
  [WIRE.int24, 4],
  [WIRE.float, 4],
  [WIRE.longlong, 8],
  [WIRE.double, 8],
]);

export function widthOf({ type }: ColumnDefinition): number {
  return WIDTHS.get(type) ?? 0;
}

const NO_TEXT: ReadonlySet<number> = new Set([
  ...WIDTHS.keys(),
  ...[WIRE.timestamp, WIRE.date, WIRE.time, WIRE.datetime, WIRE.bit],
]);

/** Whether values come as the bytes that the text protocol has too: text, decimals, blobs, … */
export function isText({ type }: ColumnDefinition): boolean {
  return !NO_TEXT.has(type);
}

/**
 * A value as the text in which the server would print it: for values that no kernel takes, and
 * for error messages. `start` and `end` are the value's place.
 */
export type TextOf = (bytes: Buffer, start: number, end: number) => Buffer;

export function textOf({ type, unsigned, decimals }: ColumnDefinition): TextOf {
  switch (type) {
    case WIRE.tiny:
      return (bytes, at) => text(unsigned ? bytes.readUInt8(at) : bytes.readInt8(at));
    case WIRE.short:
    case WIRE.year:
      return (bytes, at) => text(unsigned ? bytes.readUInt16LE(at) : bytes.readInt16LE(at));
    case WIRE.long:
    case WIRE.int24:
      return (bytes, at) => text(unsigned ? bytes.readUInt32LE(at) : bytes.readInt32LE(at));
    case WIRE.longlong:
      return (bytes, at) => text(unsigned ? bytes.readBigUInt64LE(at) : bytes.readBigInt64LE(at));
    case WIRE.float:
      return (bytes, at) => floatText(bytes.readFloatLE(at));
    case WIRE.double:
      return (bytes, at) => floatText(bytes.readDoubleLE(at));
    case WIRE.date:
      return (bytes, start, end) => text(dateText(bytes, start, end));
    case WIRE.datetime:
    case WIRE.timestamp:
      return (bytes, start, end) => text(timestampText(bytes, start, end, decimals));
    case WIRE.time:
      return (bytes, start, end) => text(durationText(bytes, start, end, decimals));
    default:
      return (bytes, start, end) => bytes.subarray(start, end);
  }
}

function text(value: number | bigint | string): Buffer {
  return Buffer.from(String(value), 'latin1');
}

function floatText(value: number): Buffer {
  return text(Object.is(value, -0) ? '-0' : value);
}

function padded(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}

/** A part that was left out because it and all that follow are zero. */
function partAt(bytes: Buffer, at: number, end: number): number {
  return at < end ? bytes[at]! : 0;
}

function dateText(bytes: Buffer, start: number, end: number): string {
  const year = end - start >= 2 ? bytes.readUInt16LE(start) : 0;
  const month = partAt(bytes, start + 2, end);
  return `${padded(year, 4)}-${padded(month)}-${padded(partAt(bytes, start + 3, end))}`;
}

function timestampText(bytes: Buffer, start: number, end: number, decimals: number): string {
  return `${dateText(bytes, start, end)} ${clockText(bytes, start + 4, end, 0, decimals)}`;
}

function durationText(bytes: Buffer, start: number, end: number, decimals: number): string {
  const days = end - start >= 5 ? bytes.readUInt32LE(start + 1) : 0;
  const sign = partAt(bytes, start, end) === 0 ? '' : '-';
  return sign + clockText(bytes, start + 5, end, days * 24, decimals);
}

/** More decimals than a time can have: as many as the value needs. */
const MOST_DECIMALS = 6;

function clockText(
  bytes: Buffer,
  at: number,
  end: number,
  hoursBefore: number,
  decimals: number,
): string {
  const hours = padded(hoursBefore + partAt(bytes, at, end));
  const clock = `${hours}:${padded(partAt(bytes, at + 1, end))}:${padded(partAt(bytes, at + 2, end))}`;
  const micros = end - at >= 7 ? bytes.readUInt32LE(at + 3) : 0;
  const shown = decimals > MOST_DECIMALS ? (micros === 0 ? 0 : MOST_DECIMALS) : decimals;
  return shown === 0 ? clock : `${clock}.${padded(micros, MOST_DECIMALS).slice(0, shown)}`;
}
