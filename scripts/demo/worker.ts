import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { commandLineOf } from '../services/process-table';
import { leaveServer } from '../services/end-of-process';
import { serverProcess } from '../services/process';
import type { StopRecord } from '../services/service';
import type { Workspace } from './workspace';

/** The worker of a demo, a process of its own as in production. */
export interface DemoWorker {
  stop(): Promise<void>;
  /** Leaves it running when this process ends. */
  keep(): StopRecord;
}

/**
 * Starts `npm start` on the pipelines that the environment names; resolves when it takes work.
 * @param flags its own. Default: none.
 */
export async function startWorker(
  workspace: Pick<Workspace, 'workerLog'>,
  environment: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<DemoWorker> {
  const stopSignal = 'SIGTERM';
  const worker = serverProcess({
    name: 'the worker',
    logFile: workspace.workerLog,
    ready: () => saysReady(workspace.workerLog),
    stopSignal,
  });
  await worker.start({
    command: process.execPath,
    args: [resolve(__dirname, '../run.mjs'), 'start', ...flags],
    env: environment,
  });
  return {
    stop: () => worker.stop(),
    keep: () => {
      const { pid } = worker;
      const commandLine = pid === undefined ? undefined : commandLineOf(pid);
      if (pid === undefined || commandLine === undefined)
        throw new Error('the worker is not running and cannot be kept');
      leaveServer(pid);
      return { kind: 'process', pid, commandLine, stopSignal };
    },
  };
}

async function saysReady(logFile: string): Promise<void> {
  const log = await readFile(logFile, 'utf8');
  if (!log.includes('"msg":"ready"')) throw new Error('it does not say that it is ready');
}
