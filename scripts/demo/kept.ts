import { readFile, rm, writeFile } from 'node:fs/promises';
import { isRunning, stopKept } from '../services/kept';
import type { StopRecord } from '../services/service';
import type { Workspace } from './workspace';

/** Writes down what a demo leaves running, clients before the servers that they talk to. */
export async function writeKept(
  workspace: Workspace,
  records: readonly StopRecord[],
): Promise<void> {
  await writeFile(workspace.keptFile, `${JSON.stringify(records, undefined, 2)}\n`);
}

/**
 * Stops what an earlier demo left running.
 * @returns whether anything was.
 */
export async function stopKeptDemo(workspace: Workspace): Promise<boolean> {
  const records = await readKept(workspace);
  const running = await Promise.all(records.map(isRunning));
  for (const record of records) await stopKept(record);
  await rm(workspace.keptFile, { force: true });
  return running.includes(true);
}

async function readKept({ keptFile }: Workspace): Promise<readonly StopRecord[]> {
  try {
    return JSON.parse(await readFile(keptFile, 'utf8')) as StopRecord[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
