import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Ran } from '../client/command-bench';

const MAIN = join(__dirname, '../../src/client/main.ts');

/** A command in a process of its own, as `npm run trigger` and its like run it. */
export interface ClientProcess {
  readonly ended: Promise<Ran>;
  /** What it wrote so far. */
  readonly stderr: () => string;
  readonly interrupt: () => void;
}

export function startClientProcess(
  commandLine: readonly string[],
  environment: NodeJS.ProcessEnv,
): ClientProcess {
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', MAIN, ...commandLine], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { ended, stderr: () => stderr, interrupt: () => child.kill('SIGINT') };
}
