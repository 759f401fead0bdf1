import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Counts } from './counts';

export const projectRoot = resolve(__dirname, '../..');

const running = new Set<ChildProcess>();

/** Passes a signal to every step under way. */
export function signalSteps(signal: NodeJS.Signals): void {
  running.forEach((child) => child.kill(signal));
}

/** Runs a check that passes or fails as a whole; it counts as one test. */
export async function runCheck(
  name: string,
  packageName: string,
  command: string,
  args: readonly string[],
): Promise<Counts> {
  const { failed, output, seconds } = await runNode([binaryOf(packageName, command), ...args], {});
  report(name, seconds, failed ? 'FAILED' : 'ok', failed ? output : '');
  return { passed: failed ? 0 : 1, failed: failed ? 1 : 0, skipped: 0 };
}

/**
 * Runs mocha. A run that dies before its end counts as a failure.
 * @param live print while it runs instead of at its end.
 */
export async function runMocha(
  name: string,
  args: readonly string[],
  { live }: { readonly live: boolean },
): Promise<Counts> {
  const directory = mkdtempSync(join(tmpdir(), 'comporta-test-'));
  const file = join(directory, 'counts.json');
  try {
    const { failed, output, seconds } = await runNode(
      [binaryOf('mocha', 'mocha'), '--exit', '--reporter', 'scripts/test/reporter.ts', ...args],
      { env: { COMPORTA_TEST_COUNTS: file }, live },
    );
    const counts = countsIn(file, failed);
    report(name, seconds, `${counts.passed} passed, ${counts.failed} failed`, output);
    return counts;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A failure that is no test's (a file that cannot be loaded, a crash) is counted as one. */
function countsIn(file: string, failed: boolean): Counts {
  const none: Counts = { passed: 0, failed: 0, skipped: 0 };
  const counts = readCounts(file) ?? none;
  return failed && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts;
  } catch {
    return undefined;
  }
}

interface Outcome {
  readonly failed: boolean;
  readonly output: string;
  readonly seconds: number;
}

function runNode(
  args: readonly string[],
  { env, live }: { readonly env?: Readonly<Record<string, string>>; readonly live?: boolean },
): Promise<Outcome> {
  const startedAt = Date.now();
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      done({ failed: code !== 0, output, seconds: (Date.now() - startedAt) / 1000 });
    });
  });
}

function report(name: string, seconds: number, verdict: string, output: string): void {
  process.stdout.write(`${name}: ${verdict} (${seconds.toFixed(1)} s)\n`);
  if (output.trim() !== '') process.stdout.write(`${output.trimEnd()}\n`);
}

function binaryOf(packageName: string, command: string): string {
  const manifest = createRequire(__filename).resolve(`${packageName}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    bin: string | Readonly<Record<string, string>>;
  };
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]!);
}
