import { createHash, randomUUID } from 'node:crypto';
import * as callbacks from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isAbsent } from './errors';
import type { VersionedObject } from './storage';

// The calls with callbacks take half the time of their namesakes in node:fs/promises, which make a
// FileHandle of each file; a load of a small table is hardly more than such calls.
const readFile = promisify(callbacks.readFile);
const writeFile = promisify(callbacks.writeFile);
const open = promisify(callbacks.open);
const sync = promisify(callbacks.fsync);
const close = promisify(callbacks.close);

/** A file's content with its digest as its version; undefined when absent. */
export async function readVersioned(file: string): Promise<VersionedObject | undefined> {
  try {
    const body = await readFile(file);
    return { body, version: createHash('sha256').update(body).digest('hex') };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/**
 * Readers see the old content whole, then the new, also after a power cut. Makes the folder. Until it
 * is whole it lies in `unfinished`, a folder on the same file system, and stays there when this
 * process ends meanwhile.
 */
export async function writeAtomically(
  file: string,
  body: Buffer,
  unfinished: string,
): Promise<void> {
  const temporary = join(unfinished, randomUUID());
  try {
    await writeNew(temporary, body);
    await place(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

async function place(temporary: string, file: string): Promise<void> {
  try {
    await rename(temporary, file);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(dirname(file), { recursive: true });
    await rename(temporary, file);
  }
}

/** Writes a file that is not there yet, to the disk. */
async function writeNew(file: string, body: Buffer): Promise<void> {
  const options = { flag: 'wx', flush: true };
  try {
    await writeFile(file, body, options);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, body, options);
  }
}

/** Forces a folder's entries to disk: a rename is durable only then. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const descriptor = await open(folder, 'r');
    try {
      await sync(descriptor);
    } finally {
      await close(descriptor);
    }
  } catch (error) {
    // Somebody emptied and removed it meanwhile.
    if (!isAbsent(error)) throw error;
  }
}
