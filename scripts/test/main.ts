import { existsSync } from 'node:fs';
import { ensureTools } from '../install-tools';
import { auditDependencies } from './audit';
import { succeeded, sum, summaryLine, type Counts } from './counts';
import { projectRoot, runCheck, runMocha, signalSteps } from './run-step';

/**
 * `npm test`: everything that must hold. `npm test -- <mocha arguments>`: a selection of the
 * tests. The last line says how many passed and failed, each of lint, format, types
 * and the audit of dependencies counted as one.
 */
async function main(args: readonly string[]): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      signalSteps(signal);
      process.exit(1);
    });
  const counts = args.length === 0 ? await everything() : await selection(args);
  process.stdout.write(`\n${summaryLine(counts)}\n`);
  if (!succeeded(counts)) process.exitCode = 1;
}

const everyTest = 'test/**/*.test.ts';
const onRealServers = 'test/integration/**/*.test.ts';
/** What breaks servers and workers, and looks at the clock while they recover. */
const faults = 'test/faults/**/*.test.ts';
const endToEnd = 'test/demo/**/*.test.ts';

async function everything(): Promise<Counts> {
  // Neither waits for the other: tools are mostly downloads and builds.
  const [, checks] = await Promise.all([ensureTools(undefined, report), staticChecks()]);
  // Two processes for two cores, each with servers of its own.
  report('running the unit and the integration tests');
  const tests = await Promise.all([
    runMocha('units', [everyTest, ...without(onRealServers, faults, endToEnd)], quiet),
    runMocha('integration', [onRealServers], quiet),
  ]);
  report('running the tests of faults, which want the machine to themselves');
  const survived = await runMocha('faults', [faults], quiet);
  report('running the demo');
  const demo = await runMocha('end to end', [endToEnd], quiet);
  return sum([checks, ...tests, survived, demo]);
}

const without = (...patterns: string[]) => patterns.flatMap((pattern) => ['--ignore', pattern]);

async function staticChecks(): Promise<Counts> {
  return sum([
    await runCheck('format', 'prettier', 'prettier', ['--check', '.']),
    await runCheck('types', 'typescript', 'tsc', ['--noEmit']),
    await runCheck('lint', 'eslint', 'eslint', ['.']),
    await audit(),
  ]);
}

async function audit(): Promise<Counts> {
  const { outcome, text } = await auditDependencies(projectRoot);
  report(`audit: ${outcome}${text === '' ? '' : `\n${text}`}`);
  return { passed: 0, failed: 0, skipped: 0, [outcome]: 1 };
}

/** All files unless the arguments name some. */
async function selection(args: readonly string[]): Promise<Counts> {
  const namesFiles = args.some((argument) => /\*|\.ts$/.test(argument) || existsSync(argument));
  return runMocha('selection', [...args, ...(namesFiles ? [] : [everyTest])], { live: true });
}

const quiet = { live: false };
const report = (line: string) => process.stdout.write(`${line}\n`);

process.chdir(projectRoot);
main(process.argv.slice(2)).catch((error: unknown) => {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.stdout.write(`\n${summaryLine({ passed: 0, failed: 1, skipped: 0 })}\n`);
  process.exitCode = 1;
});
