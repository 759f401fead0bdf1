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
