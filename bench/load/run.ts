import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandFor } from './contenders';
import { median } from '../measure';
import type { FurtherMove, Job } from './job';
import { serverCpuSeconds } from './server-cpu';

/** What one run of one contender used. */
export interface Sample {
  /** From the start of its first process to the end of it. */
  readonly wallSeconds: number;
  /** User and system time of all its processes. */
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
  /** Largest resident set of any one of its processes. */
  readonly peakMiB: number;
}

/** What a running process used for the table once more: medians of its further moves. */
export interface SampleAgain extends FurtherMove {
  /** Of all moves of the process with the first one, by their number. */
  readonly serverCpuSeconds: number;
}

export type Outcome =
  | {
      readonly kind: 'done';
      readonly sample: Sample;
      readonly files: readonly string[];
      readonly again?: SampleAgain;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export interface RunOptions {
  /** An interpreter for the program that measures. */
  readonly python: string;
  readonly serverPid: number;
  readonly timeoutSeconds: number;
  /** Whether what it prints is the answer, which nobody wants. */
  readonly discard: boolean;
}

const MEASURE = join(__dirname, 'peers/measured.py');

/** Runs a contender once, in an empty folder that is left for the caller to read and remove. */
export async function runOnce(
  commandFor: CommandFor,
  job: Job,
  { python, serverPid, timeoutSeconds, discard }: RunOptions,
): Promise<Outcome> {
  const notes = `${job.output}.notes`;
  await rm(job.output, { recursive: true, force: true });
  await rm(notes, { recursive: true, force: true });
  await mkdir(job.output, { recursive: true });
  await mkdir(notes, { recursive: true });
  const jobFile = join(notes, 'job.json');
  const usedFile = join(notes, 'used.json');
  const logFile = join(notes, 'log');
  await writeFile(jobFile, JSON.stringify(job), { mode: 0o600 });

  const serverBefore = serverCpuSeconds(serverPid);
  const command = [python, MEASURE, usedFile, ...commandFor(job, jobFile)];
  await spawnToTheEnd(command, { cwd: notes, logFile, timeoutMs: timeoutSeconds * 1000, discard });
  const serverAfter = serverCpuSeconds(serverPid);

  if (!existsSync(usedFile)) return { kind: 'failed', reason: `no end within ${timeoutSeconds} s` };
  const used = JSON.parse(readFileSync(usedFile, 'utf8')) as Sample & { exitCode: number };
  if (used.exitCode !== 0) return { kind: 'failed', reason: lastWords(logFile, used.exitCode) };
  const serverCpu = serverAfter - serverBefore;
  return {
    kind: 'done',
    sample: {
      wallSeconds: used.wallSeconds,
      cpuSeconds: used.cpuSeconds,
      peakMiB: used.peakMiB,
      serverCpuSeconds: serverCpu,
    },
    files: parquetFilesIn(job.output),
    ...(job.again === undefined ? {} : { again: furtherMoves(job.again, serverCpu) }),
  };
}

function furtherMoves(noted: string, serverCpuSeconds: number): SampleAgain {
  const moves = JSON.parse(readFileSync(noted, 'utf8')) as readonly FurtherMove[];
  return {
    wallSeconds: median(moves.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(moves.map(({ cpuSeconds }) => cpuSeconds)),
    serverCpuSeconds: serverCpuSeconds / (moves.length + 1),
  };
}

interface Spawning {
  readonly cwd: string;
  readonly logFile: string;
  readonly timeoutMs: number;
  readonly discard: boolean;
}

async function spawnToTheEnd(
  [program, ...args]: readonly string[],
  { cwd, logFile, timeoutMs, discard }: Spawning,
): Promise<void> {
  const log = openSync(logFile, 'w');
  const child = spawn(program!, args, {
    cwd,
    // A session of its own, so that whatever it started can be ended with it.
    detached: true,
    stdio: ['ignore', discard ? 'ignore' : log, log],
  });
  closeSync(log);
  const end = () => endGroup(child.pid);
  const timer = setTimeout(end, timeoutMs);
  process.once('exit', end);
  await once(child, 'exit');
  clearTimeout(timer);
  process.removeListener('exit', end);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const REASON_AT_MOST = 160;

/** What a program said before it gave up: its last line that speaks of an error, else its last. */
function lastWords(logFile: string, exitCode: number): string {
  const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
  const lines = readFileSync(logFile, 'utf8')
    .replace(colours, '')
    .trim()
    .split('\n')
    .filter((line) => !/^\s*(\d+:|at) /.test(line)) // of a stack
    .reverse();
  const telling = lines.find((line) => /error|exception|failed|could not|unable/i.test(line));
  return (telling || lines[0] || `exit code ${exitCode}`).trim().slice(0, REASON_AT_MOST);
}

function parquetFilesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(folder, name));
}
