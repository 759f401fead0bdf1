import type { BooleanVector, BytesVector } from '../vectors';
import { MINUS } from './digits';

/** Value of a hexadecimal digit, -1 for other characters. */
function nibble(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Writes the bytes that two hexadecimal digits each stand for; false when there are others. */
function unhex(text: Uint8Array, start: number, target: Uint8Array, at: number, bytes: number) {
  for (let index = 0; index < bytes; index++) {
    const high = nibble(text[start + 2 * index] ?? 0);
    const low = nibble(text[start + 2 * index + 1] ?? 0);
    if (high < 0 || low < 0) return false;
    target[at + index] = (high << 4) | low;
  }
  return true;
}

/**
 * Appends the bytes that hexadecimal text stands for; false when it is not such text.
 * @param start index of the first digit, e.g. 2 after `\x`. Default 0.
 */
export function appendHex(vector: BytesVector, text: Uint8Array, start = 0): boolean {
  const length = text.length - start;
  if (length < 0 || length % 2 !== 0) return false;
  const bytes = Buffer.allocUnsafe(length / 2);
  if (!unhex(text, start, bytes, 0, bytes.length)) return false;
  vector.append(bytes);
  return true;
}

/** Bytes of a UUID in a vector. */
export const UUID_BYTES = 16;

/** Where the groups of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` begin, as text and as bytes. */
const UUID_GROUPS: readonly (readonly [text: number, at: number, bytes: number])[] = [
  [0, 0, 4],
  [9, 4, 2],
  [14, 6, 2],
  [19, 8, 2],
  [24, 10, 6],
];

/**
 * Appends a UUID in its usual form as 16 bytes; false when it is none.
 * @param scratch 16 bytes to build it in.
 */
export function appendUuid(vector: BytesVector, text: Uint8Array, scratch: Uint8Array): boolean {
  if (text.length !== 36) return false;
  for (const [from, at, bytes] of UUID_GROUPS) {
    if (from > 0 && text[from - 1] !== MINUS) return false;
    if (!unhex(text, from, scratch, at, bytes)) return false;
  }
  vector.append(scratch);
  return true;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['t', true],
  ['true', true],
  ['0', false],
  ['f', false],
  ['false', false],
]);

/** Appends `t`, `true` or `1`, `f`, `false` or `0`; false for other text. */
export function appendBoolean(vector: BooleanVector, text: Buffer): boolean {
  const value = BOOLEANS.get(text.toString('latin1'));
  if (value === undefined) return false;
  vector.append(value);
  return true;
}
