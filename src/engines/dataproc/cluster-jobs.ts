import type { JobControllerClient, protos } from '@google-cloud/dataproc';
import { ComportaError } from '../../errors';
import type { OpenClient } from '../../google/sign-in';
import type { DataprocConnection } from '../../pipeline/pipeline';
import type { PlatformTry } from '../jobs/platform';
import { CALL_OPTIONS } from './call-options';
import { tryOf, type DataprocCalls, type DataprocSubmission } from './dataproc-platform';
import { isNotFound } from './errors';
import { clusterName, labelsOf, requestId } from './names';

/** Source: google/cloud/dataproc/v1/jobs.proto, JobStatus.State; the others have not ended. */
const OUTCOMES: Readonly<Record<string, PlatformTry['outcome']>> = {
  DONE: 'succeeded',
  ERROR: 'failed',
  CANCELLED: 'failed',
  // Of jobs that Dataproc itself starts again, which these are not.
  ATTEMPT_FAILURE: 'failed',
};

type Placement = Pick<
  protos.google.cloud.dataproc.v1.IJobPlacement,
  'clusterName' | 'clusterLabels'
>;
type ClusterTarget = Exclude<DataprocConnection['runOn'], { readonly serverless: unknown }>;

/** Jobs on a cluster that is there; one of a batch is looked for by its name. */
export function clusterJobs(
  client: OpenClient<JobControllerClient>,
  connection: DataprocConnection,
  target: ClusterTarget,
): DataprocCalls {
  const { project: projectId, region, labels, properties, jars } = connection;
  return {
    noun: 'job',
    async get(id) {
      const [job] = await (
        await client.get()
      ).getJob({ projectId, region, jobId: id }, CALL_OPTIONS);
      return tryOf(id, job.status?.state, OUTCOMES, {
        detail: job.status?.details ?? null,
        outputAt: job.driverOutputResourceUri ?? null,
      });
    },
    async create({ id, script, args, labels: ofJob }) {
      const opened = await client.get();
      const job = {
        reference: { projectId, jobId: id },
        placement: placementOf(connection.name, target, ofJob),
        pysparkJob: {
          mainPythonFileUri: script,
          args,
          jarFileUris: [...jars],
          properties: { ...properties },
        },
        labels: labelsOf({ ...ofJob, ...labels }),
        // Temporal is the only one that tries again.
        scheduling: { maxFailuresPerHour: 0, maxFailuresTotal: 0 },
      };
      try {
        const request = { projectId, region, requestId: requestId(id), job };
        await opened.submitJob(request, CALL_OPTIONS);
      } catch (error) {
        if ('ephemeralCluster' in target && isNotFound(error)) throw clusterIsGone(job.placement);
        throw error;
      }
    },
    async cancel(id) {
      await (await client.get()).cancelJob({ projectId, region, jobId: id }, CALL_OPTIONS);
    },
    close: () => client.close(),
  };
}

function placementOf(
  connection: string,
  target: ClusterTarget,
  batch: DataprocSubmission['labels'],
): Placement {
  if ('ephemeralCluster' in target) return { clusterName: clusterName(connection, batch) };
  const { cluster } = target;
  return 'name' in cluster
    ? { clusterName: cluster.name }
    : { clusterLabels: { ...cluster.labels } };
}

/** Where the cluster is the user's own, its absence is a mistake; this one is made again. */
function clusterIsGone({ clusterName }: Placement): ComportaError {
  return new ComportaError('EngineFailed', `cluster ${clusterName} was deleted before the job`, {
    remedy: 'the load is tried again with a new one; see whether `idleTtl` is too short',
  });
}
