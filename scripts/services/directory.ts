import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { leaveDirectory, removeAtTheEnd } from './end-of-process';

/** Folder of one running service. */
export interface ServiceDirectory {
  readonly path: string;
  /** Whether it goes away with the service. */
  readonly disposable: boolean;
  /** Removes it if it is disposable. */
  dispose(): Promise<void>;
}

/**
 * Makes the folder of a service, readable by its user alone, and starts the service in it. A
 * start that fails takes a disposable folder with it.
 * @param chosen the caller's folder, which is kept; default: a new one under the temporary folder.
 * @param owner the user it belongs to; default: the caller's.
 */
export async function inServiceDirectory<Service>(
  name: string,
  chosen: string | undefined,
  start: (directory: ServiceDirectory) => Promise<Service>,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<Service> {
  const directory = await makeDirectory(name, chosen);
  if (owner !== undefined) await chown(directory.path, owner.uid, owner.gid);
  try {
    return await start(directory);
  } catch (error) {
    await directory.dispose();
    throw error;
  }
}

async function makeDirectory(name: string, chosen: string | undefined): Promise<ServiceDirectory> {
  const path =
    chosen === undefined ? await mkdtemp(join(tmpdir(), `comporta-${name}-`)) : resolve(chosen);
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  const disposable = chosen === undefined;
  if (disposable) removeAtTheEnd(path);
  return {
    path,
    disposable,
    dispose: async () => {
      if (!disposable) return;
      await rm(path, { recursive: true, force: true });
      leaveDirectory(path);
    },
  };
}

/** Whether this process may act as any user. Servers of databases ask for care then. */
export const runsAsRoot = process.getuid?.() === 0;
