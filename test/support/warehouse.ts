import { BigQuery, type JobMetadata } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { createGcsStore } from '../../src/destinations/parquet/gcs-store';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import type { BigqueryConnection, GcsConnection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import { sharedBigquery, sharedGcs, uniqueName } from './servers';

/** A new dataset on the shared emulator, and the lake that its tables are filled from. */
export interface TestWarehouse {
  readonly connection: BigqueryConnection;
  readonly lake: GcsConnection;
  /** The lake, opened. */
  readonly store: ObjectStore;
  /** The emulator's own client. */
  readonly client: BigQuery;
  /** Rows of a statement, in which `{orders}` stands for a table of the dataset. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
  /** Names of the dataset's tables, sorted. */
  tables(): Promise<string[]>;
  /** Jobs of the dataset's loads, oldest first, as BigQuery knows them. */
  jobs(): Promise<JobMetadata[]>;
}

export async function newWarehouse(): Promise<TestWarehouse> {
  const [bigquery, gcs] = [await sharedBigquery(), await sharedGcs()];
  const dataset = uniqueName('house');
  const lake: GcsConnection = {
    type: 'gcs',
    name: 'lake',
    bucket: gcs.bucket,
    prefix: uniqueName('lake'),
    endpoint: gcs.endpoint,
  };
  const connection: BigqueryConnection = {
    type: 'bigquery',
    name: 'house',
    project: bigquery.project,
    dataset,
    endpoint: bigquery.endpoint,
    lake: lake.name,
  };
  const client = new BigQuery({
    projectId: bigquery.project,
    apiEndpoint: bigquery.endpoint,
    authClient: new PassThroughClient(),
  });
  await client.createDataset(dataset);
  return {
    connection,
    lake,
    store: createGcsStore(lake, localSecretStore({})),
    client,
    async sql(statement) {
      const query = statement.replace(
        /\{(\w+)\}/g,
        (_all, table: string) => `\`${bigquery.project}.${dataset}.${table}\``,
      );
      const [rows] = await client.query({ query });
      return rows as Record<string, unknown>[];
    },
    async tables() {
      const [tables] = await client.dataset(dataset).getTables();
      return tables.map(({ id }) => id ?? '').sort();
    },
    async jobs() {
      const [jobs] = await client.getJobs();
      const own = new RegExp(`\\b${dataset}\\b`);
      const found = jobs
        .map(({ metadata }) => metadata as JobMetadata)
        .filter(({ configuration }) => own.test(JSON.stringify(configuration)));
      return found.reverse();
    },
  };
}
