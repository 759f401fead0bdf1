import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { duckdbRows, sqlString } from './duckdb';
import { keepLooking } from './keep-looking';

/** A reader who looks at a table all the time. */
export interface WatchedTable {
  /**
   * Stops looking. What was seen, in its order, one row per published state: rows, smallest and
   * largest `v`. Rejects when a state could not be read.
   */
  stop(): Promise<number[][]>;
}

/** Looks every few milliseconds at which files a table consists of, and reads them when they change. */
export function watchTable(store: ObjectStore, domain: string, entity: string): WatchedTable {
  const destination = createParquetDestination(store, { compression: 'snappy' });
  const seen: number[][] = [];
  let latest: string | undefined;
  const looking = keepLooking(async () => {
    const state = await destination.published(domain, entity);
    if (state === undefined || state.publishedAt === latest) return;
    seen.push(await contentOf(store, state.files));
    latest = state.publishedAt;
  });
  return {
    async stop() {
      await looking.stop();
      return seen;
    },
  };
}

async function contentOf(
  store: ObjectStore,
  files: readonly { readonly path: string }[],
): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'comporta-watched-'));
  try {
    const copies = await Promise.all(files.map(({ path }) => store.localCopy(path, folder)));
    const [row = []] = await duckdbRows(
      `SELECT count(*), min(v), max(v) FROM read_parquet([${copies.map(sqlString).join(', ')}], hive_partitioning = false)`,
    );
    return row.map(Number);
  } finally {
    await rm(folder, { recursive: true });
  }
}
