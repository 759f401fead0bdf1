import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ComportaError } from '../../errors';
import { checkStore } from './check-store';
import { fileError, stagedFileGone } from './errors';
import { withFileLock } from './file-lock';
import { closedFile, stagedFile } from './file-staging';
import {
  attemptFolder,
  listFiles,
  removeEmptyFolders,
  removeFolder,
  removeAttempts,
  removeOldFiles,
  sizeOf,
} from './folders';
import { STAGING } from './layout';
import { readVersioned, writeAtomically } from './local-files';
import type { ClosableReader, ObjectStore, StagedFile, StagingScope } from './storage';

/** A document is written in milliseconds: one that takes so long is of a process that died in it. */
const DEAD_AFTER_MS = 60_000;

/**
 * A lake in a folder of a local file system. What is written is forced to disk before it becomes
 * visible, and becomes visible by a rename. `root` is absolute.
 */
export function createFileStore(root: string): ObjectStore {
  if (/[*?[\]{}]/.test(root)) {
    throw new ComportaError('ConfigurationInvalid', `the lake's folder ${root} is a pattern`, {
      remedy: 'choose a path without * ? [ ] { }, which query engines expand',
    });
  }
  const description = `file:${root}`;
  const unfinished = join(root, STAGING, '_documents');
  const absolute = (path: string) => join(root, path);
  const guarded = async <Result>(action: string, body: () => Promise<Result>): Promise<Result> => {
    try {
      return await body();
    } catch (error) {
      throw fileError(error, `${action} in ${description}`);
    }
  };
  const scopeFolder = (scope: StagingScope) => join(root, STAGING, attemptFolder(scope));
  const begin = (path: string, staging: string): StagedFile =>
    stagedFile({ path, staging, target: absolute(path) }, relative(root, staging), guarded);
  const clear = (scope: StagingScope) =>
    guarded('clear a staging folder', () => removeFolder(scopeFolder(scope)));

  const store: ObjectStore = {
    description,
    address: absolute,
    uri: (path) => `file://${absolute(path)}`,
    get: (path) => guarded(`read ${path}`, () => readVersioned(absolute(path))),
    put: (path, body) =>
      guarded(`write ${path}`, () => writeAtomically(absolute(path), body, unfinished)),
    replace: (path, body, expected) =>
      guarded(`replace ${path}`, () =>
        withFileLock(root, path, async () => {
          const present = await readVersioned(absolute(path));
          if (present?.version !== expected) return false;
          await writeAtomically(absolute(path), body, unfinished);
          return true;
        }),
      ),
    open: (path) => guarded(`read ${path}`, () => openReader(absolute(path))),
    async *list(folder) {
      yield* await guarded(`list ${folder}`, () => listFiles(root, absolute(folder)));
    },
    delete: (paths) =>
      guarded('delete files', async () => {
        for (const path of paths) await rm(absolute(path), { force: true });
        for (const folder of new Set(paths.map(dirname))) await removeEmptyFolders(root, folder);
      }),

    stage: (scope, path) =>
      guarded(`stage ${path}`, async () => {
        const staging = join(scopeFolder(scope), path.slice(path.lastIndexOf('/') + 1));
        await mkdir(dirname(staging), { recursive: true });
        return begin(path, staging);
      }),
    adopt: (_scope, path, localFile) =>
      guarded(`stage ${path}`, () => Promise.resolve(begin(path, localFile))),
    resume(path, receipt) {
      if (!('staging' in receipt)) throw stagedFileGone(path);
      const place = { path, staging: absolute(receipt.staging), target: absolute(path) };
      return closedFile(place, guarded);
    },
    holds: (path, bytes, receipt) =>
      guarded(`look for the staged ${path}`, async () => {
        if (!('staging' in receipt)) return false;
        return (await sizeOf(absolute(receipt.staging))) === bytes;
      }),
    discard: clear,
    workspace: (scope) =>
      guarded('make a workspace', async () => {
        const folder = join(scopeFolder(scope), 'workspace');
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        return folder;
      }),
    clear,
    localCopy: (path) => Promise.resolve(absolute(path)),
    sweep: (domain, entity, run) =>
      guarded('remove what dead attempts staged', async () => {
        await removeAttempts(join(root, STAGING, domain, entity), run);
        await removeOldFiles(unfinished, DEAD_AFTER_MS);
      }),
    check: () => checkStore(store),
    close: () => Promise.resolve(),
  };
  return store;
}

async function openReader(file: string): Promise<ClosableReader> {
  const handle = await open(file, 'r');
  const { size } = await handle.stat();
  return {
    bytes: size,
    read: async (offset, length) => {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await handle.read(buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}
