import { CopyObjectCommand, DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { isMissing, stagedFileGone } from './errors';
import type { S3Access } from './s3-access';
import type { ClosedFile } from './storage';

/**
 * A file that another program left whole at its staging place, in the same bucket: S3 itself copies it
 * to where it belongs. One copy takes up to 5 GiB, and the lake's files have one.
 */
export function copiedObject(access: S3Access, staging: string, path: string): ClosedFile {
  const { client, bucket, key, attempt } = access;
  let committed = false;
  return {
    path,
    async commit() {
      if (committed) return;
      const CopySource = `${bucket}/${key(staging).split('/').map(encodeURIComponent).join('/')}`;
      await attempt(`place ${path}`, () =>
        client
          .send(new CopyObjectCommand({ Bucket: bucket, Key: key(path), CopySource }))
          .catch((error: unknown) => {
            throw isMissing(error) ? stagedFileGone(path) : error;
          }),
      );
      committed = true;
    },
    discard: () =>
      attempt(`remove the staged ${path}`, async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key(staging) }));
      }),
  };
}

/** Whether the staged file is there with so many bytes. */
export async function holdsObject(
  { client, bucket, key, attempt }: S3Access,
  staging: string,
  bytes: number,
): Promise<boolean> {
  return attempt(`look for the staged ${staging}`, async () => {
    try {
      const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key(staging) }));
      return found.ContentLength === bytes;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  });
}
