import type { ClusterControllerClient } from '@google-cloud/dataproc';
import { ComportaError } from '../../errors';
import type { OpenClient } from '../../google/sign-in';
import type { DataprocConnection, EphemeralCluster } from '../../pipeline/pipeline';
import type { Patience } from '../jobs/patience';
import { CALL_OPTIONS } from './call-options';
import { findCluster, TAKES_JOBS, type Cluster } from './clusters';
import { dataprocError, dataprocJobFailure, isAlreadyThere, isNotFound } from './errors';
import { clusterName, labelsOf, type BatchName } from './names';

/**
 * Clusters that are made for a batch. Whoever comes first makes one, and all others find it: its name
 * is made from the batch, and Dataproc has no name twice. Methods throw ComportaError, and tell by
 * `patience.report` what a cluster is at.
 */
export interface EphemeralClusters {
  /** Resolves when the batch's cluster takes jobs, having made it where there is none. */
  ready(batch: BatchName, patience: Patience): Promise<void>;
  /** Deletes the batch's cluster, whatever state it is in; resolves when it is gone. */
  remove(batch: BatchName, patience: Patience): Promise<void>;
  close(): Promise<void>;
}

/** Source: google/cloud/dataproc/v1/clusters.proto, ClusterStatus.State. */
const BROKEN = new Set(['ERROR', 'STOPPED']);

const FIRST_LOOK_MS = 1_000;
const SLOWER_BY = 1.5;
const LONGEST_BETWEEN_LOOKS_MS = 10_000;

/** So that jobs can read secrets; what is allowed is said by the account's roles. */
const ALL_SCOPES = 'https://www.googleapis.com/auth/cloud-platform';

export function ephemeralClusters(
  client: OpenClient<ClusterControllerClient>,
  { name: connection, project: projectId, region, labels }: DataprocConnection,
  settings: EphemeralCluster,
): EphemeralClusters {
  const attempting = async <Result>(action: string, call: () => Promise<Result>) => {
    try {
      return await call();
    } catch (error) {
      throw dataprocError(error, { action, connection });
    }
  };
  const look = (clusterName: string) =>
    attempting(`look at cluster ${clusterName}`, async () =>
      findCluster(await client.get(), { projectId, region, clusterName }),
    );
  const create = ({ pipeline, batch }: BatchName, name: string) =>
    attempting(`create cluster ${name}`, async () => {
      const opened = await client.get();
      const cluster: Cluster = {
        ...{ projectId, clusterName: name },
        labels: labelsOf({ pipeline, batch, 'made-by': 'comporta', ...labels }),
        config: clusterConfig(settings),
      };
      try {
        // No request id: with the one of a cluster that is gone, nothing would be made.
        await opened.createCluster({ projectId, region, cluster }, CALL_OPTIONS);
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
      }
    });
  /** Of the one that was seen, and not of another one that has its name since. */
  const drop = (clusterName: string, { clusterUuid }: Cluster) =>
    attempting(`delete cluster ${clusterName}`, async () => {
      const opened = await client.get();
      try {
        const request = { projectId, region, clusterName, clusterUuid: clusterUuid ?? '' };
        await opened.deleteCluster(request, CALL_OPTIONS);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });

  return {
    async ready(batch, patience) {
      const name = clusterName(connection, batch);
      let asked = false;
      for (let between = FIRST_LOOK_MS; ; between = slower(between)) {
        const found = await patience.with(() => look(name));
        if (found !== undefined) {
          const { state, detail } = stateOf(found);
          if (TAKES_JOBS.has(state)) return;
          if (BROKEN.has(state)) {
            await patience.with(() => drop(name, found));
            throw dataprocJobFailure(`Dataproc cluster ${name}`, state, detail, { connection });
          }
          patience.report(`cluster ${name}: ${state}`);
        } else if (asked) {
          throw new ComportaError('EngineFailed', `cluster ${name} was deleted while it began`, {
            remedy: 'see the operations of Dataproc; the load is tried again with a new one',
          });
        } else {
          await patience.with(() => create(batch, name));
          asked = true;
          continue;
        }
        await patience.pause(between);
      }
    },
    async remove(batch, patience) {
      const name = clusterName(connection, batch);
      for (let between = FIRST_LOOK_MS; ; between = slower(between)) {
        const found = await patience.with(() => look(name));
        if (found === undefined) return;
        const { state } = stateOf(found);
        if (state !== 'DELETING') await patience.with(() => drop(name, found));
        patience.report(`cluster ${name}: ${state}`);
        await patience.pause(between);
      }
    },
    close: () => client.close(),
  };
}

function slower(between: number): number {
  return Math.min(between * SLOWER_BY, LONGEST_BETWEEN_LOOKS_MS);
}

function stateOf({ status }: Cluster): { readonly state: string; readonly detail?: string } {
  const detail = status?.detail;
  return { state: String(status?.state), ...(detail ? { detail } : {}) };
}

/** What is undefined is left out: Dataproc takes an empty text for one. */
export function clusterConfig(settings: EphemeralCluster) {
  const { diskGb, kmsKey, workers, secondaryWorkers } = settings;
  const machines = (numInstances: number, machineTypeUri?: string) => ({
    numInstances,
    ...(machineTypeUri === undefined ? {} : { machineTypeUri }),
    ...(diskGb === undefined ? {} : { diskConfig: { bootDiskSizeGb: diskGb } }),
  });
  // Dataproc, "Single-node clusters": a cluster of one machine has to be allowed.
  const single: Record<string, string> =
    workers === 0 ? { 'dataproc:dataproc.allow.zero.workers': 'true' } : {};
  return {
    masterConfig: machines(1, settings.masterMachineType),
    ...(workers === 0 ? {} : { workerConfig: machines(workers, settings.workerMachineType) }),
    ...(secondaryWorkers === 0
      ? {}
      : {
          secondaryWorkerConfig: {
            ...machines(secondaryWorkers),
            preemptibility: 'SPOT' as const,
          },
        }),
    gceClusterConfig: {
      serviceAccountScopes: [ALL_SCOPES],
      tags: [...settings.networkTags],
      ...(settings.zone === undefined ? {} : { zoneUri: settings.zone }),
      ...(settings.subnetwork === undefined ? {} : { subnetworkUri: settings.subnetwork }),
      ...(settings.serviceAccount === undefined ? {} : { serviceAccount: settings.serviceAccount }),
      ...(settings.internalIpOnly === undefined ? {} : { internalIpOnly: settings.internalIpOnly }),
    },
    softwareConfig: {
      properties: { ...single, ...settings.properties },
      ...(settings.imageVersion === undefined ? {} : { imageVersion: settings.imageVersion }),
    },
    lifecycleConfig: {
      idleDeleteTtl: { seconds: Math.ceil(settings.idleTtlMs / 1000) },
      autoDeleteTtl: { seconds: Math.ceil(settings.maxAgeMs / 1000) },
    },
    ...(settings.stagingBucket === undefined ? {} : { configBucket: settings.stagingBucket }),
    ...(settings.autoscalingPolicy === undefined
      ? {}
      : { autoscalingConfig: { policyUri: settings.autoscalingPolicy } }),
    ...(kmsKey === undefined ? {} : { encryptionConfig: { gcePdKmsKeyName: kmsKey } }),
  };
}
