import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';
import { TRACING_INTERCEPTORS } from '../src/tracing/workflow-interceptors';

/**
 * Compiles src/ into dist/ and bundles the workflows, so that a production worker needs no
 * compiler and starts without bundling. `dist/.complete` is written last, with the hash of the lock
 * file that it was built from; `npm start` looks for it.
 */
async function build(): Promise<void> {
  const root = join(__dirname, '..');
  const output = join(root, 'dist');
  rmSync(output, { recursive: true, force: true });
  execFileSync(
    process.execPath,
    [require.resolve('typescript/bin/tsc'), '--project', join(root, 'tsconfig.build.json')],
    { cwd: root, stdio: 'inherit' },
  );
  const kernels = join('src', 'columnar', 'kernels', 'kernels.wasm');
  copyFileSync(join(root, kernels), join(output, kernels));
  cpSync(join(root, 'jobs'), join(output, 'jobs'), {
    recursive: true,
    filter: (path) => !path.includes('__pycache__'),
  });
  // Where src/worker/main.ts looks for them.
  for (const [name, modules] of [
    ['workflow-bundle.js', []],
    ['workflow-bundle-traced.js', [TRACING_INTERCEPTORS]],
  ] as const) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(output, 'src', 'workflows'),
      workflowInterceptorModules: [...modules],
      logger: quiet,
    });
    writeFileSync(join(output, 'src', name), code);
  }
  const lockFile = readFileSync(join(root, 'package-lock.json'));
  writeFileSync(join(output, '.complete'), createHash('sha256').update(lockFile).digest('hex'));
}

const report = (message: string) => process.stderr.write(`${message}\n`);
const quiet: Logger = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: report,
  error: report,
};

build().catch((error: unknown) => {
  report(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
