import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Connection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { checkStore } from './check-store';
import { isConflict, isMissing } from './errors';
import { copyName, localWorkspace, uploadFile } from './local-workspace';
import { createS3Access, type S3Access } from './s3-access';
import { copiedObject, holdsObject } from './s3-copy';
import { closedUpload, holdsUpload, stagedUpload } from './s3-upload';
import { abortUploads, sweepUploads } from './s3-sweep';
import { sweepStaged } from './staged-objects';
import type { ObjectStore } from './storage';

/** A lake in a bucket of S3, or of a store that speaks its protocol with conditional writes. */
export function createS3Store(connection: S3Connection, secrets: SecretStore): ObjectStore {
  const access = createS3Access(connection, secrets);
  const { description } = access;
  const local = localWorkspace(`${connection.endpoint}\n${description}`);

  const store: ObjectStore = {
    description,
    address: (path) => `${description}/${path}`,
    uri: (path) => `${description}/${path}`,
    get: (path) => getObject(access, path),
    put: (path, body) =>
      access.attempt(`write ${path}`, async () => {
        await access.client.send(
          new PutObjectCommand({
            Bucket: access.bucket,
            Key: access.key(path),
            Body: body,
            ...access.encryption,
          }),
        );
      }),
    replace: (path, body, expected) => replaceObject(access, path, body, expected),
    open: (path) => openObject(access, path),
    list: (folder) => listObjects(access, folder),
    async delete(paths) {
      for (const path of paths) {
        await access.attempt(`delete ${path}`, async () => {
          const input = { Bucket: access.bucket, Key: access.key(path) };
          await access.client.send(new DeleteObjectCommand(input));
        });
      }
    },

    stage: (_scope, path) => Promise.resolve(stagedUpload(access, path)),
    adopt: (_scope, path, localFile) => uploadFile(stagedUpload(access, path), localFile),
    resume(path, receipt) {
      return 'uploadId' in receipt
        ? closedUpload(access, path, receipt)
        : copiedObject(access, receipt.staging, path);
    },
    holds: (path, bytes, receipt) =>
      'uploadId' in receipt
        ? holdsUpload(access, path, receipt)
        : holdsObject(access, receipt.staging, bytes),
    async discard(scope, folder) {
      await abortUploads(access, folder, scope);
      await local.clear(scope);
    },
    workspace: local.workspace,
    clear: local.clear,
    localCopy: (path, workspace) => download(access, path, workspace),
    async sweep(domain, entity, run) {
      await sweepUploads(access, domain, entity, run);
      await sweepStaged(store, domain, entity, run);
      await local.sweep(domain, entity, run);
    },
    check: () => checkStore(store),
    close: () => Promise.resolve(access.client.destroy()),
  };
  return store;
}

async function getObject({ client, bucket, key, attempt }: S3Access, path: string) {
  return attempt(`read ${path}`, async () => {
    try {
      const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key(path) }));
      const body = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
      return { body, version: found.ETag ?? '' };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}

/**
 * A conditional PUT (S3 user guide, "How to prevent object overwrites with conditional writes").
 * The SDK repeats a request whose answer was lost, and then finds its own object in the way: so a
 * refusal counts only when something else lies there.
 */
async function replaceObject(
  access: S3Access,
  path: string,
  body: Buffer,
  expected: string | undefined,
): Promise<boolean> {
  const { client, bucket, key, attempt, encryption } = access;
  const condition = expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected };
  const written = await attempt(`replace ${path}`, async () => {
    try {
      const input = { Bucket: bucket, Key: key(path), Body: body, ...condition, ...encryption };
      await client.send(new PutObjectCommand(input));
      return true;
    } catch (error) {
      if (isConflict(error) || (expected !== undefined && isMissing(error))) return false;
      throw error;
    }
  });
  if (written) return true;
  const present = await getObject(access, path);
  return present !== undefined && present.version !== expected && present.body.equals(body);
}

async function openObject({ client, bucket, key, attempt }: S3Access, path: string) {
  const input = { Bucket: bucket, Key: key(path) };
  const head = await attempt(`read ${path}`, () => client.send(new HeadObjectCommand(input)));
  return {
    bytes: head.ContentLength ?? 0,
    read: (offset: number, length: number) =>
      attempt(`read ${path}`, async () => {
        const Range = `bytes=${offset}-${offset + length - 1}`;
        const part = await client.send(new GetObjectCommand({ ...input, Range }));
        return Buffer.from((await part.Body?.transformToByteArray()) ?? []);
      }),
    close: () => Promise.resolve(),
  };
}

async function* listObjects({ client, bucket, key, path, attempt }: S3Access, folder: string) {
  let token: string | undefined;
  do {
    const page = await attempt(`list ${folder}`, () =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: key(folder === '' ? '' : `${folder}/`),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined || Key.endsWith('/')) continue;
      yield { path: path(Key), bytes: Size ?? 0, modified: LastModified ?? new Date(0) };
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/** Into a file of the workspace. */
async function download(
  { client, bucket, key, attempt }: S3Access,
  path: string,
  workspace: string,
): Promise<string> {
  const file = copyName(path, workspace);
  await attempt(`read ${path}`, async () => {
    const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key(path) }));
    await pipeline(found.Body as Readable, createWriteStream(file));
  });
  return file;
}
