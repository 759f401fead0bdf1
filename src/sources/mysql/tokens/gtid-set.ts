/**
 * Sets of MySQL's global transaction ids: `uuid:1-5:7, uuid:tag:1-3`
 * (https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html).
 */
export type GtidSet = ReadonlyMap<string, readonly Interval[]>;

/** Both ends included. */
interface Interval {
  readonly first: number;
  readonly last: number;
}

/** One transaction: its source (`uuid` or `uuid:tag`) and number. */
export interface Gtid {
  readonly source: string;
  readonly number: number;
}

const NUMBERS = /^(\d+)(?:-(\d+))?$/;

/** Undefined for text that is no set. */
export function parseGtidSet(text: string): GtidSet | undefined {
  const set = new Map<string, Interval[]>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [uuid = '', ...parts] = entry.split(':').map((part) => part.trim().toLowerCase());
    let source = uuid;
    for (const part of parts) {
      const numbers = NUMBERS.exec(part);
      if (numbers === null) {
        source = `${uuid}:${part}`;
        continue;
      }
      const first = Number(numbers[1]);
      const intervals = set.get(source) ?? [];
      intervals.push({ first, last: Number(numbers[2] ?? first) });
      set.set(source, intervals);
    }
    if (parts.length === 0) return undefined;
  }
  return set;
}

/** `uuid:5` or `uuid:tag:5`; undefined for other text (ANONYMOUS). */
export function parseGtid(text: string): Gtid | undefined {
  const split = text.lastIndexOf(':');
  const number = Number(text.slice(split + 1));
  return split < 36 || !Number.isInteger(number)
    ? undefined
    : { source: text.slice(0, split).toLowerCase(), number };
}

export function contains(set: GtidSet, { source, number }: Gtid): boolean {
  const intervals = set.get(source) ?? [];
  return intervals.some(({ first, last }) => first <= number && number <= last);
}

/** How many transactions there are. */
export function sizeOf(set: GtidSet): number {
  let size = 0;
  for (const intervals of set.values()) {
    for (const { first, last } of intervals) size += last - first + 1;
  }
  return size;
}

/** Whether every transaction of `part` is in `whole`. Intervals of one source are apart, as the server writes them. */
export function isSubset(part: GtidSet, whole: GtidSet): boolean {
  for (const [source, intervals] of part) {
    const around = whole.get(source) ?? [];
    const inside = intervals.every(({ first, last }) =>
      around.some((interval) => interval.first <= first && last <= interval.last),
    );
    if (!inside) return false;
  }
  return true;
}
