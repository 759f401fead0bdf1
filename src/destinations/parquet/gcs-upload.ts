import { CRC32C, type Bucket } from '@google-cloud/storage';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { stagedFileGone } from './errors';
import type { GcsAccess } from './gcs-access';
import { isGcsMissing } from './gcs-errors';
import type { ClosedFile, StagedFile } from './storage';

/**
 * A file up to this size is sent with one request, a larger one in pieces of it, each of which the
 * client holds until it has arrived. A multiple of 256 KiB, as Cloud Storage wants.
 */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** The client's streams hold a few of what is given to them at once. */
const PIECE_BYTES = 1024 * 1024;
/** Writes an object whole. The sum goes along, so that one damaged on its way is refused. */
export async function putObject(
  access: GcsAccess,
  bucket: Bucket,
  path: string,
  body: Buffer,
  ifGenerationMatch?: string,
): Promise<void> {
  const crc32c = new CRC32C();
  crc32c.update(body);
  await access.file(bucket, path).save(body, {
    resumable: false,
    validation: false,
    metadata: { crc32c: crc32c.toString() },
    ...(ifGenerationMatch === undefined ? {} : { preconditionOpts: { ifGenerationMatch } }),
  });
}

/**
 * A file on its way to Cloud Storage: an object of its own at `staging`, where no reader looks. Until
 * it is closed there is nothing there. An upload on which nothing happens for `silenceMs` is given up.
 */
export function stagedObject(
  access: GcsAccess,
  path: string,
  staging: string,
  silenceMs: number,
): StagedFile {
  const held: Buffer[] = [];
  let heldBytes = 0;
  let stream: GuardedStream | undefined;
  let closing: Promise<unknown> | undefined;
  const attempt = <Result>(body: (bucket: Bucket) => Promise<Result>) =>
    access.attempt(`write ${path}`, body);

  const begin = async () => {
    const opened = await attempt((bucket) =>
      Promise.resolve(guardedStream(uploadStream(access, bucket, staging), silenceMs)),
    );
    stream = opened;
    for (const piece of held.splice(0)) await attempt(() => opened.write(piece));
    return opened;
  };

  return {
    path,
    async write(bytes) {
      for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
        // A copy: the caller's bytes change when this returns.
        const piece = Buffer.from(bytes.subarray(start, start + PIECE_BYTES));
        heldBytes += piece.length;
        if (stream === undefined && heldBytes <= CHUNK_BYTES) held.push(piece);
        else {
          const target = stream ?? (await begin());
          await attempt(() => target.write(piece));
        }
      }
    },
    async close() {
      const target = stream;
      const ending = attempt(async (bucket) => {
        if (target === undefined) await putObject(access, bucket, staging, Buffer.concat(held));
        else await target.end();
      });
      closing = ending.catch(() => undefined);
      await ending;
      return { staging };
    },
    async discard() {
      stream?.destroy();
      if (closing === undefined) return;
      // What has been sent whole may still become an object.
      await closing;
      await deleteObject(access, staging);
    },
  };
}

function uploadStream(access: GcsAccess, bucket: Bucket, staging: string): Writable {
  return access.file(bucket, staging).createWriteStream({
    resumable: true,
    chunkSize: CHUNK_BYTES,
    validation: 'crc32c',
  });
}

interface GuardedStream {
  write(piece: Buffer): Promise<void>;
  /** Resolves when the object is there. */
  end(): Promise<void>;
  destroy(): void;
}

/**
 * A stream whose every step ends: with its error too, when that meets a write whose own callback never
 * comes, and with one of its own when nothing happens: the client itself waits for ever.
 */
function guardedStream(stream: Writable, silenceMs: number): GuardedStream {
  const failed = once(stream, 'close').then(() => {
    throw stream.errored ?? Object.assign(new Error('the upload was given up'), { code: 'EPIPE' });
  });
  failed.catch(() => undefined);

  const guarded = async (step: Promise<unknown>) => {
    const silence = setTimeout(() => {
      stream.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    }, silenceMs);
    try {
      await Promise.race([step, failed]);
    } finally {
      clearTimeout(silence);
    }
  };
  return {
    write: (piece) =>
      guarded(
        new Promise<void>((resolve, reject) => {
          stream.write(piece, (error) => (error ? reject(error) : resolve()));
        }),
      ),
    end: () => {
      const finished = once(stream, 'finish');
      stream.end();
      return guarded(finished);
    },
    destroy: () => void stream.destroy(),
  };
}

/** A staged object, which is copied to where it belongs: within a bucket no byte is moved for it. */
export function closedObject(access: GcsAccess, path: string, staging: string): ClosedFile {
  let isGone = false;
  const remove = async () => {
    if (!isGone) await deleteObject(access, staging);
    isGone = true;
  };
  return {
    path,
    async commit() {
      if (isGone) return;
      await access.attempt(`place ${path}`, async (bucket) => {
        try {
          await bucket.file(access.name(staging)).copy(access.file(bucket, path));
        } catch (error) {
          throw isGcsMissing(error) ? stagedFileGone(path) : error;
        }
      });
      await remove();
    },
    discard: remove,
  };
}

/** One that is not there is no error. */
export async function deleteObject(access: GcsAccess, path: string): Promise<void> {
  await access.attempt(`delete ${path}`, (bucket) =>
    bucket.file(access.name(path)).delete({ ignoreNotFound: true }),
  );
}
