import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { isUploadGone } from './errors';
import type { S3Access } from './s3-access';
import type { StagedFile } from './storage';

/** S3 takes parts of 5 MiB and more, the last one excepted, and at most 10,000 of them. */
const PART_BYTES = 8 * 1024 * 1024;
const IN_FLIGHT = 2;
/** Of each part, so that S3 refuses one that was damaged on its way. */
const ChecksumAlgorithm = 'CRC32' as const;

/**
 * A file on its way to S3. What fits into one part stays in memory and is put on commit; a larger
 * one is a multipart upload that commit completes. Until then S3 shows nothing of it.
 */
export function stagedUpload(access: S3Access, path: string): StagedFile {
  const { client, bucket } = access;
  const key = access.key(path);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let uploadId: string | undefined;
  let nextPart = 1;
  let state: 'open' | 'committed' | 'discarded' = 'open';
  const parts: CompletedPart[] = [];
  const inFlight = new Set<Promise<void>>();
  const failed: unknown[] = [];

  const attempt = <Result>(body: () => Promise<Result>) => access.attempt(`write ${path}`, body);

  const uploadPart = async (id: string, number: number, body: Buffer) => {
    const input = {
      Bucket: bucket,
      Key: key,
      UploadId: id,
      PartNumber: number,
      Body: body,
      ChecksumAlgorithm,
    };
    const { ETag, ChecksumCRC32 } = await attempt(() => client.send(new UploadPartCommand(input)));
    parts.push({ PartNumber: number, ETag, ChecksumCRC32 });
  };

  /** Waits until fewer than `limit` parts are on their way; a failed one is thrown here. */
  const waitForFewer = async (limit: number) => {
    while (inFlight.size >= limit && inFlight.size > 0) await Promise.race(inFlight);
    if (failed.length > 0) throw failed[0];
  };

  const begin = async () => {
    const input = { Bucket: bucket, Key: key, ChecksumAlgorithm };
    const { UploadId } = await attempt(() => client.send(new CreateMultipartUploadCommand(input)));
    return UploadId ?? '';
  };

  const startPart = async (body: Buffer) => {
    const id = (uploadId ??= await begin());
    await waitForFewer(IN_FLIGHT);
    const upload: Promise<void> = uploadPart(id, nextPart++, body)
      .catch((error: unknown) => void failed.push(error))
      .finally(() => inFlight.delete(upload));
    inFlight.add(upload);
  };

  const takePending = () => {
    const body = Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    return body;
  };

  const putWhole = async () => {
    const input = { Bucket: bucket, Key: key, Body: Buffer.concat(pending) };
    await attempt(() => client.send(new PutObjectCommand(input)));
  };

  const complete = async (id: string) => {
    const Parts = parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const input = { Bucket: bucket, Key: key, UploadId: id, MultipartUpload: { Parts } };
    await attempt(() =>
      client.send(new CompleteMultipartUploadCommand(input)).catch((error: unknown) => {
        // The SDK repeats a request whose answer was lost; whether the file is there and whole is
        // verified when all are placed.
        if (!isUploadGone(error)) throw error;
      }),
    );
  };

  return {
    path,
    async write(bytes) {
      for (let start = 0; start < bytes.length;) {
        // A full part leaves only when more follows: what fits into one part needs no upload.
        if (pendingBytes === PART_BYTES) await startPart(takePending());
        const piece = bytes.subarray(start, start + PART_BYTES - pendingBytes);
        pending.push(piece);
        pendingBytes += piece.length;
        start += piece.length;
      }
    },
    async close() {
      if (uploadId !== undefined && pendingBytes > 0) await startPart(takePending());
      await waitForFewer(1);
    },
    async commit() {
      if (state === 'committed') return;
      if (uploadId === undefined) await putWhole();
      else await complete(uploadId);
      state = 'committed';
      pending = [];
    },
    async discard() {
      if (state !== 'open') return;
      pending = [];
      pendingBytes = 0;
      await Promise.allSettled(inFlight);
      if (uploadId !== undefined) await abortUpload(access, key, uploadId);
      state = 'discarded';
    },
  };
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
