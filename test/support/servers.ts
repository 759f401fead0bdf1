import { startBigquery } from '../../scripts/services/bigquery';
import { startGcs } from '../../scripts/services/gcs';
import { startMariadb } from '../../scripts/services/mariadb';
import { startMoto } from '../../scripts/services/moto';
import { startMysql } from '../../scripts/services/mysql';
import { startPostgres } from '../../scripts/services/postgres';
import { startS3 } from '../../scripts/services/s3';
import { startTemporal } from '../../scripts/services/temporal';

/**
 * Servers shared by all tests of one mocha process, started when first asked for and stopped when
 * the process ends. A test that restarts or kills a server starts one of its own. Tests share
 * nothing on them: each makes databases, buckets or namespaces of its own (see `uniqueName`).
 */
function shared<Service>(start: () => Promise<Service>): () => Promise<Service> {
  let started: Promise<Service> | undefined;
  return () => (started ??= start());
}

export const sharedMariadb = shared(() => startMariadb());
export const sharedMysql = shared(() => startMysql());
export const sharedPostgres = shared(() => startPostgres());
export const sharedS3 = shared(() => startS3());
export const sharedGcs = shared(() => startGcs());
/** It reads the buckets of `sharedGcs`. */
export const sharedBigquery = shared(async () =>
  startBigquery({ gcsEndpoint: (await sharedGcs()).endpoint }),
);
export const sharedMoto = shared(() => startMoto());
export const sharedTemporal = shared(() => startTemporal({ headless: true }));

let counter = 0;

/** A name that no other test of this process uses: `t3_orders`. */
export function uniqueName(stem: string): string {
  counter += 1;
  return `t${counter}_${stem}`;
}
