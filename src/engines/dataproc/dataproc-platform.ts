import type { JobStore } from '../jobs/job-store';
import type { JobPlatform, PlatformTry } from '../jobs/platform';
import type { SparkJob } from '../spark/job-runner';
import { dataprocError, dataprocJobFailure, isAlreadyThere, isNotFound } from './errors';
import { tryId } from './names';

/** The calls in which jobs of a cluster and batches differ. They throw what the client throws. */
export interface DataprocCalls {
  readonly noun: 'job' | 'batch';
  get(id: string): Promise<Omit<PlatformTry, 'attempt'>>;
  /** @param script URL of the uploaded script. */
  create(submission: DataprocSubmission): Promise<void>;
  cancel(id: string): Promise<void>;
  close(): Promise<void>;
}

export interface DataprocSubmission {
  readonly id: string;
  readonly script: string;
  readonly args: string[];
  /** Those of the job, as it has them. */
  readonly labels: SparkJob['labels'];
}

/** @param connection its name, for messages. */
export function createDataprocPlatform(
  calls: DataprocCalls,
  store: JobStore,
  connection: string,
): JobPlatform {
  const { noun } = calls;
  const attempting = async <Result>(action: string, call: () => Promise<Result>) => {
    try {
      return await call();
    } catch (error) {
      throw dataprocError(error, { action, connection });
    }
  };
  const find = async (attempt: number, id: string): Promise<PlatformTry | undefined> => {
    try {
      return { attempt, ...(await calls.get(id)) };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  return {
    async latest(job) {
      let latest: PlatformTry | undefined;
      for (let attempt = 1; ; attempt++) {
        const id = tryId(job.id, attempt);
        const found = await attempting(`look for ${noun} ${id}`, () => find(attempt, id));
        if (found === undefined) return latest;
        latest = found;
      }
    },
    async submit(job, attempt) {
      const id = tryId(job.id, attempt);
      const script = await store.upload(job.script);
      return attempting(`submit ${noun} ${id}`, async () => {
        try {
          const args = [...job.arguments(attempt)];
          await calls.create({ id, script, args, labels: job.labels });
        } catch (error) {
          if (!isAlreadyThere(error)) throw error;
        }
        return { attempt, ...(await calls.get(id)) };
      });
    },
    look: ({ attempt, id }) =>
      attempting(
        `look at ${noun} ${id}`,
        async () =>
          (await find(attempt, id)) ?? { attempt, id, state: 'DELETED', outcome: 'failed' },
      ),
    cancel: ({ attempt, id }) =>
      attempting(`cancel ${noun} ${id}`, async () => {
        try {
          await calls.cancel(id);
        } catch (error) {
          const now = await find(attempt, id);
          if (now?.outcome === 'active') throw error;
        }
      }),
    async output({ outputAt }) {
      return outputAt === undefined ? undefined : store.tail(outputAt);
    },
    failure: ({ id, state, detail }) =>
      dataprocJobFailure(`Dataproc ${noun} ${id}`, state, detail, { connection }),
    close: () => calls.close(),
  };
}

/** A job's state as both have it; an absent detail is an empty text. */
export function tryOf(
  id: string,
  state: unknown,
  outcomes: Readonly<Record<string, PlatformTry['outcome']>>,
  { detail, outputAt }: { detail?: string | null; outputAt?: string | null },
): Omit<PlatformTry, 'attempt'> {
  const word = String(state);
  return {
    id,
    state: word,
    outcome: outcomes[word] ?? 'active',
    ...(detail ? { detail } : {}),
    ...(outputAt ? { outputAt } : {}),
  };
}
