import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAbsent, stagedFileGone } from './errors';
import { syncFolder } from './local-files';
import type { ClosedFile, StagedFile } from './storage';

type Guard = <Result>(action: string, body: () => Promise<Result>) => Promise<Result>;

/** A file of the lake: `path` within it, and where it is written and will lie, both absolute. */
export interface StagedPlace {
  readonly path: string;
  /** On the target's file system. */
  readonly staging: string;
  readonly target: string;
}

/**
 * Writes a file at its staging place, or takes over what lies there already. `relativeStaging` is
 * that place as the receipt names it.
 */
export function stagedFile(
  { path, staging }: StagedPlace,
  relativeStaging: string,
  guarded: Guard,
): StagedFile {
  let handle: FileHandle | undefined;

  const closeHandle = async () => {
    const closing = handle;
    handle = undefined;
    await closing?.close();
  };

  return {
    path,
    write: (bytes) =>
      guarded(`write ${path}`, async () => {
        handle ??= await open(staging, 'w');
        await handle.writeFile(bytes);
      }),
    close: () =>
      guarded(`write ${path}`, async () => {
        handle ??= await open(staging, 'r+');
        await handle.sync();
        await closeHandle();
        return { staging: relativeStaging };
      }),
    discard: () =>
      guarded(`remove the staged ${path}`, async () => {
        await closeHandle();
        await rm(staging, { force: true });
      }),
  };
}

/** A whole file at its staging place, which a rename puts where it belongs. */
export function closedFile({ path, staging, target }: StagedPlace, guarded: Guard): ClosedFile {
  let committed = false;
  return {
    path,
    commit: () =>
      guarded(`place ${path}`, async () => {
        if (committed) return;
        await mkdir(dirname(target), { recursive: true });
        await rename(staging, target).catch((error: unknown) => {
          throw isAbsent(error) ? stagedFileGone(path) : error;
        });
        await syncFolder(dirname(target));
        await syncFolder(dirname(dirname(target)));
        committed = true;
      }),
    discard: () => guarded(`remove the staged ${path}`, () => rm(staging, { force: true })),
  };
}
