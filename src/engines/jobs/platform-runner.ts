import { ComportaError, messageOf } from '../../errors';
import type { JobOutcome, JobRunner, JobWatch, SparkJob } from '../spark/job-runner';
import { Patience, pauseFor, type Pause } from './patience';
import type { JobPlatform, PlatformTry } from './platform';
import { tailOf } from './tail';

export interface PlatformRunnerOptions {
  /** For tests: what waits. Default: the clock. */
  readonly pause?: Pause;
}

const FIRST_LOOK_MS = 1_000;
const SLOWER_BY = 1.5;
const LONGEST_BETWEEN_LOOKS_MS = 10_000;
/** The driver's output is read when the state changes, and after so long in the same state. */
const OUTPUT_EVERY_MS = 30_000;
/** A platform may show a job's last words some seconds after its end. */
const LATE_OUTPUT_LOOKS = 3;
const LATE_OUTPUT_MS = 2_000;
/** How long a cancelled job's end is waited for before the load goes its way. */
const CANCELLATION_MS = 60_000;

/** Finds, submits and follows the tries of jobs on a platform. */
export function createPlatformRunner(
  platform: JobPlatform,
  { pause = pauseFor }: PlatformRunnerOptions = {},
): JobRunner {
  return {
    async run(job, watch) {
      watch.signal.throwIfAborted();
      try {
        const patience = new Patience(pause, watch.signal, (state) => watch.report({ state }));
        return await follow(platform, patience, await current(platform, patience, job), watch);
      } catch (error) {
        if (watch.signal.aborted && watch.shouldCancel(watch.signal.reason)) {
          await cancelJob(platform, pause, job, watch);
        }
        throw error;
      }
    },
    close: () => platform.close(),
  };
}

/** The try that runs or has succeeded, or else a new one. */
async function current(
  platform: JobPlatform,
  patience: Patience,
  job: SparkJob,
): Promise<PlatformTry> {
  const found = await patience.with(() => platform.latest(job));
  if (found !== undefined && found.outcome !== 'failed') return found;
  await platform.prepare?.(job, patience);
  const attempt = (found?.attempt ?? 0) + 1;
  let asked = false;
  return patience.with(async () => {
    // What failed may have been the answer only: the job is looked for before it is submitted again.
    const submitted = asked ? await platform.latest(job) : undefined;
    asked = true;
    if (submitted !== undefined && submitted.attempt >= attempt) return submitted;
    return platform.submit(job, attempt);
  });
}

/** Watches a try until it has ended. */
async function follow(
  platform: JobPlatform,
  patience: Patience,
  first: PlatformTry,
  watch: JobWatch,
): Promise<JobOutcome> {
  let now = first;
  let between = FIRST_LOOK_MS;
  let sinceOutput = Infinity;
  let output: string | undefined;
  for (;;) {
    const { attempt, outcome } = now;
    if (outcome === 'succeeded') return { attempt };
    if (outcome === 'failed') {
      const output = await lastOutput(platform, patience, now);
      return { attempt, failure: withOutput(platform.failure(now), output) };
    }
    if (sinceOutput >= OUTPUT_EVERY_MS) {
      output = await tail(platform, now);
      sinceOutput = 0;
    }
    watch.report({ state: stateOf(now), ...(output === undefined ? {} : { output }) });
    await patience.pause(between);
    sinceOutput += between;
    between = Math.min(between * SLOWER_BY, LONGEST_BETWEEN_LOOKS_MS);
    const seen = now;
    now = await patience.with(() => platform.look(seen));
    if (now.state !== seen.state) sinceOutput = Infinity;
  }
}

/** Ends the job, if one runs, and waits a while until it has ended: it still writes till then. */
async function cancelJob(
  platform: JobPlatform,
  pause: Pause,
  job: SparkJob,
  watch: JobWatch,
): Promise<void> {
  const patience = new Patience(pause, undefined, (state) => watch.report({ state }));
  try {
    const found = await patience.with(() => platform.latest(job));
    if (found?.outcome !== 'active') return;
    await patience.with(() => platform.cancel(found));
    let now = found;
    for (let waited = 0; now.outcome === 'active' && waited < CANCELLATION_MS;) {
      watch.report({ state: stateOf(now) });
      await patience.pause(FIRST_LOOK_MS);
      waited += FIRST_LOOK_MS;
      now = await patience.with(() => platform.look(now));
    }
  } catch (error) {
    // The load was cancelled either way; that the job may go on is for people to know.
    watch.report({ state: `not cancelled: ${messageOf(error)}` });
  }
}

function stateOf({ state, detail }: PlatformTry): string {
  return detail === undefined ? state : `${state}: ${detail}`;
}

/** The output explains; that it cannot be read must not hide what it would have explained. */
async function tail(platform: JobPlatform, attempt: PlatformTry): Promise<string | undefined> {
  const text = await platform.output(attempt).catch(() => undefined);
  return text === undefined ? undefined : tailOf(text);
}

async function lastOutput(
  platform: JobPlatform,
  patience: Patience,
  ended: PlatformTry,
): Promise<string | undefined> {
  let output = await tail(platform, ended);
  for (let looks = 1; output === undefined && looks < LATE_OUTPUT_LOOKS; looks++) {
    await patience.pause(LATE_OUTPUT_MS);
    output = await tail(platform, ended);
  }
  return output;
}

function withOutput(failure: ComportaError, output: string | undefined): ComportaError {
  if (output === undefined) return failure;
  return new ComportaError(failure.code, `${failure.problem}; its last output:\n${output}\n`, {
    ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
    cause: failure.cause,
  });
}
