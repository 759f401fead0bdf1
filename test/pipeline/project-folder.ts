import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadProject } from '../../src/pipeline/load';
import { ProjectInvalid, type Mistake } from '../../src/pipeline/mistakes';
import type { Project } from '../../src/pipeline/pipeline';

/** Texts by file name. */
export type Files = Readonly<Record<string, string>>;

export const CONNECTIONS = `connections:
  shop: { type: mysql, host: db, user: reader, password: env:SHOP_PASSWORD, database: shop }
  books: { type: postgres, host: db, user: reader, password: file:books.secret, database: books }
  lake: { type: file, path: ../lake }
`;

export const SALES = `pipeline: sales
source: { connection: shop }
destination: { connection: lake }
`;

/** Writes the files into a new folder for as long as `use` takes. */
export async function withFolder<T>(
  files: Files,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'comporta-pipelines-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(path.join(directory, name), text);
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function load(files: Files, environment: NodeJS.ProcessEnv = {}): Promise<Project> {
  return withFolder(files, (directory) => loadProject(directory, { environment }));
}

/** The mistakes of a folder, with file names relative to it. None: an empty list. */
export async function mistakesOf(
  files: Files,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ readonly mistakes: readonly Mistake[]; readonly message: string }> {
  return withFolder(files, async (directory) => {
    try {
      await loadProject(directory, { environment });
      return { mistakes: [], message: '' };
    } catch (error) {
      if (!(error instanceof ProjectInvalid)) throw error;
      const relative = (text: string): string => text.replaceAll(`${directory}${path.sep}`, '');
      const mistakes = error.mistakes.map((mistake) => ({
        ...mistake,
        file: relative(mistake.file),
        problem: relative(mistake.problem),
      }));
      return { mistakes, message: relative(error.message) };
    }
  });
}

/** `file:line:column path: problem` of each mistake. */
export async function places(
  files: Files,
  environment: NodeJS.ProcessEnv = {},
): Promise<readonly string[]> {
  const { mistakes } = await mistakesOf(files, environment);
  return mistakes.map(
    ({ file, line, column, path: at, problem }) => `${file}:${line}:${column} ${at}: ${problem}`,
  );
}

/** The project that ProjectInvalid says can run all the same. */
export async function restOfFiles(files: Files): Promise<Project | undefined> {
  return withFolder(files, async (directory) => {
    const error: unknown = await loadProject(directory, { environment: {} }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof ProjectInvalid) return error.rest;
    throw new Error('these files have no mistakes');
  });
}
