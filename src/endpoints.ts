import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as BigqueryDestination from './destinations/bigquery/bigquery-destination';
import type { Destination, StagingArea } from './destinations/destination';
import type * as FileStore from './destinations/parquet/file-store';
import type * as GcsStore from './destinations/parquet/gcs-store';
import type * as ParquetDestination from './destinations/parquet/parquet-destination';
import type * as ParquetStaging from './destinations/parquet/parquet-staging';
import type * as S3Store from './destinations/parquet/s3-store';
import type { ObjectStore } from './destinations/parquet/storage';
import type * as DataprocCheck from './engines/dataproc/check-dataproc';
import type * as DataprocRunner from './engines/dataproc/dataproc-runner';
import type { EphemeralClusters } from './engines/dataproc/ephemeral-clusters';
import type * as GlueRunner from './engines/glue/glue-runner';
import type { JobStore } from './engines/jobs/job-store';
import { createLakeJobStore } from './engines/jobs/lake-job-store';
import type { PlatformReport } from './engines/jobs/platform-report';
import type { JobRunner } from './engines/spark/job-runner';
import { ComportaError } from './errors';
import type { Notifier } from './notify/notice';
import type * as Slack from './notify/slack';
import type * as Smtp from './notify/smtp';
import {
  isLake,
  type BigqueryConnection,
  type Connection,
  type DatabaseConnection,
  type DataprocConnection,
  type DestinationSettings,
  type EphemeralCluster,
  type GlueConnection,
  type LakeConnection,
  type Pipeline,
  type Project,
  type TableSettings,
} from './pipeline/pipeline';
import type { SecretStore } from './pipeline/secrets';
import type * as MysqlSource from './sources/mysql/mysql-source';
import type * as PostgresSource from './sources/postgres/postgres-source';
import type { Source } from './sources/source';

/**
 * Where a pipeline reads, as plain data: it may cross to another thread, process or machine. Secrets
 * are references; whoever opens it fetches them.
 */
export interface SourceEndpoint {
  readonly connection: DatabaseConnection;
  /** As `Pipeline.source.schemas`. */
  readonly schemas: readonly string[];
}

/** Where a pipeline writes, as plain data. */
export interface DestinationEndpoint {
  /** The lake: where rows are staged, and kept. */
  readonly connection: LakeConnection;
  readonly settings: Pick<DestinationSettings, 'compression' | 'zstdLevel'>;
  /** Whose tables are filled from the lake. Undefined: none. */
  readonly bigquery?: {
    readonly connection: BigqueryConnection;
    readonly tablePrefix?: string;
  };
}

/** Throws ConfigurationInvalid when the connection is absent or no database. */
export function sourceEndpoint(project: Project, { source }: Pipeline): SourceEndpoint {
  const connection = connectionOf(project, source.connection);
  if (connection.type === 'mysql' || connection.type === 'postgres') {
    return { connection, schemas: source.schemas };
  }
  throw wrongType(connection, 'a mysql or postgres connection');
}

/** Throws ConfigurationInvalid when the connection is absent or no lake. */
export function destinationEndpoint(
  project: Project,
  { destination: { connection: name, tablePrefix, compression, zstdLevel } }: Pipeline,
): DestinationEndpoint {
  const connection = connectionOf(project, name);
  const settings = { compression, zstdLevel };
  if (isLake(connection)) return { connection, settings };
  if (connection.type !== 'bigquery') {
    throw wrongType(connection, 'a file, s3, gcs or bigquery connection');
  }
  const lake = connectionOf(project, connection.lake);
  if (lake.type !== 'gcs') throw wrongType(lake, 'a gcs connection');
  const bigquery = { connection, ...(tablePrefix === undefined ? {} : { tablePrefix }) };
  return { connection: lake, settings, bigquery };
}

/**
 * Modules are loaded when an endpoint first needs them: a thread that reads MySQL into a folder has
 * no use for the drivers of PostgreSQL, S3 and DuckDB, which take longer to load than a small table.
 */
const load = createRequire(__filename);

export function openSource({ connection, schemas }: SourceEndpoint, secrets: SecretStore): Source {
  switch (connection.type) {
    case 'mysql': {
      const { createMysqlSource } = load('./sources/mysql/mysql-source') as typeof MysqlSource;
      return createMysqlSource(connection, secrets);
    }
    case 'postgres': {
      const module = load('./sources/postgres/postgres-source') as typeof PostgresSource;
      return module.createPostgresSource(connection, schemas, secrets);
    }
  }
}

/** All of a lake, and the tables that follow it: reading it, publishing to it, keeping it. */
export function openDestination(
  { connection, settings, bigquery }: DestinationEndpoint,
  secrets: SecretStore,
): Destination {
  const store = openStore(connection, secrets);
  if (bigquery !== undefined) {
    const { createBigqueryDestination } = load(
      './destinations/bigquery/bigquery-destination',
    ) as typeof BigqueryDestination;
    const { tablePrefix } = bigquery;
    return createBigqueryDestination(store, bigquery.connection, { ...settings, tablePrefix });
  }
  const { createParquetDestination } = load(
    './destinations/parquet/parquet-destination',
  ) as typeof ParquetDestination;
  return createParquetDestination(store, settings);
}

/** The part of a lake that takes rows. */
export function openStaging(
  { connection, settings }: DestinationEndpoint,
  secrets: SecretStore,
): StagingArea {
  const { createParquetStaging } = load(
    './destinations/parquet/parquet-staging',
  ) as typeof ParquetStaging;
  return createParquetStaging(openStore(connection, secrets), settings);
}

