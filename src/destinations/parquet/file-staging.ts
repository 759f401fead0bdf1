import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAbsent } from './errors';
import type { StagedFile } from './storage';

type Guard = <Result>(action: string, body: () => Promise<Result>) => Promise<Result>;

/**
 * A file that is written (or already lies) at `staging` and is renamed to `target` on commit.
 * Both are absolute and on one file system.
 */
export function stagedFile(
  path: string,
  staging: string,
  target: string,
  guarded: Guard,
): StagedFile {
  let handle: FileHandle | undefined;
  let state: 'open' | 'closed' | 'committed' | 'discarded' = 'open';

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
        state = 'closed';
      }),
    commit: () =>
      guarded(`place ${path}`, async () => {
        if (state === 'committed') return;
        await mkdir(dirname(target), { recursive: true });
        await rename(staging, target);
        await syncFolder(dirname(target));
        await syncFolder(dirname(dirname(target)));
        state = 'committed';
      }),
    discard: () =>
      guarded(`remove the staged ${path}`, async () => {
        if (state === 'committed' || state === 'discarded') return;
        await closeHandle();
        await rm(staging, { force: true });
        state = 'discarded';
      }),
  };
}

/** Forces a folder's entries to disk: a rename is durable only then. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Somebody emptied and removed it meanwhile.
    if (!isAbsent(error)) throw error;
  }
}
