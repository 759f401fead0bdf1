import {
  BatchControllerClient,
  ClusterControllerClient,
  JobControllerClient,
} from '@google-cloud/dataproc';
import { openedOnce } from '../../google/sign-in';
import type { DataprocCluster, DataprocConnection } from '../../pipeline/pipeline';
import type { Finding } from '../../sources/source';
import { PassingTrouble } from '../jobs/platform';
import type { PlatformReport } from '../jobs/platform-report';
import { CALL_OPTIONS } from './call-options';
import { findCluster, TAKES_JOBS, type Cluster } from './clusters';
import { serverOf } from './dataproc-runner';
import { dataprocError, isInvalidArgument } from './errors';

/** Source: google/cloud/dataproc/v1/clusters.proto, ClusterStatus.State. */
const COMES_UP = new Set(['CREATING', 'STARTING', 'REPAIRING']);

/**
 * Looks whether jobs would find what they need. Nothing is made: the right to submit is tried with
 * a name that Dataproc takes from nobody, so that what it objects to first is told.
 * Throws ComportaError where Dataproc cannot be asked.
 */
export async function checkDataproc(connection: DataprocConnection): Promise<PlatformReport> {
  const { runOn, region, project } = connection;
  const place = `${project}, ${region}`;
  if ('serverless' in runOn) {
    await refusedFor(connection, 'submit a batch', tryBatch(connection));
    return { checked: `serverless batches in ${place}`, findings: [] };
  }
  if ('ephemeralCluster' in runOn) {
    await refusedFor(connection, 'create a cluster', tryCluster(connection));
    await refusedFor(connection, 'submit a job', tryJob(connection));
    return { checked: `a cluster for each batch in ${place}`, findings: [] };
  }
  const report = await existing(connection, runOn.cluster);
  await refusedFor(connection, 'submit a job', tryJob(connection));
  return report;
}

async function existing(
  connection: DataprocConnection,
  cluster: DataprocCluster,
): Promise<PlatformReport> {
  const client = openedOnce(() => new ClusterControllerClient(serverOf(connection)));
  const { project: projectId, region } = connection;
  const subject = `connection ${connection.name}`;
  try {
    const opened = await client.get();
    if ('name' in cluster) {
      const request = { projectId, region, clusterName: cluster.name };
      const found = await findCluster(opened, request);
      if (found !== undefined) return reportOf(subject, region, found);
      const problem = `there is no cluster "${cluster.name}" in region ${region} of project ${projectId}`;
      const remedy = 'create it, or correct `cluster`, `region` and `project` of the connection';
      return { checked: '', findings: [{ severity: 'error', subject, problem, remedy }] };
    }
    const filter = Object.entries(cluster.labels)
      .map(([key, value]) => `labels.${key} = ${value}`)
      .join(' AND ');
    const options = { ...CALL_OPTIONS, autoPaginate: false };
    const [all] = await opened.listClusters({ projectId, region, filter }, options);
    const [found] = all.toSorted((a, b) => rank(a) - rank(b));
    if (found !== undefined) return reportOf(subject, region, found);
    const problem = `no cluster of region ${region} has these labels at present`;
    const remedy = 'see to it that one has them when loads begin, or correct `clusterLabels`';
    return { checked: '', findings: [{ severity: 'warning', subject, problem, remedy }] };
  } catch (error) {
    throw failureOf(error, 'look for the cluster', connection);
  } finally {
    await client.close();
  }
}

/** Those that take jobs first. */
function rank({ status }: Cluster): number {
  return TAKES_JOBS.has(String(status?.state)) ? 0 : 1;
}

function reportOf(
  subject: string,
  region: string,
  { clusterName, status }: Cluster,
): PlatformReport {
  const state = String(status?.state);
  const checked = `cluster ${clusterName}: ${state}`;
  const finding = (severity: Finding['severity'], problem: string, remedy: string) => ({
    checked,
    findings: [{ severity, subject, problem, remedy }],
  });
  const detail = status?.detail ? `: ${status.detail}` : '';
  const gcloud = (verb: string) =>
    `gcloud dataproc clusters ${verb} ${clusterName} --region ${region}`;
  if (TAKES_JOBS.has(state)) {
    const substate = String(status?.substate ?? 'UNSPECIFIED');
    if (substate === 'UNSPECIFIED') return { checked, findings: [] };
    return finding('warning', `the cluster says ${substate}${detail}`, gcloud('diagnose'));
  }
  if (COMES_UP.has(state)) {
    return finding('warning', `takes no jobs yet: ${state}${detail}`, 'wait until it runs');
  }
  const remedy = state === 'STOPPED' ? gcloud('start') : gcloud('describe');
  return finding('error', `takes no jobs: ${state}${detail}`, remedy);
}

/** A call with a name that is no name. */
type Attempt = () => Promise<unknown>;

/** Source: google/cloud/dataproc/v1/batches.proto, CreateBatchRequest.batch_id: 4 to 63 characters. */
function tryBatch(connection: DataprocConnection): Attempt {
  const parent = `projects/${connection.project}/locations/${connection.region}`;
  const client = openedOnce(() => new BatchControllerClient(serverOf(connection)));
  return using(client, (opened) =>
    opened.createBatch({ parent, batchId: '-', batch: { pysparkBatch: {} } }, CALL_OPTIONS),
  );
}

/** Source: google/cloud/dataproc/v1/jobs.proto, JobReference.job_id: letters, digits, _ and -. */
function tryJob(connection: DataprocConnection): Attempt {
  const { project: projectId, region } = connection;
  const client = openedOnce(() => new JobControllerClient(serverOf(connection)));
  const job = { reference: { projectId, jobId: '?' }, pysparkJob: {} };
  return using(client, (opened) => opened.submitJob({ projectId, region, job }, CALL_OPTIONS));
}

/** Source: google/cloud/dataproc/v1/clusters.proto, Cluster.cluster_name: a letter first. */
function tryCluster(connection: DataprocConnection): Attempt {
  const { project: projectId, region } = connection;
  const client = openedOnce(() => new ClusterControllerClient(serverOf(connection)));
  const cluster = { projectId, clusterName: '-', config: {} };
  return using(client, (opened) =>
    opened.createCluster({ projectId, region, cluster }, CALL_OPTIONS),
  );
}

function using<Client>(
  client: { get(): Promise<Client>; close(): Promise<void> },
  call: (opened: Client) => Promise<unknown>,
): Attempt {
  return async () => {
    try {
      return await call(await client.get());
    } finally {
      await client.close();
    }
  };
}

/** Resolves when the call was refused for its name; throws what it was refused for else. */
async function refusedFor(
  connection: DataprocConnection,
  action: string,
  attempt: Attempt,
): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!isInvalidArgument(error)) throw failureOf(error, action, connection);
  }
}

function failureOf(error: unknown, action: string, { name: connection }: DataprocConnection) {
  const failure = dataprocError(error, { action, connection });
  return failure instanceof PassingTrouble ? failure.failure : failure;
}
