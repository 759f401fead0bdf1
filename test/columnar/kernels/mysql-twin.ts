/** The slow, obvious way to read what MySQL sends, to hold the kernels against. */

const DAY_MS = 86_400_000;

/** Days since 1970; undefined for what no calendar has. */
export function dateTwin(bytes: Buffer): number | undefined {
  return bytes.length === 4 ? daysAt(bytes) : undefined;
}

function daysAt(bytes: Buffer): number | undefined {
  const year = bytes.readUInt16LE(0);
  const month = bytes[2]!;
  const day = bytes[3]!;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && year <= 9_999 && month >= 1 && month <= 12 ? date.getTime() / DAY_MS : undefined;
}

/** Microseconds since 1970. */
export function timestampTwin(bytes: Buffer): bigint | undefined {
  if (![4, 7, 11].includes(bytes.length)) return undefined;
  const days = daysAt(bytes);
  const whole = Buffer.concat([bytes, Buffer.alloc(11)]);
  const [hour, minute, second] = whole.subarray(4, 7) as unknown as [number, number, number];
  const micros = whole.readUInt32LE(7);
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  if (micros > 999_999) return undefined;
  const seconds = BigInt(days) * 86_400n + BigInt(hour * 3600 + minute * 60 + second);
  return seconds * 1_000_000n + BigInt(micros);
}

/** Microseconds. */
export function durationTwin(bytes: Buffer): bigint | undefined {
  if (![0, 8, 12].includes(bytes.length)) return undefined;
  const whole = Buffer.concat([bytes, Buffer.alloc(12)]);
  const days = whole.readUInt32LE(1);
  const [hour, minute, second] = whole.subarray(5, 8) as unknown as [number, number, number];
  const micros = whole.readUInt32LE(8);
  if (minute > 59 || second > 59 || micros > 999_999) return undefined;
  const seconds = BigInt(days) * 86_400n + BigInt(hour * 3600 + minute * 60 + second);
  const total = seconds * 1_000_000n + BigInt(micros);
  if (total > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return whole[0] === 0 ? total : -total;
}

/** The number without its point; undefined for what is no number of the precision and scale. */
export function decimalTwin(bytes: Buffer, precision: number, scale: number): bigint | undefined {
  const form = scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`);
  const text = bytes.toString('latin1');
  if (!form.test(text)) return undefined;
  const value = BigInt(text.replace('.', ''));
  const bound = 10n ** BigInt(precision);
  return value < bound && value > -bound ? value : undefined;
}

/** As the server sends a number. */
export function decimalBytes(unscaled: bigint, scale: number): Buffer {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale);
  return Buffer.from(`${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`);
}

/** The bits of BIT(n); undefined for more than 64. */
export function bitsTwin(bytes: Buffer): bigint | undefined {
  return bytes.length > 8 ? undefined : BigInt(`0x0${bytes.toString('hex')}`);
}

/** What is found in a stream of rows. */
export interface Walked {
  /** Per row and column the place of the value, null for NULL. */
  readonly rows: (readonly [number, number] | null)[][];
  readonly position: number;
  readonly sequence: number;
  readonly isCorrupt: boolean;
}

/** @param widths bytes of the values of each column, 0 where values begin with their length. */
export function walkTwin(
  bytes: Buffer,
  first: number,
  widths: readonly number[],
  capacity: number,
): Walked {
  const rows: (readonly [number, number] | null)[][] = [];
  let position = 0;
  let sequence = first;
  while (rows.length < capacity && bytes.length - position > 4) {
    const length = bytes.readUIntLE(position, 3);
    const payload = position + 4;
    if (length === 0xffffff || payload + length > bytes.length) break;
    if (bytes[position + 3] !== sequence || bytes[payload] !== 0) break;
    const row = length === 0 ? undefined : rowTwin(bytes, payload + 1, payload + length, widths);
    if (row === undefined) return { rows, position, sequence, isCorrupt: true };
    rows.push(row);
    sequence = (sequence + 1) % 256;
    position = payload + length;
  }
  return { rows, position, sequence, isCorrupt: false };
}

/** The places of a row's values; undefined where they do not add up to it. */
export function rowTwin(
  all: Buffer,
  start: number,
  end: number,
  widths: readonly number[],
): (readonly [number, number] | null)[] | undefined {
  const bytes = all.subarray(0, end);
  const row: (readonly [number, number] | null)[] = [];
  let at = start + Math.ceil((widths.length + 2) / 8);
  if (at > end) return undefined;
  for (const [column, width] of widths.entries()) {
    const bit = column + 2;
    if ((bytes[start + Math.floor(bit / 8)]! & (1 << (bit % 8))) !== 0) {
      row.push(null);
      continue;
    }
    let length = width;
    if (width === 0) {
      const prefix = bytes[at++];
      if (prefix === undefined || prefix === 251 || prefix === 255) return undefined;
      const lengthBytes = prefix < 251 ? 0 : { 252: 2, 253: 3, 254: 8 }[prefix]!;
      if (at + lengthBytes > end) return undefined;
      length = prefix;
      if (lengthBytes > 0) length = Number(numberLE(bytes.subarray(at, at + lengthBytes)));
      at += lengthBytes;
    }
    if (at + length > end) return undefined;
    row.push([at, at + length]);
    at += length;
  }
  return at === end ? row : undefined;
}

function numberLE(bytes: Uint8Array): bigint {
  return bytes.reduceRight((total, byte) => total * 256n + BigInt(byte), 0n);
}

/** How a value's length is written. */
export function lengthEncoded(value: Uint8Array, form: 1 | 2 | 3 | 8): Buffer {
  const shortest = value.length <= 250 ? form : value.length < 2 ** 16 ? Math.max(form, 2) : 3;
  const length = Buffer.alloc(8);
  length.writeUInt32LE(value.length);
  const first = { 1: value.length, 2: 252, 3: 253, 8: 254 }[shortest]!;
  return Buffer.concat([
    Buffer.from([first]),
    length.subarray(0, shortest === 1 ? 0 : shortest),
    value,
  ]);
}

/** A row's packet; values as they are, with their lengths before them where they need one. */
export function packet(sequence: number, values: readonly (Uint8Array | null)[]): Buffer {
  const bitmap = Buffer.alloc(Math.ceil((values.length + 2) / 8));
  values.forEach((value, column) => {
    const bit = column + 2;
    if (value === null) bitmap[Math.floor(bit / 8)]! |= 1 << (bit % 8);
  });
  const body = Buffer.concat([
    Buffer.from([0, 0, 0, sequence % 256, 0]),
    bitmap,
    ...values.filter((value) => value !== null),
  ]);
  body.writeUIntLE(body.length - 4, 0, 3);
  return body;
}
