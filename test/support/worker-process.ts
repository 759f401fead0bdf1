import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../src/worker/main.ts');

/** A worker in a process of its own, as `npm start` runs it. */
export interface WorkerProcess {
  readonly pid: number;
  /** What it logged so far: a JSON object per line. */
  readonly log: () => string;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts a worker; it is not yet ready when this returns. */
export function startWorkerProcess(
  flags: readonly string[],
  environment: NodeJS.ProcessEnv,
): WorkerProcess {
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', MAIN, ...flags], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const ended = once(child, 'close');
  return {
    pid: child.pid!,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}
