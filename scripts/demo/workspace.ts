import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The folder that a demo happens in: its pipeline files, lake, history and logs. */
export interface Workspace {
  readonly path: string;
  /** Copies of the project's examples; the lake and the history lie beside, as they say. */
  readonly pipelines: string;
  readonly lake: string;
  readonly workerLog: string;
  /** What it takes to stop a demo that was kept running. */
  readonly keptFile: string;
  /** Shell commands that point other commands at a demo that was kept running. */
  readonly environmentFile: string;
}

const projectRoot = resolve(__dirname, '../..');

/** Where a demo happens unless it asks for a temporary folder. */
export const usualPath = join(projectRoot, '.comporta', 'demo');

const examples = ['connections.yaml', 'sales.yaml', 'finance.yaml'];

export function workspaceAt(path: string): Workspace {
  return {
    path,
    pipelines: join(path, 'pipelines'),
    lake: join(path, 'lake'),
    workerLog: join(path, 'worker.log'),
    keptFile: join(path, 'kept.json'),
    environmentFile: join(path, 'env.sh'),
  };
}

/**
 * Makes the folder anew: what an earlier demo left there is gone afterwards, and nothing outside
 * of it is touched.
 * @param temporary in a folder of its own below the system's temporary one.
 */
export async function makeWorkspace(temporary: boolean): Promise<Workspace> {
  const path = temporary ? await mkdtemp(join(tmpdir(), 'comporta-demo-')) : usualPath;
  await rm(path, { recursive: true, force: true });
  const workspace = workspaceAt(path);
  await mkdir(workspace.pipelines, { recursive: true });
  for (const name of examples)
    await cp(join(projectRoot, 'pipelines', name), join(workspace.pipelines, name));
  return workspace;
}

/** Lets a shell reach what a demo that was kept running has started: `source env.sh`. */
export async function writeEnvironmentFile(
  workspace: Workspace,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  );
  await writeFile(workspace.environmentFile, lines.join(''), { mode: 0o600 });
}
