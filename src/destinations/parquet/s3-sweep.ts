import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { entityFolder, isPartOf, runOfPath } from './layout';
import type { S3Access } from './s3-access';
import { abortUpload } from './s3-upload';
import type { StagingScope } from './storage';

/**
 * Aborts the uploads begun under a table's folder, or of these one run's. S3 charges for their parts
 * and shows them nowhere else.
 */
export async function sweepUploads(
  access: S3Access,
  domain: string,
  entity: string,
  run?: string,
): Promise<void> {
  for await (const { Key, UploadId } of uploads(access, entityFolder(domain, entity))) {
    if (Key === undefined || UploadId === undefined) continue;
    if (run !== undefined && runOfPath(Key)?.run !== run) continue;
    await abortUpload(access, Key, UploadId);
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
