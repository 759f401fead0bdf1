import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { ComportaError } from '../../errors';
import { isUploadGone } from './errors';
import { PartBuffers } from './part-buffers';
import type { S3Access } from './s3-access';
import type { ClosedFile, StagedFile, StagingReceipt, UploadedPart } from './storage';

/** S3 takes parts of 5 MiB and more, the last one excepted, and at most 10,000 of them. */
const PART_BYTES = 5 * 1024 * 1024;
const IN_FLIGHT = 2;
/** Of each part, so that S3 refuses one that was damaged on its way. */
const ChecksumAlgorithm = 'CRC32' as const;

/**
 * A file on its way to S3: a multipart upload, of one part for a small file too, so that whoever
 * knows its receipt can complete it and nothing of it is left in this process. Until it is
 * completed S3 shows nothing of it.
 */
export function stagedUpload(access: S3Access, path: string): StagedFile {
  const { client, bucket } = access;
  const key = access.key(path);
  const buffers = new PartBuffers(PART_BYTES);
  let uploadId: string | undefined;
  let nextPart = 1;
  const parts: UploadedPart[] = [];
  const inFlight = new Set<Promise<void>>();
  const failed: unknown[] = [];

  const attempt = <Result>(body: () => Promise<Result>) => access.attempt(`write ${path}`, body);

  const begin = async () => {
    const input = { Bucket: bucket, Key: key, ChecksumAlgorithm, ...access.encryption };
    const { UploadId } = await attempt(() => client.send(new CreateMultipartUploadCommand(input)));
    return UploadId ?? '';
  };

  const uploadPart = async (id: string, number: number, body: Buffer) => {
    const input = {
      Bucket: bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      Body: body,
      ChecksumAlgorithm,
    };
    const sent = await attempt(() => client.send(new UploadPartCommand(input)));
    parts.push({ number, etag: sent.ETag ?? '', crc32: sent.ChecksumCRC32 ?? '' });
  };

  /** Waits until fewer than `limit` parts are on their way; a failed one is thrown here. */
  const waitForFewer = async (limit: number) => {
    while (inFlight.size >= limit && inFlight.size > 0) await Promise.race(inFlight);
    if (failed.length > 0) throw failed[0];
  };

  const startPart = async () => {
    const id = (uploadId ??= await begin());
    await waitForFewer(IN_FLIGHT);
    const body = buffers.take();
    const upload: Promise<void> = uploadPart(id, nextPart++, body)
      .catch((error: unknown) => void failed.push(error))
      .finally(() => {
        inFlight.delete(upload);
        buffers.giveBack(body);
      });
    inFlight.add(upload);
    return id;
  };

  return {
    path,
    async write(bytes) {
      for (let start = 0; start < bytes.length;) {
        start += buffers.fill(bytes, start);
        if (buffers.isFull) await startPart();
      }
    },
    async close() {
      // The SDK sends no part without a byte; a Parquet file has some.
      const id = buffers.isEmpty && uploadId !== undefined ? uploadId : await startPart();
      await waitForFewer(1);
      return { uploadId: id, parts: parts.toSorted((a, b) => a.number - b.number) };
    },
    async discard() {
      await Promise.allSettled(inFlight);
      if (uploadId !== undefined) await abortUpload(access, key, uploadId);
      uploadId = undefined;
    },
  };
}

/** An upload that S3 has all parts of, as its receipt names them. */
export function closedUpload(
  access: S3Access,
  path: string,
  { uploadId, parts }: { readonly uploadId: string; readonly parts: readonly UploadedPart[] },
): ClosedFile {
  const { client, bucket } = access;
  const key = access.key(path);
  let committed = false;
  return {
    path,
    async commit() {
      if (committed) return;
      const Parts = parts.map(({ number, etag, crc32 }) => ({
        PartNumber: number,
        ETag: etag,
        ...(crc32 === '' ? {} : { ChecksumCRC32: crc32 }),
      }));
      const input = { Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts } };
      await access.attempt(`place ${path}`, () =>
        client.send(new CompleteMultipartUploadCommand(input)).catch((error: unknown) => {
          // The SDK repeats a request whose answer was lost; whether the file is there and whole is
          // verified when all are placed.
          if (!isUploadGone(error)) throw error;
        }),
      );
      committed = true;
    },
    async discard() {
      if (!committed) await abortUpload(access, key, uploadId);
    },
  };
}

/** Whether S3 still has an upload with all the parts that its receipt names. */
export async function holdsUpload(
  access: S3Access,
  path: string,
  receipt: StagingReceipt,
): Promise<boolean> {
  if (!('uploadId' in receipt)) return false;
  const [Bucket, Key, UploadId] = [access.bucket, access.key(path), receipt.uploadId];
  const list = async () => {
    const etags = new Set<string | undefined>();
    let PartNumberMarker: string | undefined;
    do {
      const input = { Bucket, Key, UploadId, PartNumberMarker };
      const page = await access.client.send(new ListPartsCommand(input));
      for (const { ETag } of page.Parts ?? []) etags.add(ETag);
      PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (PartNumberMarker !== undefined);
    return receipt.parts.every(({ etag }) => etags.has(etag));
  };
  try {
    return await access.attempt(`list the parts of ${path}`, () =>
      list().catch((error: unknown) => {
        if (isUploadGone(error)) return false;
        throw error;
      }),
    );
  } catch (error) {
    // Who may not look is as well off with writing it again.
    if (error instanceof ComportaError && error.code === 'PermissionDenied') return false;
    throw error;
  }
}

/** An upload that is already gone is no error. */
export async function abortUpload(access: S3Access, key: string, uploadId: string): Promise<void> {
  const input = { Bucket: access.bucket, Key: key, UploadId: uploadId };
  await access.attempt(`abort the upload of ${key}`, () =>
    access.client.send(new AbortMultipartUploadCommand(input)).catch((error: unknown) => {
      if (!isUploadGone(error)) throw error;
    }),
  );
}
