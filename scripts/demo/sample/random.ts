/** A stream of random values that is the same in every run, on every machine. */
export interface Random {
  /** Whole number from `low` to `high`, both included; at most 2^32 of them. */
  integer(low: number, high: number): number;
  /** True in `share` (0 to 1) of the cases. */
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
  /** Text of `length` digits. */
  digits(length: number): string;
}

/**
 * Mulberry32 by Tommy Ettinger: 32 bits of state, in the public domain, good enough for samples.
 * @param name chooses the stream; each table has its own, so that one more column in one table
 *   leaves the others as they were.
 */
export function createRandom(name: string): Random {
  let state = seedOf(name);

  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const integer = (low: number, high: number) => low + (next() % (high - low + 1));

  return {
    integer,
    chance: (share) => next() < share * 2 ** 32,
    pick: (items) => items[integer(0, items.length - 1)]!,
    bytes(length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; at++) bytes[at] = next() >>> 24;
      return bytes;
    },
    digits(length) {
      let text = '';
      while (text.length < length) text += String(next() % 1_000_000).padStart(6, '0');
      return text.slice(0, length);
    },
  };
}

/** FNV-1a over the UTF-16 units. */
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++)
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
