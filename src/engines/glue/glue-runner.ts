import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GlueClient } from '@aws-sdk/client-glue';
import type { GlueConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import type { JobStore } from '../jobs/job-store';
import { createPlatformRunner, type PlatformRunnerOptions } from '../jobs/platform-runner';
import type { JobRunner } from '../spark/job-runner';
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
  const { region, endpoint, accessKeyId, secretAccessKey } = connection;
  const settings = {
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
  const clients = { glue: new GlueClient(settings), logs: new CloudWatchLogsClient(settings) };
  return createPlatformRunner(createGluePlatform(clients, connection, store), options);
}
