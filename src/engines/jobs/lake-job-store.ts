import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ObjectStore } from '../../destinations/parquet/storage';
import type { JobStore } from './job-store';

/** Where the scripts of jobs lie in a lake. */
const FOLDER = '_jobs';

/** More than the lines that are shown of it. */
const TAIL_BYTES = 8_192;

export interface LakeJobStoreOptions {
  /** The lake's own store. */
  readonly lake: ObjectStore;
  /** A store of the same platform whose root is this folder: `gs://bucket/some/folder`. */
  readonly openFolder: (url: string) => ObjectStore;
}

/** Keeps scripts in the lake, where its jobs can read in any case. */
export function createLakeJobStore({ lake, openFolder }: LakeJobStoreOptions): JobStore {
  return {
    async upload(file) {
      const content = await readFile(file);
      const hash = createHash('sha256').update(content).digest('hex');
      const path = `${FOLDER}/${hash.slice(0, 16)}/${basename(file)}`;
      const known = await lake.get(path);
      if (known?.body.equals(content) !== true) await lake.put(path, content);
      return lake.uri(path);
    },
    async tail(url) {
      const cut = url.lastIndexOf('/');
      const name = url.slice(cut + 1);
      const folder = openFolder(url.slice(0, cut));
      try {
        let last: string | undefined;
        let size = 0;
        for await (const { path, bytes } of folder.list('')) {
          if (!path.startsWith(`${name}.`) || (last !== undefined && path < last)) continue;
          [last, size] = [path, bytes];
        }
        return last === undefined ? undefined : await endOf(folder, last, size);
      } finally {
        await folder.close();
      }
    },
  };
}

async function endOf(folder: ObjectStore, path: string, size: number): Promise<string> {
  const reader = await folder.open(path);
  try {
    const length = Math.min(size, TAIL_BYTES);
    const bytes = await reader.read(size - length, length);
    return Buffer.from(bytes).toString('utf8');
  } finally {
    await reader.close();
  }
}
