import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { loopback } from '../../../scripts/services/service';
import { startFaultyProxy, type FaultyProxy } from '../faulty-proxy';
import { answerMayGo, Faults, Refusal } from './faults';
import { JobBook, type BookedJob, type BookOptions } from './job-book';

export interface GlueEndpoint {
  /** For a connection: `http://host:port`. */
  readonly url: string;
  readonly faults: Faults;
  /** The way to it. */
  readonly line: FaultyProxy;
  readonly runs: JobBook;
  /** Glue jobs that are there, with the runs that each may have at once. */
  readonly jobs: Map<string, GlueJob>;
  /** Where runs log to, as they say, and what Spark says there of each. */
  readonly logGroup: { name: string; ofSpark: string };
  /** What each run was started with, as it came. */
  readonly started: Map<string, StartJobRun>;
  close(): Promise<void>;
}

export interface GlueJob {
  readonly maxConcurrentRuns: number;
  /** What GetJob says of it, besides. */
  readonly described?: Readonly<Record<string, unknown>>;
}

export interface StartJobRun {
  readonly JobName: string;
  readonly Arguments?: Readonly<Record<string, string>>;
  readonly Timeout?: number;
  readonly WorkerType?: string;
  readonly NumberOfWorkers?: number;
}

/** Arguments that Glue itself reads and the script does not need. */
const GLUES_OWN = new Set(['--scriptLocation', '--job-bookmark-option']);

/** The runs of Glue jobs and their logs, in JSON 1.1 over HTTP. */
export async function startGlueEndpoint(options: BookOptions): Promise<GlueEndpoint> {
  const faults = new Faults();
  const runs = new JobBook(
    {
      ...{ accepted: 'STARTING', running: 'RUNNING', succeeded: 'SUCCEEDED', failed: 'FAILED' },
      ...{ stopping: 'STOPPING', stopped: 'STOPPED' },
    },
    options,
  );
  const jobs: GlueEndpoint['jobs'] = new Map();
  const started: GlueEndpoint['started'] = new Map();
  const logGroup: GlueEndpoint['logGroup'] = { name: '/aws-glue/jobs', ofSpark: '' };

  const ofJob = (name: string) =>
    [...runs.jobs.values()].filter(({ id }) => started.get(id)?.JobName === name).toReversed();

  const methods: Record<string, (request: never) => unknown> = {
    'AWSGlue.StartJobRun'(request: StartJobRun) {
      const { JobName, Arguments = {} } = request;
      const job = jobs.get(JobName);
      if (job === undefined) {
        throw new Refusal(
          'EntityNotFoundException',
          `Failed to start job run due to missing metadata`,
        );
      }
      const active = ofJob(JobName).filter((run) => runs.active().includes(run));
      if (active.length >= job.maxConcurrentRuns) {
        throw new Refusal(
          'ConcurrentRunsExceededException',
          `Concurrent runs exceeded for ${JobName}`,
        );
      }
      const id = `jr_${String(runs.jobs.size + 1).padStart(8, '0')}`;
      started.set(id, request);
      const seen = Object.entries(Arguments).filter(([name]) => !GLUES_OWN.has(name));
      runs.submit({
        id,
        script: Arguments['--scriptLocation'] ?? '',
        args: [...seen.flat(), '--JOB_NAME', JobName, '--JOB_RUN_ID', id],
      });
      return { JobRunId: id };
    },
    'AWSGlue.GetJob'({ JobName }: { readonly JobName: string }) {
      const job = jobs.get(JobName);
      if (job === undefined) {
        throw new Refusal('EntityNotFoundException', `Job ${JobName} is not found.`);
      }
      const { maxConcurrentRuns: MaxConcurrentRuns, described } = job;
      return { Job: { Name: JobName, ExecutionProperty: { MaxConcurrentRuns }, ...described } };
    },
    'AWSGlue.GetJobRun': ({ RunId }: { RunId: string }) => ({ JobRun: message(found(RunId)) }),
    'AWSGlue.GetJobRuns'(request: { JobName: string; MaxResults?: number; NextToken?: string }) {
      const { JobName, MaxResults = 200, NextToken = '0' } = request;
      const first = Number(NextToken);
      const page = ofJob(JobName).slice(first, first + MaxResults);
      const more = first + page.length < ofJob(JobName).length;
      return {
        JobRuns: page.map(message),
        ...(more ? { NextToken: String(first + page.length) } : {}),
      };
    },
    'AWSGlue.BatchStopJobRun'({ JobName, JobRunIds }: { JobName: string; JobRunIds: string[] }) {
      const answer = { SuccessfulSubmissions: [] as unknown[], Errors: [] as unknown[] };
      for (const JobRunId of JobRunIds) {
        const run = found(JobRunId);
        if (runs.active().includes(run)) {
          runs.cancel(run);
          answer.SuccessfulSubmissions.push({ JobName, JobRunId });
        } else {
          const ErrorDetail = {
            ErrorCode: 'InvalidInputException',
            ErrorMessage: `Job run ${JobRunId} is in state ${run.state}`,
          };
          answer.Errors.push({ JobName, JobRunId, ErrorDetail });
        }
      }
      return answer;
    },
    async 'Logs_20140328.GetLogEvents'(request: { logGroupName: string; logStreamName: string }) {
      const { logGroupName, logStreamName } = request;
      const printed = await runs.textOf(found(logStreamName));
      const group = logGroup.name.replace(/\/$/, '');
      const texts = new Map([
        [`${group}/error`, logGroup.ofSpark],
        [`${group}/output`, printed],
      ]);
      const text = texts.get(logGroupName) ?? '';
      if (text === '') {
        throw new Refusal('ResourceNotFoundException', 'The specified log stream does not exist.');
      }
      const lines = text.trimEnd().split('\n');
      return { events: lines.map((line) => ({ timestamp: Date.now(), message: line })) };
    },
  };

  const found = (id: string): BookedJob => {
    const run = runs.jobs.get(id);
    if (run === undefined) throw new Refusal('EntityNotFoundException', `no run ${id}`);
    return run;
  };
  const message = (run: BookedJob) => ({
    Id: run.id,
    JobName: started.get(run.id)?.JobName,
    JobRunState: run.state,
    StartedOn: run.startedAt.getTime() / 1000,
    Arguments: started.get(run.id)?.Arguments,
    LogGroupName: logGroup.name,
    ...(run.detail === '' ? {} : { ErrorMessage: run.detail }),
  });

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const target = String(request.headers['x-amz-target']);
    const body = (await json(request)) as never;
    const fault = await faults.next(target.split('.').at(-1) ?? '');
    const answer = (status: number, content: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(content));
    try {
      if (fault?.kind === 'refused') throw fault.with;
      const method = methods[target];
      if (method === undefined) throw new Refusal('UnknownOperationException', target);
      const result = fault?.kind === 'answered' ? fault.answer : await method(body);
      await answerMayGo(fault);
      if (fault?.kind === 'answer lost') request.socket.destroy();
      else answer(200, result);
    } catch (error) {
      const type = error instanceof Refusal ? error.code : 'InternalServiceException';
      answer(400, { __type: type, Message: (error as Error).message });
    }
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  const line = await startFaultyProxy((server.address() as AddressInfo).port);

  return {
    url: `http://${line.host}:${line.port}`,
    ...{ faults, line, runs, jobs, started, logGroup },
    async close() {
      await line.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await runs.close();
    },
  };
}
