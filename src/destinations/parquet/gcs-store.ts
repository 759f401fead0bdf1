import { createWriteStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { GcsConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { checkStore } from './check-store';
import { stagedFileGone } from './errors';
import { attemptFolder } from './folders';
import { createGcsAccess, type GcsAccess } from './gcs-access';
import { isGcsConflict, isGcsMissing } from './gcs-errors';
import { closedObject, deleteObject, putObject, stagedObject } from './gcs-upload';
import { STAGING } from './layout';
import { copyName, localWorkspace, uploadFile } from './local-workspace';
import { discardStaged, sweepStaged } from './staged-objects';
import type { ObjectStore, StagingScope, VersionedObject } from './storage';

/** Longer than the client repeats one request. */
const SILENCE_MS = 180_000;

export interface GcsStoreOptions {
  /** For how long nothing may happen on the upload of a large file. Default: 3 minutes. */
  readonly silenceMs?: number;
}

/** A lake in a bucket of Google Cloud Storage. An object's version is its generation. */
export function createGcsStore(
  connection: GcsConnection,
  secrets: SecretStore,
  { silenceMs = SILENCE_MS }: GcsStoreOptions = {},
): ObjectStore {
  const access = createGcsAccess(connection, secrets);
  const { description } = access;
  const local = localWorkspace(`${connection.endpoint}\n${description}`);
  const stage = (scope: StagingScope, path: string) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return stagedObject(access, path, `${STAGING}/${attemptFolder(scope)}/${name}`, silenceMs);
  };

  const store: ObjectStore = {
    description,
    address: (path) => `${description}/${path}`,
    uri: (path) => `${description}/${path}`,
    get: (path) => getObject(access, path),
    put: (path, body) =>
      access.attempt(`write ${path}`, (bucket) => putObject(access, bucket, path, body)),
    replace: (path, body, expected) => replaceObject(access, path, body, expected),
    open: (path) => openObject(access, path),
    list: (folder) => listObjects(access, folder),
    async delete(paths) {
      for (const path of paths) await deleteObject(access, path);
    },

    stage: (scope, path) => Promise.resolve(stage(scope, path)),
    adopt: (scope, path, localFile) => uploadFile(stage(scope, path), localFile),
    resume(path, receipt) {
      if (!('staging' in receipt)) throw stagedFileGone(path);
      return closedObject(access, path, receipt.staging);
    },
    async holds(_path, bytes, receipt) {
      return 'staging' in receipt && (await sizeOf(access, receipt.staging)) === bytes;
    },
    async discard(scope) {
      await discardStaged(store, scope);
      await local.clear(scope);
    },
    workspace: local.workspace,
    clear: local.clear,
    localCopy: (path, workspace) => download(access, path, workspace),
    async sweep(domain, entity, run) {
      await sweepStaged(store, domain, entity, run);
      await local.sweep(domain, entity, run);
    },
    check: () => checkStore(store),
    // Its connections are those of Node's own agent, which keep no process alive.
    close: () => Promise.resolve(),
  };
  return store;
}

async function getObject(access: GcsAccess, path: string): Promise<VersionedObject | undefined> {
  return access.attempt(`read ${path}`, async (bucket) => {
    const stream = access.file(bucket, path).createReadStream({ decompress: false });
    let version = '';
    stream.once('response', (response: { headers: Record<string, string> }) => {
      version = response.headers['x-goog-generation'] ?? '';
    });
    try {
      return { body: await buffer(stream), version };
    } catch (error) {
      if (isGcsMissing(error)) return undefined;
      throw error;
    }
  });
}

/**
 * A write on the condition of a generation, where 0 stands for none
 * (https://cloud.google.com/storage/docs/request-preconditions). The client repeats a request whose
 * answer was lost, and then finds its own object in the way: so a refusal counts only when something
 * else lies there.
 */
async function replaceObject(
  access: GcsAccess,
  path: string,
  body: Buffer,
  expected = '0',
): Promise<boolean> {
  const written = await access.attempt(`replace ${path}`, async (bucket) => {
    try {
      await putObject(access, bucket, path, body, expected);
      return true;
    } catch (error) {
      if (isGcsConflict(error)) return false;
      throw error;
    }
  });
  if (written) return true;
  const present = await getObject(access, path);
  return present !== undefined && present.version !== expected && present.body.equals(body);
}

/** Undefined when absent. */
async function sizeOf(access: GcsAccess, path: string): Promise<number | undefined> {
  return access.attempt(`look for ${path}`, async (bucket) => {
    try {
      const [metadata] = await access.file(bucket, path).getMetadata();
      return Number(metadata.size ?? 0);
    } catch (error) {
      if (isGcsMissing(error)) return undefined;
      throw error;
    }
  });
}

async function openObject(access: GcsAccess, path: string) {
  const bytes = await access.attempt(`read ${path}`, async (bucket) => {
    const [metadata] = await access.file(bucket, path).getMetadata();
    return Number(metadata.size ?? 0);
  });
  return {
    bytes,
    read: (offset: number, length: number) =>
      access.attempt(`read ${path}`, async (bucket) => {
        const range = { start: offset, end: offset + length - 1, decompress: false };
        const [body] = await access.file(bucket, path).download(range);
        return body;
      }),
    close: () => Promise.resolve(),
  };
}

/** What a listing that asks for these fields alone gives: plain data, not the client's own objects. */
interface Listed {
  readonly name: string;
  readonly size?: string;
  readonly updated?: string;
}

async function* listObjects(access: GcsAccess, folder: string) {
  const [listed] = await access.attempt(`list ${folder}`, (bucket) =>
    bucket.getFiles({
      prefix: access.name(folder === '' ? '' : `${folder}/`),
      fields: 'items(name,size,updated),nextPageToken',
    }),
  );
  for (const { name, size, updated } of listed as readonly Listed[]) {
    if (name.endsWith('/')) continue;
    const modified = new Date(updated ?? 0);
    yield { path: access.path(name), bytes: Number(size ?? 0), modified };
  }
}

/** Into a file of the workspace. */
async function download(access: GcsAccess, path: string, workspace: string): Promise<string> {
  const file = copyName(path, workspace);
  await access.attempt(`read ${path}`, (bucket) =>
    pipeline(
      access.file(bucket, path).createReadStream({ decompress: false }),
      createWriteStream(file),
    ),
  );
  return file;
}
