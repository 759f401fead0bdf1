import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ComportaError } from '../../errors';
import type { JobRunner, JobWatch, SparkJob } from './job-runner';

export interface LocalRunnerOptions {
  /**
   * spark-submit and its own options, separated by blanks: `spark-submit --master spark://host:7077`.
   * Default `spark-submit`.
   */
  readonly submit?: string;
  /** What the jobs find their secrets and Java by. */
  readonly environment: NodeJS.ProcessEnv;
  /** Where is noted what became of each job. Default: a folder of this user's for temporary files. */
  readonly folder?: string;
}

/** What is known of one try of a job. */
type TryState =
  | { readonly is: 'absent' | 'succeeded' }
  | { readonly is: 'failed'; readonly why: string }
  | { readonly is: 'running'; readonly pid: number | undefined };

const POLL_MS = 250;
/** From a try's claim to its first sign of life; the shell that gives it begins at once. */
const START_MS = 10_000;
/** For Spark to end what it does, before it is killed. */
const GRACE_MS = 5_000;
const TAIL_BYTES = 4_096;
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * The shell that runs spark-submit and outlives this process: it leaves its own process id, with the
 * moment of its start where the system tells it, and in the end the exit code.
 */
const WRAPPER = `
started=
[ -r /proc/$$/stat ] && started=$(cut -d ' ' -f 22 /proc/$$/stat)
echo "$$ $started" > "$0/pid.new" && mv "$0/pid.new" "$0/pid"
"$@" > "$0/output" 2>&1 < /dev/null
echo $? > "$0/status.new" && mv "$0/status.new" "$0/status"
`;

/**
 * Runs jobs by the spark-submit of this machine. A job is a process of its own: it goes on when the
 * worker ends, and a worker on the same machine finds it by what lies in `folder`.
 */
export function createLocalRunner(options: LocalRunnerOptions): JobRunner {
  const folder = options.folder ?? join(tmpdir(), `comporta-${userInfo().uid}`, 'spark');
  const [program = 'spark-submit', ...flags] = (options.submit ?? 'spark-submit').split(/\s+/);
  return {
    async run(job, watch) {
      for (let attempt = 1; ; attempt++) {
        watch.signal.throwIfAborted();
        const place = join(folder, `${job.id}-${attempt}`);
        const state = await stateOf(place);
        if (state.is === 'succeeded') return { attempt };
        if (state.is === 'failed') continue;
        if (state.is === 'absent') {
          assertInstalled(program, options.environment);
          await forgetOld(folder);
          // Another process may have been first: then its job is this one.
          if (await claim(place)) start(place, [program, ...flags], job, attempt, options);
        }
        const failure = await watchTry(place, watch);
        return failure === undefined ? { attempt } : { attempt, failure };
      }
    },
    close: () => Promise.resolve(),
  };
}

function assertInstalled(program: string, environment: NodeJS.ProcessEnv): void {
  const candidates = program.includes('/')
    ? [program]
    : (environment['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  if (candidates.some(isExecutable)) return;
  throw new ComportaError('ConfigurationInvalid', `there is no program ${program} on this worker`, {
    remedy:
      'install Spark, or name its spark-submit: npm start -- --spark-submit /opt/spark/bin/spark-submit',
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function claim(place: string): Promise<boolean> {
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 });
  try {
    await mkdir(place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function start(
  place: string,
  command: readonly string[],
  job: SparkJob,
  attempt: number,
  { environment }: LocalRunnerOptions,
): void {
  const { pipeline = '', table = '' } = job.labels;
  const words = [
    ...command,
    ...['--name', `comporta ${pipeline} ${table}`],
    ...[job.script, ...job.arguments(attempt)],
  ];
  // A group of its own, so that all of it can be ended, and no signal for the worker reaches it.
  const shell = spawn('sh', ['-c', WRAPPER, place, ...words], {
    detached: true,
    stdio: 'ignore',
    env: environment,
  });
  shell.unref();
}

/** Resolves when the try has ended: with undefined, or with why it failed. */
async function watchTry(place: string, watch: JobWatch): Promise<ComportaError | undefined> {
  const { signal } = watch;
  for (;;) {
    const state = await stateOf(place);
    if (state.is === 'succeeded') return undefined;
    const output = await tailOf(join(place, 'output'));
    if (state.is !== 'running') {
      const why = state.is === 'failed' ? state.why : 'is gone';
      return new ComportaError('EngineFailed', `the Spark job ${why}: ${output}`, {
        remedy: 'the load is tried again with another job',
      });
    }
    if (signal.aborted) {
      if (watch.shouldCancel(signal.reason) && state.pid !== undefined) await end(place, state.pid);
      throw signal.reason;
    }
    watch.report({ state: state.pid === undefined ? 'STARTING' : 'RUNNING', output });
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Ends a job with all its processes. */
async function end(place: string, pid: number): Promise<void> {
  const killAt = Date.now() + GRACE_MS;
  for (let signal: NodeJS.Signals = 'SIGTERM'; ;) {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw error;
    }
    if (Date.now() > killAt) signal = 'SIGKILL';
    await delay(POLL_MS);
    if ((await stateOf(place)).is !== 'running' && signal === 'SIGKILL') return;
  }
}

async function stateOf(place: string): Promise<TryState> {
  const [status, claimed, written] = await Promise.all([
    textOf(join(place, 'status')),
    stat(place).catch(() => undefined),
    textOf(join(place, 'pid')),
  ]);
  if (status !== undefined) {
    const code = Number(status);
    return code === 0 ? { is: 'succeeded' } : { is: 'failed', why: `ended with exit code ${code}` };
  }
  if (claimed === undefined) return { is: 'absent' };
  if (written === undefined) {
    const isFresh = Date.now() - claimed.ctimeMs < START_MS;
    return isFresh ? { is: 'running', pid: undefined } : { is: 'failed', why: 'never began' };
  }
  const [pid, started] = written.trim().split(' ');
  if (await isAlive(Number(pid), started)) return { is: 'running', pid: Number(pid) };
  // Its last deed may have been the exit code.
  const late = await textOf(join(place, 'status'));
  return late === undefined ? { is: 'failed', why: 'was killed' } : stateOf(place);
}

/** `started` tells it from another process that has got its number. */
async function isAlive(pid: number, started: string | undefined): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const line = await textOf(`/proc/${pid}/stat`);
  if (line === undefined || started === undefined || started === '') return true;
  // Behind the name, which is in parentheses and may hold anything, begins the third field (proc(5)).
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields[19] === started && fields[0] !== 'Z';
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function tailOf(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
    return buffer.subarray(0, bytesRead).toString('utf8').trim();
  } finally {
    await handle.close();
  }
}

/** Removes what is known of jobs that no load can ask for any more. */
async function forgetOld(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const place = join(folder, name);
    const known = await stat(place).catch(() => undefined);
    const isOld = known !== undefined && Date.now() - known.mtimeMs > FORGOTTEN_MS;
    if (isOld) await rm(place, { recursive: true, force: true });
  }
}
