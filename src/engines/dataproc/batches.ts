import type { BatchControllerClient, protos } from '@google-cloud/dataproc';
import { operationsProtos } from 'google-gax';
import type { OpenClient } from '../../google/sign-in';
import type { DataprocConnection, DataprocServerless } from '../../pipeline/pipeline';
import type { PlatformTry } from '../jobs/platform';
import { CALL_OPTIONS } from './call-options';
import { tryOf, type DataprocCalls } from './dataproc-platform';
import { labelsOf, requestId } from './names';

/** Source: google/cloud/dataproc/v1/batches.proto, Batch.State; the others have not ended. */
const OUTCOMES: Readonly<Record<string, PlatformTry['outcome']>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'failed',
};

/** Serverless batches: no cluster, each with machines of its own. */
export function batches(
  client: OpenClient<BatchControllerClient>,
  { project, region, labels, properties, jars }: DataprocConnection,
  serverless: DataprocServerless,
): DataprocCalls {
  const parent = `projects/${project}/locations/${region}`;
  const get = async (id: string) => {
    const [batch] = await (
      await client.get()
    ).getBatch({ name: `${parent}/batches/${id}` }, CALL_OPTIONS);
    return batch;
  };
  return {
    noun: 'batch',
    async get(id) {
      const batch = await get(id);
      return tryOf(id, batch.state, OUTCOMES, {
        detail: batch.stateMessage ?? null,
        outputAt: batch.runtimeInfo?.outputUri ?? null,
      });
    },
    async create({ id, script, args, labels: ofJob }) {
      await (
        await client.get()
      ).createBatch(
        {
          parent,
          batchId: id,
          requestId: requestId(id),
          batch: {
            pysparkBatch: { mainPythonFileUri: script, args, jarFileUris: [...jars] },
            labels: labelsOf({ ...ofJob, ...labels }),
            runtimeConfig: { properties: { ...properties }, version: serverless.version ?? null },
            environmentConfig: { executionConfig: executionConfig(serverless) },
          },
        },
        CALL_OPTIONS,
      );
    },
    async cancel(id) {
      // A batch has no cancellation of its own; that of the operation that made it ends it.
      const { operation } = await get(id);
      const request = { name: operation ?? '' };
      await (
        await client.get()
      ).cancelOperation(
        operationsProtos.google.longrunning.CancelOperationRequest.create(request),
        CALL_OPTIONS,
      );
    },
    close: () => client.close(),
  };
}

function executionConfig({
  ttlMs,
  subnetwork,
  serviceAccount,
  networkTags,
  stagingBucket,
}: DataprocServerless): protos.google.cloud.dataproc.v1.IExecutionConfig {
  return {
    ttl: { seconds: Math.ceil(ttlMs / 1000) },
    networkTags: [...networkTags],
    serviceAccount: serviceAccount ?? null,
    stagingBucket: stagingBucket ?? null,
    ...(subnetwork === undefined ? {} : { subnetworkUri: subnetwork }),
  };
}
