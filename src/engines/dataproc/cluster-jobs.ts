import type { JobControllerClient } from '@google-cloud/dataproc';
import type { OpenClient } from '../../google/sign-in';
import type { DataprocCluster, DataprocConnection } from '../../pipeline/pipeline';
import type { PlatformTry } from '../jobs/platform';
import { CALL_OPTIONS, tryOf, type DataprocCalls } from './dataproc-platform';
import { labelsOf, requestId } from './names';

/** Source: google/cloud/dataproc/v1/jobs.proto, JobStatus.State; the others have not ended. */
const OUTCOMES: Readonly<Record<string, PlatformTry['outcome']>> = {
  DONE: 'succeeded',
  ERROR: 'failed',
  CANCELLED: 'failed',
  // Of jobs that Dataproc itself starts again, which these are not.
  ATTEMPT_FAILURE: 'failed',
};

/** Jobs on a cluster that is there. */
export function clusterJobs(
  client: OpenClient<JobControllerClient>,
  { project: projectId, region, labels, properties, jars }: DataprocConnection,
  cluster: DataprocCluster,
): DataprocCalls {
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
      await (
        await client.get()
      ).submitJob(
        {
          projectId,
          region,
          requestId: requestId(id),
          job: {
            reference: { projectId, jobId: id },
            placement:
              'name' in cluster
                ? { clusterName: cluster.name }
                : { clusterLabels: { ...cluster.labels } },
            pysparkJob: {
              mainPythonFileUri: script,
              args,
              jarFileUris: [...jars],
              properties: { ...properties },
            },
            labels: labelsOf({ ...ofJob, ...labels }),
            // Temporal is the only one that tries again.
            scheduling: { maxFailuresPerHour: 0, maxFailuresTotal: 0 },
          },
        },
        CALL_OPTIONS,
      );
    },
    async cancel(id) {
      await (await client.get()).cancelJob({ projectId, region, jobId: id }, CALL_OPTIONS);
    },
    close: () => client.close(),
  };
}
