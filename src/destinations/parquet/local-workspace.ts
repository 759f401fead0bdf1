import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { fileError } from './errors';
import { attemptFolder, removeAttempts } from './folders';
import type { ObjectStore, StagedFile, StagingScope } from './storage';

/** The local folders of a lake that is not local itself. */
export interface LocalWorkspace extends Pick<ObjectStore, 'workspace' | 'clear'> {
  /** Removes what processes that died left of a table, or of one run of it. */
  sweep(domain: string, entity: string, run?: string): Promise<void>;
}

/** @param lake names the lake for good: the same folders in every process, so that what a killed one
 *   left is found and removed. */
export function localWorkspace(lake: string): LocalWorkspace {
  const digest = createHash('sha256').update(lake).digest('hex').slice(0, 16);
  const local = join(tmpdir(), `comporta-${userInfo().uid}`, digest);
  const folderOf = (scope: StagingScope) => join(local, attemptFolder(scope));
  return {
    workspace: (scope) =>
      locally('make a local workspace', async () => {
        const folder = folderOf(scope);
        await rm(folder, { recursive: true, force: true });
        // Copies of tables: for this user's eyes only.
        await mkdir(folder, { recursive: true, mode: 0o700 });
        return folder;
      }),
    clear: (scope) =>
      locally('clear a local workspace', () =>
        rm(folderOf(scope), { recursive: true, force: true }),
      ),
    sweep: (domain, entity, run) =>
      locally('remove dead workspaces', () => removeAttempts(join(local, domain, entity), run)),
  };
}

async function locally<Result>(action: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw fileError(error, action);
  }
}

/** Where the copy of a path lies; different paths of a table have different names there. */
export function copyName(path: string, workspace: string): string {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(workspace, `${digest}-${basename(path)}`);
}

/** Writes the whole content of a local file. */
export async function uploadFile(staged: StagedFile, localFile: string): Promise<StagedFile> {
  try {
    const chunks = createReadStream(localFile, { highWaterMark: 1024 * 1024 });
    for await (const chunk of chunks) await staged.write(chunk as Buffer);
    return staged;
  } catch (error) {
    await staged.discard();
    throw fileError(error, `upload ${staged.path}`);
  }
}
