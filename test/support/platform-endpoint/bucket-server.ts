import { readFile } from 'node:fs/promises';
import { Storage } from '@google-cloud/storage';
import type { BookOptions } from './job-book';

/** Puts the output of jobs into the buckets of a storage server, which are made where they are missing. */
export function copyToServer(endpoint: string): NonNullable<BookOptions['copyOutput']> {
  const storage = new Storage({ apiEndpoint: endpoint, projectId: 'local' });
  return async (url, file) => {
    const [, bucketName = '', name = ''] = /^gs:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
    const bucket = storage.bucket(bucketName);
    const [exists] = await bucket.exists();
    if (!exists) await bucket.create();
    await bucket.file(name).save(await readFile(file), { resumable: false });
  };
}
