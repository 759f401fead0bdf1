import type { Random } from './random';
import { firstNames, lastNames } from './vocabulary';

/** What a column of the sample may hold; dates and exact numbers are texts in the database's form. */
export type SampleValue = string | number | bigint | boolean | Buffer | null;

/** Every moment of the sample lies in the 1,000 days from this one on (UTC). */
const firstDay = Date.UTC(2023, 0, 1);
const dayMs = 86_400_000;
export const sampleDays = 1_000;

/** `YYYY-MM-DD`, so many days after the sample's first. */
export function dateText(day: number): string {
  return new Date(firstDay + day * dayMs).toISOString().slice(0, 10);
}

/** `YYYY-MM-DD HH:MM:SS.ffffff` on that day of the sample. */
export function momentText(random: Random, day: number): string {
  const second = new Date(firstDay + day * dayMs + random.integer(0, 86_399) * 1000);
  const micros = String(random.integer(0, 999_999)).padStart(6, '0');
  return `${second.toISOString().slice(0, 19).replace('T', ' ')}.${micros}`;
}

/** `HH:MM:SS`, with more than 24 hours where there are so many. */
export function durationText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `units` as a decimal with that many places, without ever being a floating-point number. */
export function decimalText(units: number, places: number): string {
  const digits = String(Math.abs(units)).padStart(places + 1, '0');
  const sign = units < 0 ? '-' : '';
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** A version 4 UUID. */
export function uuidText(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Unsigned, of all 64 bits. */
export function unsigned64(random: Random): bigint {
  return random.bytes(8).readBigUInt64LE();
}

export function personName(random: Random): string {
  return `${random.pick(firstNames)} ${random.pick(lastNames)} ${random.pick(lastNames)}`;
}

/** The name in letters that an e-mail address may have. */
export function mailName(name: string): string {
  const plain = name.normalize('NFD').replace(/[^A-Za-z ]/g, '');
  return plain.toLowerCase().replaceAll(' ', '.');
}
