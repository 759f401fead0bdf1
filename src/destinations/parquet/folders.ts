import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { isAbsent } from './errors';
import type { StagingScope, StoredObject } from './storage';

/** Local folders, as the stores use them for a lake on disk and for staging. */

/** Every file under a folder, hidden ones excepted, with its path relative to `root`. */
export async function listFiles(root: string, folder: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for (const entry of await entriesOf(folder)) {
    const file = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await listFiles(root, file)));
    else if (entry.isFile() && !entry.name.startsWith('.')) {
      const status = await unlessAbsent(stat(file));
      if (status === undefined) continue;
      const path = relative(root, file).split(sep).join('/');
      found.push({ path, bytes: status.size, modified: status.mtime });
    }
  }
  return found;
}

/** Removes a folder and those above it as long as they are empty; those directly in `root` stay. */
export async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let path = folder; path.includes('/'); path = dirname(path)) {
    try {
      await rmdir(join(root, path));
    } catch {
      return;
    }
  }
}

/** Removes a folder with all that is in it; one that is not there is no error. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    // Mostly empty, and then one call does it.
    await rmdir(folder);
  } catch (error) {
    if (!isAbsent(error)) await rm(folder, { recursive: true, force: true });
  }
}

/** Undefined when absent. */
export async function sizeOf(file: string): Promise<number | undefined> {
  return (await unlessAbsent(stat(file)))?.size;
}

/** Where an attempt stages, under the store's staging folder. */
export function attemptFolder({ domain, entity, run, attempt, chunk }: StagingScope): string {
  const part = chunk === undefined ? '' : `-${chunk}`;
  return join(domain, entity, `${run}.${attempt}${part}`);
}

/** Whether a folder, by its name alone, is one that `attemptFolder` gave to an attempt or its chunks. */
export function isOfAttempt(name: string, { run, attempt, chunk }: StagingScope): boolean {
  const own = `${run}.${attempt}`;
  if (chunk !== undefined) return name === `${own}-${chunk}`;
  return name === own || name.startsWith(`${own}-`);
}

/** Whether a folder, by its name alone, is of an attempt of this run. */
export function isOfRun(name: string, run: string): boolean {
  // The attempt is the part behind the last dot, whatever the run is called.
  return name.slice(0, name.lastIndexOf('.')) === run;
}

/** Removes the folders of all attempts for a table, given as the folder above them, or of one run's. */
export async function removeAttempts(folder: string, run?: string): Promise<void> {
  if (run === undefined) return removeFolder(folder);
  for (const { name } of await entriesOf(folder)) {
    if (isOfRun(name, run)) await removeFolder(join(folder, name));
  }
}

/**
 * Removes files that are so much older than the last change of their folder. Both times are the file
 * system's, so no clock of this machine matters.
 */
export async function removeOldFiles(folder: string, olderByMs: number): Promise<void> {
  const changed = await unlessAbsent(stat(folder));
  if (changed === undefined) return;
  for (const { name } of await entriesOf(folder)) {
    const file = join(folder, name);
    const status = await unlessAbsent(stat(file));
    const isOld = status !== undefined && changed.mtimeMs - status.mtimeMs > olderByMs;
    if (isOld) await rm(file, { force: true });
  }
}

async function entriesOf(folder: string) {
  return (await unlessAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
}

async function unlessAbsent<Result>(found: Promise<Result>): Promise<Result | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
