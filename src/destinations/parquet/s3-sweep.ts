import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { entityFolder, isPartOf, runOfPath } from './layout';
import type { S3Access } from './s3-access';
import { abortUpload } from './s3-upload';
import type { Leftover, StagingScope } from './storage';

/**
 * Aborts uploads that dead attempts began under a table's folder. S3 charges for their parts and
 * shows them nowhere else.
 */
export async function sweepUploads(
  access: S3Access,
  domain: string,
  entity: string,
  isDead: (leftover: Leftover) => boolean,
): Promise<void> {
  for await (const { Key, UploadId, Initiated } of uploads(access, entityFolder(domain, entity))) {
    const run = Key === undefined ? undefined : runOfPath(Key)?.run;
    if (Key === undefined || UploadId === undefined || run === undefined) continue;
    const modified = Initiated ?? new Date();
    if (isDead({ run, modified })) await abortUpload(access, Key, UploadId);
  }
}

/** Aborts the uploads that one attempt, or one chunk of it, began in its run's folder. */
export async function abortUploads(
  access: S3Access,
  folder: string,
  scope: Pick<StagingScope, 'attempt' | 'chunk'>,
): Promise<void> {
  for await (const { Key, UploadId } of uploads(access, folder)) {
    if (Key === undefined || UploadId === undefined) continue;
    if (isPartOf(Key, scope)) await abortUpload(access, Key, UploadId);
  }
}

async function* uploads(
  { client, bucket, key, attempt }: S3Access,
  folder: string,
): AsyncGenerator<MultipartUpload> {
  const input: ListMultipartUploadsCommandInput = { Bucket: bucket, Prefix: key(`${folder}/`) };
  for (;;) {
    const page = await attempt(`list the uploads of ${folder}`, () =>
      client.send(new ListMultipartUploadsCommand({ ...input })),
    );
    yield* page.Uploads ?? [];
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    input.KeyMarker = page.NextKeyMarker;
    input.UploadIdMarker = page.NextUploadIdMarker;
  }
}
