import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Folder of the installed tools: `COMPORTA_CACHE`, or `comporta` in the user's cache folder. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['COMPORTA_CACHE'];
  if (chosen) return chosen;
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'comporta');
}

/** Where version `version` of `tool` is or would be installed. */
export function toolDirectory(tool: string, version: string): string {
  return join(cacheDirectory(), tool, version);
}

/**
 * Installs a tool unless it is there already and returns its folder.
 *
 * `install` fills a private folder that gets its name only when it is complete, in one rename.
 * So a cancelled installation leaves nothing behind that looks installed, and where two
 * processes install at once, the first to finish wins and the other uses its result.
 * The finished tool must not remember the path it was installed under.
 */
export async function installOnce(
  tool: string,
  version: string,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const finished = toolDirectory(tool, version);
  if (existsSync(finished)) return finished;
  await mkdir(dirname(finished), { recursive: true });
  const unfinished = await mkdtemp(join(dirname(finished), `.${version}-`));
  try {
    await install(unfinished);
    await rename(unfinished, finished);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(finished)) throw error;
  }
  return finished;
}
