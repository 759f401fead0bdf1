import { GetLogEventsCommand, type CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  BatchStopJobRunCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  StartJobRunCommand,
  type GlueClient,
  type JobRun,
  type WorkerType,
} from '@aws-sdk/client-glue';
import type { GlueConnection } from '../../pipeline/pipeline';
import type { JobStore } from '../jobs/job-store';
import type { JobPlatform, PlatformTry } from '../jobs/platform';
import type { SparkJob } from '../spark/job-runner';
import { glueError, glueRunFailure, stopError } from './errors';
import { attemptOf, runArguments } from './job-arguments';

/** Source: AWS Glue Developer Guide, "Job run statuses"; the others have not ended. */
const OUTCOMES: Readonly<Record<string, PlatformTry['outcome']>> = {
  SUCCEEDED: 'succeeded',
  STOPPED: 'failed',
  FAILED: 'failed',
  TIMEOUT: 'failed',
  ERROR: 'failed',
  EXPIRED: 'failed',
};

/** As many runs as Glue gives in one answer. */
const RUNS_PER_PAGE = 200;
/**
 * How far back the tries of a load are looked for. Runs come newest first, and Glue keeps them for
 * 90 days: a load that is at it for longer than this begins anew.
 */
const LOOK_BACK_MS = 7 * 24 * 3_600_000;
/**
 * Where runs without a security configuration log to. Source: Glue API, "JobRun", which has the names
 * of others, and this one, end with a slash.
 */
const LOG_GROUP = '/aws-glue/jobs';
/**
 * What Spark says, and behind it what the script prints, to both of its outputs. Source: AWS Glue
 * Developer Guide, "Logging for AWS Glue jobs", of Glue 5.0.
 */
const LOGS = ['error', 'output'] as const;
const LOG_EVENTS = 100;

export interface GlueClients {
  readonly glue: GlueClient;
  readonly logs: CloudWatchLogsClient;
}

/** Runs of one Glue job. */
export function createGluePlatform(
  { glue, logs }: GlueClients,
  connection: GlueConnection,
  { upload }: Pick<JobStore, 'upload'>,
): JobPlatform {
  const { job: JobName, workerType, workers, timeoutMs } = connection;
  const place = { connection: connection.name, job: JobName };
  const attempting = async <Result>(action: string, call: () => Promise<Result>) => {
    try {
      return await call();
    } catch (error) {
      throw glueError(error, { ...place, action });
    }
  };

  /** The runs of a job's tries, newest first. */
  const runsOf = async (job: SparkJob): Promise<readonly Run[]> => {
    const found: Run[] = [];
    const oldest = Date.now() - LOOK_BACK_MS;
    let NextToken: string | undefined;
    do {
      const page: { JobRuns?: JobRun[]; NextToken?: string } = await glue.send(
        new GetJobRunsCommand({ JobName, MaxResults: RUNS_PER_PAGE, NextToken }),
      );
      const runs = page.JobRuns ?? [];
      for (const run of runs) {
        const attempt = attemptOf(job, run.Arguments);
        if (attempt !== undefined) found.push(asRun(attempt, run));
      }
      NextToken =
        (runs.at(-1)?.StartedOn?.getTime() ?? oldest) > oldest ? page.NextToken : undefined;
    } while (NextToken !== undefined);
    return found;
  };
  const get = async ({ attempt, id }: Pick<PlatformTry, 'attempt' | 'id'>): Promise<Run> => {
    const { JobRun: run } = await glue.send(new GetJobRunCommand({ JobName, RunId: id }));
    return asRun(attempt, run ?? { Id: id });
  };
  const requestStop = async (id: string): Promise<void> => {
    const { Errors = [] } = await glue.send(
      new BatchStopJobRunCommand({ JobName, JobRunIds: [id] }),
    );
    const refused = Errors.find((error) => error.JobRunId === id)?.ErrorDetail;
    if (refused !== undefined) throw stopError(refused, { ...place, action: `stop run ${id}` });
  };

  const stop = async (run: Pick<PlatformTry, 'attempt' | 'id'>): Promise<void> => {
    try {
      await requestStop(run.id);
    } catch (error) {
      if ((await get(run)).outcome === 'active') throw error;
    }
  };
  /**
   * The run that the last try is. Glue cannot be told to start a try once only: two that looked at
   * the same moment both start it. Both then see both, and whoever sees a surplus run ends it.
   */
  const settle = async (runs: readonly Run[]): Promise<Run | undefined> => {
    const [latest, ...others] = runs.toSorted(byPrecedence);
    for (const run of others) {
      if (run.attempt === latest?.attempt && run.outcome === 'active') await stop(run);
    }
    return latest;
  };

  return {
    latest: (job) =>
      attempting(`look for runs of Glue job ${JobName}`, async () => settle(await runsOf(job))),
    async submit(job, attempt) {
      const script = await upload(job.script);
      return attempting(`start Glue job ${JobName}`, async () => {
        const { JobRunId: id = '' } = await glue.send(
          new StartJobRunCommand({
            JobName,
            Arguments: runArguments(job, attempt, { script, more: connection.arguments }),
            Timeout: Math.ceil(timeoutMs / 60_000),
            ...(workerType === undefined ? {} : { WorkerType: workerType as WorkerType }),
            ...(workers === undefined ? {} : { NumberOfWorkers: workers }),
          }),
        );
        const mine = await get({ attempt, id });
        const others = (await runsOf(job)).filter((run) => run.id !== id);
        return (await settle([mine, ...others])) ?? mine;
      });
    },
    look: (attempt) => attempting(`look at run ${attempt.id}`, () => get(attempt)),
    cancel: (attempt) => attempting(`stop run ${attempt.id}`, () => stop(attempt)),
    async output({ id, outputAt }) {
      const group = (outputAt ?? LOG_GROUP).replace(/\/$/, '');
      const read = LOGS.map((name) => lastLines(logs, `${group}/${name}`, id));
      const found = await Promise.allSettled(read);
      const texts = found.flatMap((log) => (log.status === 'fulfilled' ? [log.value] : []));
      return texts.join('\n');
    },
    failure: ({ id, state, detail }) => glueRunFailure(id, state, detail, place),
    close() {
      glue.destroy();
      logs.destroy();
      return Promise.resolve();
    },
  };
}

async function lastLines(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<string> {
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({
      ...{ logGroupName, logStreamName },
      startFromHead: false,
      limit: LOG_EVENTS,
    }),
  );
  return events.map(({ message }) => message ?? '').join('\n');
}

interface Run extends PlatformTry {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

function asRun(attempt: number, run: JobRun): Run {
  const state = run.JobRunState ?? 'STARTING';
  return {
    attempt,
    id: run.Id ?? '',
    state,
    outcome: OUTCOMES[state] ?? 'active',
    startedAt: run.StartedOn?.getTime() ?? Infinity,
    ...(run.ErrorMessage ? { detail: run.ErrorMessage } : {}),
    ...(run.LogGroupName ? { outputAt: run.LogGroupName } : {}),
  };
}

const RANK: Readonly<Record<PlatformTry['outcome'], number>> = {
  succeeded: 0,
  active: 1,
  failed: 2,
};

/**
 * Of the last try's runs, one that has succeeded, or else one that goes on, and of these the one
 * that began first: whoever looks chooses the same.
 */
function byPrecedence(a: Run, b: Run): number {
  return (
    b.attempt - a.attempt ||
    RANK[a.outcome] - RANK[b.outcome] ||
    a.startedAt - b.startedAt ||
    (a.id < b.id ? -1 : 1)
  );
}
