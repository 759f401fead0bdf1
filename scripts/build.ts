import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';

/**
 * Compiles src/ into dist/ and bundles the workflows, so that a production worker needs no
 * compiler and starts without bundling. `dist/.complete` is written last; `npm start` looks for it.
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
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(output, 'src', 'workflows'),
    logger: quiet,
  });
  // Where src/worker/main.ts looks for it.
  writeFileSync(join(output, 'src', 'workflow-bundle.js'), code);
  writeFileSync(join(output, '.complete'), '');
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
