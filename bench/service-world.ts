import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(__dirname, '..');

/**
 * Starts a worker as it is deployed and resolves when it is ready: compiled, because from source it
 * would bundle the workflows at start, which takes more memory than everything it does after that.
 */
export async function startCompiledWorker(
  pipelines: string,
  environment: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'build'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const worker = spawn(
    process.execPath,
    [join(ROOT, 'dist/src/worker/main.js'), '--pipelines', pipelines],
    { env: environment, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  for await (const line of createInterface({ input: worker.stderr })) {
    if (line.includes('"ready"')) {
      worker.stderr.resume();
      return worker;
    }
  }
  throw new Error('the worker ended before it was ready');
}
