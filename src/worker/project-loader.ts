import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProject } from '../pipeline/load';
import type { Project } from '../pipeline/pipeline';

/**
 * Gives the project as its files say now, reading them again only when one was added, removed or
 * changed: a batch of thousands of loads asks thousands of times.
 */
export function createProjectLoader(
  directory: string,
  environment: NodeJS.ProcessEnv,
): () => Promise<Project> {
  let known: { readonly state: string; readonly project: Promise<Project> } | undefined;
  return async () => {
    const state = await stateOf(directory);
    if (known?.state !== state) {
      known = { state, project: loadProject(directory, { environment }) };
    }
    return known.project;
  };
}

/**
 * Names, sizes and times of the folder's YAML files, or of the one file; a folder that cannot be
 * read is left to `loadProject` to explain.
 */
async function stateOf(place: string): Promise<string> {
  const found = await stat(place).catch(() => undefined);
  const names = found?.isFile() === true ? [''] : await readdir(place).catch(() => []);
  const files = names.filter((name) => name === '' || /\.ya?ml$/.test(name)).sort();
  const parts = await Promise.all(
    files.map(async (name) => {
      const { mtimeMs, size } = await stat(join(place, name));
      return `${name}:${mtimeMs}:${size}`;
    }),
  );
  return parts.join('\n');
}
