import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stopProcess } from '../../../scripts/services/process';

/** The words of a platform for the states of its jobs. */
export interface StateWords {
  /** Before the process runs. */
  readonly accepted: string;
  readonly running: string;
  readonly succeeded: string;
  readonly failed: string;
  readonly stopping: string;
  readonly stopped: string;
}

/** How a job's script is run on this machine. */
export interface JobCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface BookOptions {
  /** A folder for each bucket: `gs://bucket/key` and `s3://bucket/key` are `bucket/key` here. */
  readonly buckets: string;
  /** URL of the folder where jobs leave their output. Default: that of a bucket. */
  readonly outputs?: string;
  /**
   * Where a server keeps the buckets: scripts are run by their own addresses, and output is copied
   * there while a job runs and when it has ended. `buckets` then holds that output alone.
   */
  readonly copyOutput?: (url: string, file: string) => Promise<void>;
  readonly run: (script: string, args: readonly string[]) => JobCommand;
}

/** What was submitted. */
export interface Submission {
  readonly id: string;
  /** URL of the script. */
  readonly script: string;
  readonly args: readonly string[];
}

/** A job that was submitted, as it is now. */
export interface BookedJob extends Submission {
  state: string;
  detail: string;
  readonly startedAt: Date;
  /** URL of what its process printed; parts have `.000000000` behind it. */
  readonly output: string;
}

const OUTPUTS = 'gs://driver-output';

/** Between two copies of the output of a job that runs. */
const COPY_EVERY_MS = 1_000;

/** The jobs of one platform, each with a real process. */
export class JobBook {
  readonly jobs = new Map<string, BookedJob>();
  private readonly processes = new Map<
    string,
    { readonly pid: number; readonly gone: Promise<void> }
  >();
  private readonly starting = new Set<Promise<void>>();
  private gate: { readonly open: () => void; readonly opened: Promise<void> } | undefined;
  private closed = false;

  constructor(
    private readonly words: StateWords,
    private readonly options: BookOptions,
  ) {}

  /** Jobs stay accepted, in this state, until `resume`. */
  suspend(): void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.gate = { open, opened };
  }

  resume(): void {
    this.gate?.open();
    this.gate = undefined;
  }

  active(): readonly BookedJob[] {
    const { succeeded, failed, stopped } = this.words;
    return [...this.jobs.values()].filter(
      ({ state }) => ![succeeded, failed, stopped, 'TIMEOUT', 'EXPIRED', 'ERROR'].includes(state),
    );
  }

  submit(submission: Submission): BookedJob {
    const job: BookedJob = {
      ...submission,
      state: this.words.accepted,
      detail: '',
      startedAt: new Date(),
      output: `${this.options.outputs ?? OUTPUTS}/${submission.id}/driveroutput`,
    };
    this.jobs.set(job.id, job);
    const run = this.run(job).finally(() => this.starting.delete(run));
    this.starting.add(run);
    return job;
  }

  /** Ends a job's process from outside, as an operator, a preemption or the platform does. */
  async end(id: string, state: string, detail: string): Promise<void> {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    job.state = state;
    job.detail = detail;
    await this.kill(id);
  }

  /** Ends the process alone; the platform finds it dead. */
  async kill(id: string): Promise<void> {
    const process = this.processes.get(id);
    if (process === undefined) return;
    await stopProcess(process.pid, 'SIGKILL');
    await process.gone;
  }

  /** As a cancellation: the job is stopping at once, and stopped when its process is gone. */
  cancel(job: BookedJob): void {
    job.state = this.words.stopping;
    void this.kill(job.id).then(() => (job.state = this.words.stopped));
  }

  /** Of the jobs that run. */
  pids(): readonly number[] {
    return [...this.processes.values()].map(({ pid }) => pid);
  }

  async textOf({ output }: BookedJob): Promise<string> {
    return readFile(`${this.path(output)}.000000000`, 'utf8').catch(() => '');
  }

  async close(): Promise<void> {
    this.closed = true;
    this.resume();
    await Promise.all([...this.processes.keys()].map((id) => this.kill(id)));
    await Promise.all(this.starting);
  }

  private async run(job: BookedJob): Promise<void> {
    await this.gate?.opened;
    if (this.closed || job.state !== this.words.accepted) return;
    const { copyOutput } = this.options;
    const script = copyOutput === undefined ? this.path(job.script) : job.script;
    const { command, args, env } = this.options.run(script, job.args);
    const file = `${this.path(job.output)}.000000000`;
    mkdirSync(dirname(file), { recursive: true });
    const output = openSync(file, 'w');
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    await once(child, 'spawn');
    let leave = () => {};
    const gone = new Promise<void>((resolve) => (leave = resolve));
    this.processes.set(job.id, { pid: child.pid!, gone });
    job.state = this.words.running;
    const copy = async () => copyOutput?.(`${job.output}.000000000`, file);
    const copying = setInterval(() => void copy().catch(() => undefined), COPY_EVERY_MS);
    const [code, signal] = await ended;
    clearInterval(copying);
    await copy().catch((error: unknown) => (job.detail = `its output is lost: ${String(error)}`));
    this.processes.delete(job.id);
    if (job.state === this.words.running) {
      job.state = code === 0 ? this.words.succeeded : this.words.failed;
      if (code !== 0) job.detail = `Job failed with ${signal ?? `exit code ${code}`}`;
    }
    leave();
  }

  private path(url: string): string {
    if (url.startsWith('file://')) return new URL(url).pathname;
    return join(this.options.buckets, url.replace(/^(gs|s3):\/\//, ''));
  }
}