/** Where jobs run, and the lake that keeps their script. */
export interface PlatformEndpoint {
  readonly connection: DataprocConnection | GlueConnection;
  readonly lake: DestinationEndpoint['connection'];
}

/** Throws ConfigurationInvalid when the platform's connection is absent or not of the engine's type. */
export function platformEndpoint(
  project: Project,
  pipeline: Pipeline,
  { engine, platform }: Pick<TableSettings, 'engine' | 'platform'>,
): PlatformEndpoint {
  const connection = connectionOf(project, platform ?? '');
  if (
    (connection.type !== 'dataproc' && connection.type !== 'glue') ||
    connection.type !== engine
  ) {
    throw wrongType(connection, `a ${engine} connection`);
  }
  return { connection, lake: destinationEndpoint(project, pipeline).connection };
}

export function openJobRunner(
  { connection, lake }: PlatformEndpoint,
  secrets: SecretStore,
): JobRunner {
  const opened = openStore(lake, secrets);
  const store = createLakeJobStore({
    lake: opened,
    openFolder: (url) => openStore(folderBeside(lake, url), secrets),
  });
  const runner = runnerOf(connection, secrets, store);
  return {
    run: (job, watch) => runner.run(job, watch),
    async close() {
      await runner.close();
      await opened.close();
    },
  };
}

/** A connection that makes clusters for batches. */
export interface ClustersEndpoint {
  readonly connection: DataprocConnection;
  readonly settings: EphemeralCluster;
}

/** Throws ConfigurationInvalid when the connection is absent or makes no clusters. */
export function clustersEndpoint(project: Project, name: string): ClustersEndpoint {
  const connection = connectionOf(project, name);
  if (connection.type === 'dataproc' && 'ephemeralCluster' in connection.runOn) {
    return { connection, settings: connection.runOn.ephemeralCluster };
  }
  throw wrongType(connection, 'a dataproc connection with ephemeralCluster');
}

export function openClusters({ connection, settings }: ClustersEndpoint): EphemeralClusters {
  return dataprocRunner().openEphemeralClusters(connection, settings);
}

/** Looks at a platform that a pipeline names. Throws ComportaError where it cannot be asked. */
export async function checkPlatform(
  project: Project,
  { concurrency }: Pipeline,
  name: string,
  secrets: SecretStore,
): Promise<PlatformReport> {
  const connection = connectionOf(project, name);
  if (connection.type === 'dataproc') {
    const { checkDataproc } = load('./engines/dataproc/check-dataproc') as typeof DataprocCheck;
    return checkDataproc(connection);
  }
  if (connection.type === 'glue') {
    return glueRunner().checkGlueConnection(connection, secrets, concurrency);
  }
  throw wrongType(connection, 'a dataproc or glue connection');
}

function glueRunner() {
  return load('./engines/glue/glue-runner') as typeof GlueRunner;
}

function dataprocRunner() {
  return load('./engines/dataproc/dataproc-runner') as typeof DataprocRunner;
}

function runnerOf(
  connection: PlatformEndpoint['connection'],
  secrets: SecretStore,
  store: JobStore,
): JobRunner {
  switch (connection.type) {
    case 'dataproc':
      return dataprocRunner().createDataprocRunner(connection, store);
    case 'glue':
      return glueRunner().createGlueRunner(connection, secrets, store);
  }
}

/** The folder of a URL, read with what the lake is read with: another bucket of the same account. */
function folderBeside(lake: DestinationEndpoint['connection'], url: string) {
  if (lake.type === 'file') return { ...lake, path: fileURLToPath(url) };
  const [bucket = '', ...folders] = url.slice(url.indexOf('://') + 3).split('/');
  return { ...lake, bucket, prefix: folders.join('/') };
}

/** Throws ConfigurationInvalid when the connection is absent or no channel. */
export function openNotifier(project: Project, name: string, secrets: SecretStore): Notifier {
  const connection = connectionOf(project, name);
  if (connection.type === 'slack') {
    const { createSlackNotifier } = load('./notify/slack') as typeof Slack;
    return createSlackNotifier(connection, secrets);
  }
  if (connection.type === 'smtp') {
    const { createSmtpNotifier } = load('./notify/smtp') as typeof Smtp;
    return createSmtpNotifier(connection, secrets);
  }
  throw wrongType(connection, 'a slack or smtp connection');
}

/** The storage that a lake lies in. */
export function openStore(connection: LakeConnection, secrets: SecretStore): ObjectStore {
  switch (connection.type) {
    case 'file': {
      const { createFileStore } = load('./destinations/parquet/file-store') as typeof FileStore;
      return createFileStore(connection.path);
    }
    case 's3': {
      const { createS3Store } = load('./destinations/parquet/s3-store') as typeof S3Store;
      return createS3Store(connection, secrets);
    }
    case 'gcs': {
      const { createGcsStore } = load('./destinations/parquet/gcs-store') as typeof GcsStore;
      return createGcsStore(connection, secrets);
    }
  }
}

function connectionOf(project: Project, name: string): Connection {
  const connection = project.connections.get(name);
  if (connection === undefined) {
    throw new ComportaError('ConfigurationInvalid', `there is no connection "${name}"`, {
      remedy: 'add it to connections.yaml',
    });
  }
  return connection;
}

function wrongType(connection: Connection, wanted: string): ComportaError {
  return new ComportaError(
    'ConfigurationInvalid',
    `connection "${connection.name}" is of type ${connection.type}, not ${wanted}`,
    { remedy: 'name another connection in the pipeline file' },
  );
}
