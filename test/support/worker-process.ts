import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { leaveServer, stopAtTheEnd } from '../../scripts/services/end-of-process';
import { eventually } from './eventually';

const MAIN = join(__dirname, '../../src/worker/main.ts');

/** A worker in a process of its own, as `npm start` runs it. */
export interface WorkerProcess {
  readonly pid: number;
  /** What it logged so far: a JSON object per line. */
  readonly log: () => string;
  /** Resolves when it polls its task queues. */
  ready(): Promise<void>;
  /** Resolves with the exit code, null after a signal, when it has ended for whatever reason. */
  readonly ended: Promise<number | null>;
  /** For SIGSTOP and SIGCONT, which it outlives. */
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut would, and resolves when it is gone. */
  kill9(): Promise<void>;
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
  const pid = child.pid!;
  stopAtTheEnd(pid, 'SIGKILL');
  let log = '';
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  const ended = once(child, 'close')
    .then(([code]) => code as number | null)
    .finally(() => leaveServer(pid));
  return {
    pid,
    log: () => log,
    ended,
    ready: () =>
      eventually(() => {
        if (!log.includes('"msg":"ready"')) throw new Error(`the worker is not ready: ${log}`);
      }),
    signal: (signal) => void child.kill(signal),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill9: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
