/** The slow, obvious way to read what PostgreSQL sends, to hold the kernels against. */

const EPOCH_DAYS = 10_957;
const EPOCH_MICROSECONDS = 946_684_800_000_000n;
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Days since 1970; undefined for infinities and days beyond 32 bits. */
export function dateTwin(days: number): number | undefined {
  if (days === INT32_MAX || days === INT32_MIN) return undefined;
  return days + EPOCH_DAYS > INT32_MAX ? undefined : days + EPOCH_DAYS;
}

/** Microseconds since 1970; undefined for infinities and moments beyond 64 bits. */
export function timestampTwin(micros: bigint): bigint | undefined {
  if (micros === INT64_MAX || micros === INT64_MIN) return undefined;
  return micros + EPOCH_MICROSECONDS > INT64_MAX ? undefined : micros + EPOCH_MICROSECONDS;
}

/** The number without its point; undefined for what is no number of the precision and scale. */
export function numericTwin(bytes: Buffer, precision: number, scale: number): bigint | undefined {
  if (bytes.length < 8) return undefined;
  const count = bytes.readUInt16BE(0);
  const weight = bytes.readInt16BE(2);
  const sign = bytes.readUInt16BE(4);
  if (bytes.length !== 8 + 2 * count || (sign !== 0 && sign !== 0x4000)) return undefined;
  let digits = 0n;
  for (let i = 0; i < count; i++) {
    const digit = bytes.readUInt16BE(8 + 2 * i);
    if (digit > 9_999) return undefined;
    digits = digits * 10_000n + BigInt(digit);
  }
  if (digits === 0n) return 0n;
  const exponent = (weight - count + 1) * 4 + scale;
  const power = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && digits % power !== 0n) return undefined;
  const magnitude = exponent < 0 ? digits / power : digits * power;
  if (magnitude >= 10n ** BigInt(precision)) return undefined;
  return sign === 0 ? magnitude : -magnitude;
}

/** As the server sends a number: no zeros at either end. */
export function numericBytes(unscaled: bigint, scale: number): Buffer {
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  const places = Math.ceil(scale / 4);
  let rest = magnitude * 10n ** BigInt(places * 4 - scale);
  const digits: number[] = [];
  for (; rest > 0n; rest /= 10_000n) digits.unshift(Number(rest % 10_000n));
  const weight = digits.length === 0 ? 0 : digits.length - 1 - places;
  while (digits.at(-1) === 0) digits.pop();
  return numericOf(digits, weight, unscaled < 0n ? 0x4000 : 0, scale);
}

export function numericOf(
  digits: readonly number[],
  weight: number,
  sign: number,
  displayScale: number,
): Buffer {
  const bytes = Buffer.alloc(8 + 2 * digits.length);
  bytes.writeUInt16BE(digits.length, 0);
  bytes.writeInt16BE(weight, 2);
  bytes.writeUInt16BE(sign, 4);
  bytes.writeUInt16BE(displayScale, 6);
  digits.forEach((digit, i) => bytes.writeUInt16BE(digit, 8 + 2 * i));
  return bytes;
}

/** What is found in a stream of CopyData messages. */
export interface Walked {
  /** Per row and column the place of the value, null for NULL. */
  readonly rows: (readonly [number, number] | null)[][];
  readonly position: number;
  readonly problem: number;
}

export function walkTwin(bytes: Buffer, columns: number, capacity: number): Walked {
  const rows: (readonly [number, number] | null)[][] = [];
  let position = 0;
  const stop = (problem: number) => ({ rows, position, problem });
  while (rows.length < capacity && bytes.length - position >= 7) {
    const length = bytes.readInt32BE(position + 1);
    const end = position + 1 + length;
    if (length < 6 || end > bytes.length || bytes[position] !== 0x64) break;
    if (bytes.readInt16BE(position + 5) !== columns) break;
    const row: (readonly [number, number] | null)[] = [];
    let at = position + 7;
    for (let column = 0; column < columns; column++) {
      // A length that reaches beyond the row is read from what lies there.
      const size = at + 4 <= bytes.length ? bytes.readInt32BE(at) : 0;
      at += 4;
      if (at > end) return stop(2);
      if (size < -1) return stop(1);
      if (size > end - at) return stop(2);
      row.push(size === -1 ? null : [at, at + size]);
      at += Math.max(0, size);
    }
    if (at !== end) return stop(3);
    rows.push(row);
    position = end;
  }
  return stop(0);
}

export function copyData(fields: readonly (Uint8Array | null)[]): Buffer {
  const parts = fields.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(field?.length ?? -1);
    return field === null ? [length] : [length, field];
  });
  const header = Buffer.from([0x64, 0, 0, 0, 0, 0, 0]);
  const body = Buffer.concat([header, ...parts]);
  body.writeInt32BE(body.length - 1, 1);
  body.writeInt16BE(fields.length, 5);
  return body;
}
