import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JobStore } from '../../../src/engines/jobs/job-store';

/** The storage that the endpoint's jobs see, where a folder stands for each bucket. */
export function bucketStore(buckets: string, scheme: 'gs' | 's3'): JobStore {
  return {
    async upload(file) {
      const hash = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      const key = `scripts/${hash}/${basename(file)}`;
      await mkdir(join(buckets, dirname(key)), { recursive: true });
      await copyFile(file, join(buckets, key));
      return `${scheme}://${key}`;
    },
    async tail(url) {
      const path = join(buckets, url.slice(`${scheme}://`.length));
      const parts = await readdir(dirname(path)).catch(() => []);
      const last = parts
        .filter((part) => part.startsWith(`${basename(path)}.`))
        .toSorted()
        .at(-1);
      return last === undefined ? undefined : readFile(join(dirname(path), last), 'utf8');
    },
  };
}
