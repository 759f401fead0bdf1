import { join } from 'node:path';
import type { BigqueryService } from '../../scripts/services/bigquery';
import { startBigquery } from '../../scripts/services/bigquery';
import { startGcs, type NativeGcsService } from '../../scripts/services/gcs';
import type { DatabaseService } from '../../scripts/services/service';
import { copyToServer } from './platform-endpoint/bucket-server';
import { startDataprocEndpoint, type DataprocEndpoint } from './platform-endpoint/dataproc-server';
import { sparkCommand } from './platform-endpoint/spark-command';
import { startSecretManager, type SecretManager } from './secret-manager';

/** The file that the servers below are for. */
export const SLMANDIC_FILE = join(__dirname, '../../pipelines/slmandic.yaml');

const BUCKET = 'bucket-slmandic-datalake-hml';
const CLUSTER = 'dataproc-cluster-slmandic-datalake-hml';
const PASSWORD = 'projects/slmandic-datalake-hml/secrets/slmandic-mysql-password';

/** Everything of Google's that pipelines/slmandic.yaml speaks of, on this machine. */
export interface SlmandicServers {
  readonly gcs: NativeGcsService;
  readonly bigquery: BigqueryService;
  readonly dataproc: DataprocEndpoint;
  readonly secretManager: SecretManager;
  /** The lake's bucket as a folder of this machine. */
  readonly lake: string;
  /** What a worker and the commands need beside the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Stops all of them, and the jobs that run. */
  close(): Promise<void>;
}

export interface SlmandicOptions {
  /** The database that stands for the one on Aurora; `database` is the one to load. */
  readonly source: Pick<DatabaseService, 'host' | 'port' | 'user' | 'password' | 'database'>;
  /** For what jobs print. */
  readonly folder: string;
  /** Told about slow steps such as an installation. Default: silent. */
  readonly progress?: (line: string) => void;
}

export async function startSlmandicServers({
  source,
  folder,
  progress = () => undefined,
}: SlmandicOptions): Promise<SlmandicServers> {
  const secretManager = await startSecretManager();
  secretManager.add(PASSWORD, source.password);
  const gcs = await startGcs({ bucket: BUCKET, progress });
  const [bigquery, run] = await Promise.all([
    startBigquery({ gcsEndpoint: gcs.endpoint, progress }),
    sparkCommand(secretManager.jobEnvironment, gcs.endpoint),
  ]);
  const dataproc = await startDataprocEndpoint({
    buckets: folder,
    copyOutput: copyToServer(gcs.endpoint),
    run,
  });
  dataproc.clusters.set(CLUSTER, {});
  return {
    ...{ gcs, bigquery, dataproc, secretManager },
    lake: join(gcs.directory, 'data', BUCKET),
    environment: {
      SLMANDIC_HOST: source.host,
      SLMANDIC_PORT: String(source.port),
      SLMANDIC_USER: source.user,
      SLMANDIC_DATABASE: source.database,
      SLMANDIC_STORAGE_ENDPOINT: gcs.endpoint,
      SLMANDIC_DATAPROC_ENDPOINT: dataproc.url,
      SLMANDIC_BIGQUERY_ENDPOINT: bigquery.endpoint,
      COMPORTA_SECRET_MANAGER_ENDPOINT: secretManager.endpoint,
    },
    async close() {
      await dataproc.close();
      await Promise.all([bigquery.stop(), gcs.stop()]);
      secretManager.stop();
    },
  };
}
