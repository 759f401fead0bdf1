/** Items that one caller wants written, and what becomes of its promise. */
interface Waiting<Item> {
  readonly items: readonly Item[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One write at a time: what is asked for meanwhile goes together in the next. For a store where a
 * write of one item takes as long as one of a thousand. A promise resolves once its items are
 * written; those of one call stay together and in order, and later calls come after.
 */
export function appendQueue<Item>(
  write: (items: readonly Item[]) => Promise<void>,
): (items: readonly Item[]) => Promise<void> {
  let waiting: Waiting<Item>[] = [];
  let writing = false;

  const writeAll = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await write(group.flatMap(({ items }) => items));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = false;
  };

  return (items) =>
    new Promise((resolve, reject) => {
      waiting.push({ items, resolve, reject });
      if (!writing) void writeAll();
    });
}

/**
 * Cuts texts into runs of at most so many bytes together, in UTF-8. One that alone has more is a run
 * of its own.
 */
export function runsOfBytes(texts: readonly string[], most: number): string[][] {
  const runs: string[][] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text);
    const run = runs.at(-1);
    if (run === undefined || bytes + size > most) {
      runs.push([text]);
      bytes = size;
    } else {
      run.push(text);
      bytes += size;
    }
  }
  return runs;
}
