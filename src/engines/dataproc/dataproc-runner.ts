import {
  BatchControllerClient,
  ClusterControllerClient,
  JobControllerClient,
} from '@google-cloud/dataproc';
import { plainServer } from '../../google/plain-server';
import { openedOnce } from '../../google/sign-in';
import type { DataprocConnection, EphemeralCluster } from '../../pipeline/pipeline';
import type { JobStore } from '../jobs/job-store';
import { createPlatformRunner, type PlatformRunnerOptions } from '../jobs/platform-runner';
import type { JobRunner } from '../spark/job-runner';
import { batches } from './batches';
import { clusterJobs } from './cluster-jobs';
import { createDataprocPlatform } from './dataproc-platform';
import { ephemeralClusters, type EphemeralClusters } from './ephemeral-clusters';

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
  if ('serverless' in runOn) {
    const client = openedOnce(() => new BatchControllerClient(serverOf(connection)));
    const calls = batches(client, connection, runOn.serverless);
    return createPlatformRunner(createDataprocPlatform(calls, store, connection.name), options);
  }
  const client = openedOnce(() => new JobControllerClient(serverOf(connection)));
  const calls = clusterJobs(client, connection, runOn);
  const platform = createDataprocPlatform(calls, store, connection.name);
  if ('cluster' in runOn) return createPlatformRunner(platform, options);
  const clusters = openEphemeralClusters(connection, runOn.ephemeralCluster);
  return createPlatformRunner(
    {
      ...platform,
      prepare: ({ labels }, patience) => clusters.ready(labels, patience),
      async close() {
        await Promise.all([platform.close(), clusters.close()]);
      },
    },
    options,
  );
}

/** The clusters of batches, apart from any job on them. */
export function openEphemeralClusters(
  connection: DataprocConnection,
  settings: EphemeralCluster,
): EphemeralClusters {
  const client = openedOnce(() => new ClusterControllerClient(serverOf(connection)));
  return ephemeralClusters(client, connection, settings);
}

/** Options of a generated client. */
export function serverOf({ project: projectId, region, endpoint }: DataprocConnection) {
  if (endpoint === undefined) {
    // Jobs and clusters of a region are known to its own server only.
    return { projectId, apiEndpoint: `${region}-dataproc.googleapis.com` };
  }
  return { projectId, ...plainServer(new URL(endpoint)) };
}
