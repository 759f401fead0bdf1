import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentPath } from '../../src/destinations/parquet/layout';
import type { Manifest } from '../../src/destinations/parquet/manifest';
import { keepLooking } from './keep-looking';
import { readCurrent } from './lake';

/**
 * Reads a table again and again, whenever its present state is another one, as a reader of the
 * lake would. `stop` returns what `columns` (aggregates) showed, one row per state.
 */
export function watchTable(lake: string, domain: string, entity: string, columns: string) {
  const path = join(lake, currentPath(domain, entity));
  const seen: string[] = [];
  let document: string | undefined;
  const looking = keepLooking(async () => {
    const present = await readFile(path, 'utf8').catch(() => undefined);
    if (present === undefined || present === document) return;
    const [row] = await readCurrent(lake, domain, entity, columns);
    seen.push(String(row?.[0]));
    document = present;
  });
  return {
    async stop(): Promise<readonly string[]> {
      await looking.stop();
      return seen;
    },
  };
}

/** Fails when a lake on disk holds a file that no manifest names, or one that is still staged. */
export async function noFileLeft(lake: string): Promise<void> {
  const entries = await readdir(lake, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(lake.length + 1));
  const named = new Set<string>();
  for (const path of files.filter((file) => file.endsWith('/manifest.json'))) {
    const manifest = JSON.parse(await readFile(join(lake, path), 'utf8')) as Manifest;
    for (const entity of manifest.entities) for (const file of entity.files) named.add(file.path);
  }
  const left = files.filter(
    (file) => file.startsWith('_staging/') || (file.endsWith('.parquet') && !named.has(file)),
  );
  assert.deepEqual(left, [], 'files that belong to no load');
}
