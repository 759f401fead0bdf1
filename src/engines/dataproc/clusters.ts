import type { ClusterControllerClient, protos } from '@google-cloud/dataproc';
import { CALL_OPTIONS } from './call-options';
import { isNotFound } from './errors';

export type Cluster = protos.google.cloud.dataproc.v1.ICluster;

/** Source: google/cloud/dataproc/v1/clusters.proto, ClusterStatus.State. */
export const TAKES_JOBS: ReadonlySet<string> = new Set([
  'RUNNING',
  'UPDATING',
  'ERROR_DUE_TO_UPDATE',
]);

/** Undefined when there is none of this name. Throws as the client does. */
export async function findCluster(
  client: ClusterControllerClient,
  request: {
    readonly projectId: string;
    readonly region: string;
    readonly clusterName: string;
  },
): Promise<Cluster | undefined> {
  try {
    const [found] = await client.getCluster(request, CALL_OPTIONS);
    return found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
