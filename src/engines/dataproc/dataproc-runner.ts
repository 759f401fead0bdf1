import { BatchControllerClient, JobControllerClient } from '@google-cloud/dataproc';
import { plainServer } from '../../google/plain-server';
import { openedOnce } from '../../google/sign-in';
import type { DataprocConnection } from '../../pipeline/pipeline';
import type { JobStore } from '../jobs/job-store';
import { createPlatformRunner, type PlatformRunnerOptions } from '../jobs/platform-runner';
import type { JobRunner } from '../spark/job-runner';
import { batches } from './batches';
import { clusterJobs } from './cluster-jobs';
import { createDataprocPlatform } from './dataproc-platform';

/**
 * Runs jobs on a Dataproc cluster or as serverless batches. Signs in by the chain of Google's own
 * libraries. `store` is where scripts go and where drivers leave their output.
 */
export function createDataprocRunner(
  connection: DataprocConnection,
  store: JobStore,
  options: PlatformRunnerOptions = {},
): JobRunner {
  const { runOn } = connection;
  const server = () => serverOf(connection);
  const calls =
    'serverless' in runOn
      ? batches(
          openedOnce(() => new BatchControllerClient(server())),
          connection,
          runOn.serverless,
        )
      : clusterJobs(
          openedOnce(() => new JobControllerClient(server())),
          connection,
          runOn.cluster,
        );
  return createPlatformRunner(createDataprocPlatform(calls, store, connection.name), options);
}

function serverOf({ project: projectId, region, endpoint }: DataprocConnection) {
  if (endpoint === undefined) {
    // Jobs and clusters of a region are known to its own server only.
    return { projectId, apiEndpoint: `${region}-dataproc.googleapis.com` };
  }
  return { projectId, ...plainServer(new URL(endpoint)) };
}
