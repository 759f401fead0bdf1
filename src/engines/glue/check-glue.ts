import { GetJobCommand, type GlueClient, type Job } from '@aws-sdk/client-glue';
import type { GlueConnection } from '../../pipeline/pipeline';
import type { Finding } from '../../sources/source';
import { PassingTrouble } from '../jobs/platform';
import type { PlatformReport } from '../jobs/platform-report';
import { glueError } from './errors';

/** What the job's script is written for. */
const OLDEST_GLUE = 5;

/**
 * Looks whether the Glue job is there and as runs need it.
 * @param concurrency loads at once, as the pipeline wants them.
 * Throws ComportaError where Glue cannot be asked.
 */
export async function checkGlue(
  client: GlueClient,
  connection: GlueConnection,
  concurrency: number,
): Promise<PlatformReport> {
  const { job: JobName, name } = connection;
  const subject = `connection ${name}`;
  const job = await jobOf(client, connection);
  if (job === undefined) {
    const problem = `there is no Glue job "${JobName}" in region ${connection.region}`;
    const remedy = 'create it, or correct `job` and `region` of the connection';
    return { checked: '', findings: [{ severity: 'error', subject, problem, remedy }] };
  }
  const findings: Finding[] = [];
  const found = (severity: Finding['severity'], problem: string, remedy: string) =>
    findings.push({ severity, subject, problem, remedy });

  const type = job.Command?.Name ?? 'none';
  if (type !== 'glueetl') {
    found('error', `the job is of type ${type}`, 'make it one of type glueetl (Spark)');
  }
  const version = job.GlueVersion ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_GLUE)) {
    found('error', `the job is of Glue version ${version}`, 'set its Glue version to 5.0 or later');
  }
  const retries = job.MaxRetries ?? 0;
  if (retries !== 0) {
    const problem = `Glue itself starts a failed run again (MaxRetries ${retries})`;
    found('error', problem, 'set MaxRetries to 0: how often a load is tried is the pipeline’s');
  }
  const workerType = connection.workerType ?? job.WorkerType;
  const workers = connection.workers ?? job.NumberOfWorkers;
  if (workerType === undefined || workers === undefined) {
    const problem = 'neither the job nor the connection says which workers, and how many';
    found('warning', problem, 'add `workerType` and `workers` to the connection');
  }
  const atOnce = job.ExecutionProperty?.MaxConcurrentRuns ?? 1;
  if (atOnce < concurrency) {
    const problem = `the job has at most ${atOnce} runs at once, the pipeline wants ${concurrency} loads`;
    found('warning', problem, `raise the maximum concurrency of job ${JobName}; the others wait`);
  }
  const jars = '--extra-jars';
  if (!(jars in connection.arguments) && !(jars in (job.DefaultArguments ?? {}))) {
    const problem = 'no JDBC driver is named, neither by the job nor by the connection';
    found('warning', problem, `add ${jars} to the job’s arguments`);
  }
  const machines = `${workers ?? '?'} × ${workerType ?? '?'}`;
  return {
    checked: `job ${JobName}: Glue ${version}, ${machines}, ${counted(atOnce)} at once`,
    findings,
  };
}

function counted(runs: number): string {
  return `${runs} run${runs === 1 ? '' : 's'}`;
}

async function jobOf(
  client: GlueClient,
  { job: JobName, name: connection }: GlueConnection,
): Promise<Job | undefined> {
  try {
    return (await client.send(new GetJobCommand({ JobName }))).Job;
  } catch (error) {
    if ((error as { readonly name?: string }).name === 'EntityNotFoundException') return undefined;
    const failure = glueError(error, {
      action: `look at job ${JobName}`,
      connection,
      job: JobName,
    });
    throw failure instanceof PassingTrouble ? failure.failure : failure;
  }
}
