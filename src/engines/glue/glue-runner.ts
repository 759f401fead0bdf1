import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GlueClient } from '@aws-sdk/client-glue';
import type { GlueConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import type { JobStore } from '../jobs/job-store';
import type { PlatformReport } from '../jobs/platform-report';
import { createPlatformRunner, type PlatformRunnerOptions } from '../jobs/platform-runner';
import type { JobRunner } from '../spark/job-runner';
import { checkGlue } from './check-glue';
import { createGluePlatform } from './glue-platform';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Runs jobs as runs of a Glue job. `store` is where the script goes. */
export function createGlueRunner(
  connection: GlueConnection,
  secrets: SecretStore,
  store: Pick<JobStore, 'upload'>,
  options: PlatformRunnerOptions = {},
): JobRunner {
  const settings = clientSettings(connection, secrets);
  const clients = { glue: new GlueClient(settings), logs: new CloudWatchLogsClient(settings) };
  return createPlatformRunner(createGluePlatform(clients, connection, store), options);
}

/** A look at the Glue job, before any run. `concurrency`: loads at once. */
export async function checkGlueConnection(
  connection: GlueConnection,
  secrets: SecretStore,
  concurrency: number,
): Promise<PlatformReport> {
  const client = new GlueClient(clientSettings(connection, secrets));
  try {
    return await checkGlue(client, connection, concurrency);
  } finally {
    client.destroy();
  }
}

function clientSettings(
  { region, endpoint, accessKeyId, secretAccessKey }: GlueConnection,
  secrets: SecretStore,
) {
  return {
    region,
    // StartJobRun repeated by the SDK would be a second run: the runner repeats, and looks first.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: async () => ({
            accessKeyId: await secrets.read(accessKeyId),
            secretAccessKey: await secrets.read(secretAccessKey),
          }),
        }),
  };
}
