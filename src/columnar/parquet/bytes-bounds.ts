import type { Statistics } from './format';

/**
 * Smallest and largest of byte strings by their first `limit` bytes. Cutting keeps the order, so
 * the smallest beginning is the beginning of the smallest. `flip` is XORed into the first byte:
 * 0x80 turns unsigned order into that of two's complement.
 */
export class BytesBounds {
  any = false;
  /** Whether a value goes on behind the bound. */
  minCut = false;
  maxCut = false;
  private readonly minBytes: Buffer;
  private readonly maxBytes: Buffer;
  private minLength = 0;
  private maxLength = 0;

  constructor(
    private readonly limit: number,
    private readonly flip: number,
  ) {
    this.minBytes = Buffer.alloc(limit);
    this.maxBytes = Buffer.alloc(limit);
  }

  get min(): Buffer {
    return this.minBytes.subarray(0, this.minLength);
  }

  get max(): Buffer {
    return this.maxBytes.subarray(0, this.maxLength);
  }

  update(data: Buffer, starts: Int32Array, ends: Int32Array, from: number, end: number): void {
    for (let i = from; i < end; i++) this.take(data, starts[i]!, ends[i]!);
  }

  /** Takes what another one has seen, of the same limit and order. */
  absorb(other: BytesBounds): void {
    if (!other.any) return;
    this.include(other.minBytes, 0, other.minLength, other.minCut);
    this.include(other.maxBytes, 0, other.maxLength, other.maxCut);
  }

  /** Takes one value. */
  take(data: Buffer, start: number, stop: number): void {
    const cut = stop - start > this.limit;
    this.include(data, start, cut ? start + this.limit : stop, cut);
  }

  private include(data: Buffer, start: number, until: number, cut: boolean): void {
    const toMin = this.any ? this.compare(data, start, until, this.minBytes, this.minLength) : -1;
    const toMax = this.any ? this.compare(data, start, until, this.maxBytes, this.maxLength) : 1;
    if (toMin < 0) {
      this.minLength = data.copy(this.minBytes, 0, start, until);
      this.minCut = cut;
    } else if (toMin === 0) {
      this.minCut ||= cut;
    }
    if (toMax > 0) {
      this.maxLength = data.copy(this.maxBytes, 0, start, until);
      this.maxCut = cut;
    } else if (toMax === 0) {
      this.maxCut ||= cut;
    }
    this.any = true;
  }

  reset(): void {
    this.any = false;
    this.minCut = false;
    this.maxCut = false;
  }

  private compare(
    data: Buffer,
    start: number,
    stop: number,
    other: Buffer,
    length: number,
  ): number {
    const common = Math.min(stop - start, length);
    let flip = this.flip;
    for (let i = 0; i < common; i++) {
      const difference = ((data[start + i] ?? 0) ^ flip) - ((other[i] ?? 0) ^ flip);
      if (difference !== 0) return difference;
      flip = 0;
    }
    return stop - start - length;
  }
}

/**
 * Bounds to write. One that was cut must still enclose: the smallest as it is, the largest with its
 * last character (or byte) raised; where none can be raised there are no bounds. UTF-8 is cut
 * between characters, for readers that decode the bounds.
 */
export function truncatedBounds(
  bounds: BytesBounds,
  content: 'utf8' | 'bytes',
): Statistics['bounds'] {
  if (!bounds.any) return undefined;
  const whole = (bytes: Buffer, cut: boolean) =>
    cut && content === 'utf8' ? wholeCharacters(bytes) : Buffer.from(bytes);
  const min = whole(bounds.min, bounds.minCut);
  const highest = whole(bounds.max, bounds.maxCut);
  const max = !bounds.maxCut ? highest : content === 'utf8' ? raisedText(highest) : raised(highest);
  if (max === undefined) return undefined;
  return { min, max, minExact: !bounds.minCut, maxExact: !bounds.maxCut };
}

/** Drops the bytes of a character that was cut through at the end. */
function wholeCharacters(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  const lead = bytes[start] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const end = start + length > bytes.length ? start : bytes.length;
  return Buffer.from(bytes.subarray(0, end));
}

function raisedText(bytes: Buffer): Buffer | undefined {
  const characters = Array.from(bytes.toString('utf8'));
  while (characters.length > 0) {
    const codePoint = characters.pop()?.codePointAt(0) ?? 0;
    if (codePoint === 0x10ffff) continue;
    // The surrogates have no UTF-8.
    const next = codePoint === 0xd7ff ? 0xe000 : codePoint + 1;
    return Buffer.from(characters.join('') + String.fromCodePoint(next), 'utf8');
  }
  return undefined;
}

function raised(bytes: Buffer): Buffer | undefined {
  for (let last = bytes.length - 1; last >= 0; last--) {
    const byte = bytes[last] ?? 0;
    if (byte === 0xff) continue;
    const copy = Buffer.from(bytes.subarray(0, last + 1));
    copy[last] = byte + 1;
    return copy;
  }
  return undefined;
}
