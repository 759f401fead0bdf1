/**
 * A pipeline file as types, after validation and with every default filled in. `load.ts` makes
 * these from YAML; nothing downstream sees the YAML.
 */

export type DetectionStrategy = 'auto' | 'log' | 'token' | 'cursor' | 'checksum' | 'always';
export type LoadMode = 'full' | 'incremental' | 'append';
export const ENGINES = ['embedded', 'spark', 'dataproc', 'glue'] as const;
export type EngineName = (typeof ENGINES)[number];

/** Where a secret is kept; the value is fetched when a connection is opened, never earlier. */
export type SecretReference =
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'file'; readonly path: string }
  /** Google Secret Manager: `projects/P/secrets/S/versions/V`. */
  | { readonly from: 'gsm'; readonly version: string }
  /** AWS Secrets Manager: a name or ARN, and of a secret in JSON the key whose value it is. */
  | { readonly from: 'asm'; readonly id: string; readonly key?: string };

export type Mask =
  /** Hex of SHA-256 over salt and value. */
  | { readonly method: 'sha256'; readonly salt: SecretReference }
  /** Hex of HMAC-SHA-256 of the value. */
  | { readonly method: 'hmac'; readonly key: SecretReference }
  /** Keeps the first `keepStart` and last `keepEnd` characters, the rest become `*`. */
  | { readonly method: 'partial'; readonly keepStart: number; readonly keepEnd: number }
  /** A fixed text in place of every value; NULL stays NULL. */
  | { readonly method: 'redact'; readonly text: string };

export interface DetectionSettings {
  readonly strategy: DetectionStrategy;
  /** A token younger than this on the source's clock is not settled. Default 5,000. */
  readonly settleMarginMs: number;
  /** Load anyway when the last load is older than this on the source's clock. Default 24 h. */
  readonly maxSkipAgeMs: number;
}

export interface CursorSettings {
  readonly column: string;
  /**
   * How far before the last seen cursor value to read again: milliseconds for dates and
   * timestamps, units for numbers. Default 0.
   */
  readonly lookBack: number;
}

/** Everything that decides how one table is loaded: the pipeline's defaults with its override laid over. */
export interface TableSettings {
  readonly engine: EngineName;
  /** Name of the connection where the jobs of the engines `dataproc` and `glue` run. */
  readonly platform?: string;
  readonly mode: LoadMode;
  readonly detection: DetectionSettings;
  readonly cursor?: CursorSettings;
  /** Columns that identify a row, for `incremental`. Default: the primary key. */
  readonly key?: readonly string[];
  /** Longest time for one attempt at the load. Default 2 h. */
  readonly timeoutMs: number;
  /** Attempts before the table is failed. Default 3. */
  readonly maximumAttempts: number;
  readonly excludeColumns: readonly string[];
  /** Columns read as the source's own text rendering, whatever their type. */
  readonly textColumns: readonly string[];
  readonly masks: Readonly<Record<string, Mask>>;
  /**
   * Columns that are masked under the table's own name, without a wildcard: the table is not loaded
   * when one is absent, as it may be there under another name. Default none.
   */
  readonly requiredColumns?: readonly string[];
  /** A condition in the source's SQL; only rows that meet it are loaded. */
  readonly where?: string;
  readonly invalidDates: 'null' | 'text' | 'fail';
  readonly onSchemaChange: 'accept' | 'fail';
  /** A table of twice as many bytes and more is loaded in chunks of about so many. Default 256 MiB. */
  readonly chunkBytes: number | 'off';
  readonly guard: GuardSettings;
  /** What its table is like in a destination in BigQuery. */
  readonly bigquery?: BigqueryTableSettings;
}

export const PARTITION_GRANULARITIES = ['hour', 'day', 'month', 'year'] as const;

/** A table of BigQuery, as far as people decide it. */
export interface BigqueryTableSettings {
  /** Undefined: the table has no partitions. */
  readonly partitionBy?: {
    readonly column: string;
    /** Default `day`. */
    readonly granularity: (typeof PARTITION_GRANULARITIES)[number];
  };
  /** One to four columns. */
  readonly clusterBy?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a load may not do to a table that had rows unless the source's own count confirms it. */
export interface GuardSettings {
  /** Largest share of the rows, 0 to 1, that may vanish in one load. Default 0.5. */
  readonly maxDropShare: number;
}

export interface TableSelection {
  /** Patterns with `*` and `?` against the table's id (`name`, or `schema.name`). Default `["*"]`. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** What an override says: any of a table's settings, and of `detection` and `guard` any part. */
export type TableSettingsChange = Partial<Omit<TableSettings, 'detection' | 'guard'>> & {
  readonly detection?: Partial<DetectionSettings>;
  readonly guard?: Partial<GuardSettings>;
};

export interface TableOverride {
  /** The pattern it was written under; later overrides win over earlier ones. */
  readonly pattern: string;
  /** See `settingsFor` for how it is laid over what is there. */
  readonly settings: TableSettingsChange;
}

export interface ScheduleSettings {
  readonly cron: readonly string[];
  /** IANA name. Default UTC. */
  readonly timeZone: string;
  /** What a due run does when the last one still runs. Default skip. */
  readonly overlap: 'skip' | 'bufferOne' | 'cancelOther' | 'terminateOther' | 'allowAll';
  /** How late a missed run may still start. Default 1 h. */
  readonly catchUpMs: number;
  readonly paused: boolean;
}

export interface RetentionSettings {
  /** Loads kept per table besides the present one. Default 3. */
  readonly runs: number;
  /** A load younger than this is kept whatever its number. Default 0. */
  readonly days: number;
}

export interface DestinationSettings {
  readonly type: 'parquet';
  /** Name of a `file`, `s3`, `gcs` or `bigquery` connection. */
  readonly connection: string;
  /** In BigQuery: what the names of its tables begin with. Default: nothing. */
  readonly tablePrefix?: string;
  readonly compression: 'zstd' | 'snappy' | 'none';
  /** 1 (fast) to 22 (small), for zstd. Default 1. */
  readonly zstdLevel: number;
  readonly retention: RetentionSettings;
}

export interface NotifySettings {
  /** Names of `slack` and `smtp` connections. */
  readonly to: readonly string[];
  /** A table not known to equal its source for longer is told of. Undefined: never. */
  readonly freshnessMs?: number;
}

export interface Pipeline {
  /** `[a-z][a-z0-9-]*`; the name of the pipeline in commands, workflow ids and paths. */
  readonly name: string;
  readonly description?: string;
  /** The file it was read from. */
  readonly file: string;
  /** First folder under raw/. Default: the pipeline's name. */
  readonly domain: string;
  readonly source: {
    readonly connection: string;
    /** PostgreSQL: schemas to look in, default `["public"]`. MySQL: empty, the connection names the database. */
    readonly schemas: readonly string[];
  };
  readonly tables: TableSelection;
  readonly defaults: TableSettings;
  readonly overrides: readonly TableOverride[];
  readonly destination: DestinationSettings;
  readonly schedule?: ScheduleSettings;
  /** Tables loaded at the same time. Default 8. */
  readonly concurrency: number;
  readonly notify?: NotifySettings;
}

/** Absolute paths of PEM files: whom to trust, and what to show a server that asks who is there. */
export interface TlsFilePaths {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

/** How to verify the server at the other end. */
export interface TlsSettings extends TlsFilePaths {
  /** `prefer` takes TLS if offered and verifies nothing; `verify-full` also checks the host name. */
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
}

export interface DatabaseConnection {
  readonly type: 'mysql' | 'postgres';
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: SecretReference;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly connectTimeoutMs: number;
  /** Tables loaded from it at the same time, whoever loads them. Undefined: no limit of its own. */
  readonly maxParallelLoads?: number;
  /** How long a statement's server may send nothing before it is asked whether it is at work. */
  readonly silenceTimeoutMs: number;
}

export interface FileConnection {
  readonly type: 'file';
  readonly name: string;
  /** Absolute path of the lake's root folder. */
  readonly path: string;
}

export interface S3Connection {
  readonly type: 's3';
  readonly name: string;
  readonly bucket: string;
  /** Key prefix without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly region: string;
  readonly endpoint?: string;
  readonly forcePathStyle: boolean;
  /** The key of KMS that encrypts every object. Undefined: as the bucket's settings say. */
  readonly kmsKey?: string;
  /** Without these the SDK's own credential chain decides. */
  readonly accessKeyId?: SecretReference;
  readonly secretAccessKey?: SecretReference;
  /** Undefined: the authorities that Node.js knows, and no certificate of this side. */
  readonly tls?: TlsFilePaths;
}

export interface GcsConnection {
  readonly type: 'gcs';
  readonly name: string;
  readonly bucket: string;
  /** Name prefix without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** Undefined: Google's own. One of http is sent no credentials. */
  readonly endpoint?: string;
  /** A key file's JSON. Without it the application default credentials decide. */
  readonly credentials?: SecretReference;
  /** The key of Cloud KMS that encrypts every object. Undefined: as the bucket's settings say. */
  readonly kmsKey?: string;
}

/** Where a lake lies. */
export type LakeConnection = FileConnection | S3Connection | GcsConnection;

export const LAKE_TYPES: readonly LakeConnection['type'][] = ['file', 's3', 'gcs'];

export function isLake(connection: Connection | undefined): connection is LakeConnection {
  return LAKE_TYPES.some((type) => type === connection?.type);
}

/** A dataset whose tables are filled from a lake in Google Cloud Storage. */
export interface BigqueryConnection {
  readonly type: 'bigquery';
  readonly name: string;
  readonly project: string;
  readonly dataset: string;
  /** Undefined: where BigQuery makes datasets unless told otherwise, the US. */
  readonly location?: string;
  /** Undefined: Google's own. One of http is sent no credentials. */
  readonly endpoint?: string;
  /** Name of the gcs connection that keeps what is loaded. */
  readonly lake: string;
}

/** What a pipeline may write to. */
export const DESTINATION_TYPES: readonly Connection['type'][] = [...LAKE_TYPES, 'bigquery'];

export interface SlackConnection {
  readonly type: 'slack';
  readonly name: string;
  /** The address of an incoming webhook: whoever has it can write to the channel. */
  readonly webhook: SecretReference;
}

export interface SmtpConnection {
  readonly type: 'smtp';
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Without these two nobody logs in. */
  readonly user?: string;
  readonly password?: SecretReference;
  readonly from: string;
  readonly to: readonly string[];
  readonly tls: TlsSettings;
}

/** A cluster that is there: by its name, or whichever has all of these labels. */
export type DataprocCluster =
  { readonly name: string } | { readonly labels: Readonly<Record<string, string>> };

/** What a serverless batch is given. */
export interface DataprocServerless {
  /** Of the runtime, such as `2.2`. Undefined: Dataproc's own default. */
  readonly version?: string;
  /** Dataproc ends a batch after this long. 10 minutes to 14 days; default 4 h. */
  readonly ttlMs: number;
  /** Undefined: the project's network of the name `default`. */
  readonly subnetwork?: string;
  /** E-mail. Undefined: the project's own of Compute Engine. */
  readonly serviceAccount?: string;
  readonly networkTags: readonly string[];
  /** Undefined: Dataproc makes one. */
  readonly stagingBucket?: string;
}

/** A cluster that is made for a batch and deleted with it. */
export interface EphemeralCluster {
  /** Undefined, like every key that may be absent here: as Dataproc has it. */
  readonly imageVersion?: string;
  readonly masterMachineType?: string;
  readonly workerMachineType?: string;
  /** 0: one machine for everything. Otherwise 2 or more; default 2. */
  readonly workers: number;
  /** Spot machines besides, which may be taken away at any time. Default 0. */
  readonly secondaryWorkers: number;
  /** Of each machine, GB. */
  readonly diskGb?: number;
  readonly zone?: string;
  /** Undefined: the project's network of the name `default`. */
  readonly subnetwork?: string;
  readonly networkTags: readonly string[];
  /** E-mail. Undefined: the project's own of Compute Engine. */
  readonly serviceAccount?: string;
  /** Whether machines have no address outside. */
  readonly internalIpOnly?: boolean;
  /** `projects/…/regions/…/autoscalingPolicies/…`. */
  readonly autoscalingPolicy?: string;
  /** Undefined: Dataproc makes one. */
  readonly stagingBucket?: string;
  /** Of Cloud KMS, for the disks. */
  readonly kmsKey?: string;
  /** `file:property` to value. */
  readonly properties: Readonly<Record<string, string>>;
  /** Dataproc deletes the cluster when no job has run for so long. 5 min to 14 days; default 10 min. */
  readonly idleTtlMs: number;
  /** Dataproc deletes the cluster at this age, whatever runs. 10 min to 14 days; default 1 day. */
  readonly maxAgeMs: number;
}

export interface DataprocConnection {
  readonly type: 'dataproc';
  readonly name: string;
  readonly project: string;
  readonly region: string;
  readonly runOn:
    | { readonly cluster: DataprocCluster }
    | { readonly serverless: DataprocServerless }
    | { readonly ephemeralCluster: EphemeralCluster };
  /** Added to each job's own (pipeline, table, batch) and those of a cluster that is made. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of Spark. */
  readonly properties: Readonly<Record<string, string>>;
  /** URLs. */
  readonly jars: readonly string[];
  /** `http://host:port` of another server that speaks the protocol, without TLS or signing in. */
  readonly endpoint?: string;
}

export interface GlueConnection {
  readonly type: 'glue';
  readonly name: string;
  readonly region: string;
  /** Name of the Glue job whose runs these are; its own script is replaced. */
  readonly job: string;
  /** `G.1X`, …. Undefined, like `workers`: what the job says. */
  readonly workerType?: string;
  readonly workers?: number;
  /** Glue ends a run after this long, in whole minutes. Default 4 h. */
  readonly timeoutMs: number;
  /** More special parameters of Glue, such as `--extra-jars`. No secrets: Glue shows them. */
  readonly arguments: Readonly<Record<string, string>>;
  readonly endpoint?: string;
  /** Without these the SDK's own credential chain decides. */
  readonly accessKeyId?: SecretReference;
  readonly secretAccessKey?: SecretReference;
}

export type Connection =
  | DatabaseConnection
  | LakeConnection
  | BigqueryConnection
  | SlackConnection
  | SmtpConnection
  | DataprocConnection
  | GlueConnection;

/** Where Historico_Execucao lives. */
export type HistorySettings =
  | { readonly type: 'sqlite'; readonly path: string }
  | { readonly type: 'postgres'; readonly connection: string; readonly schema: string }
  | BigqueryHistorySettings;

export interface BigqueryHistorySettings {
  readonly type: 'bigquery';
  readonly project: string;
  readonly dataset: string;
  /** Undefined: where BigQuery makes datasets unless told otherwise, the US. */
  readonly location?: string;
  readonly endpoint?: string;
  /** Name of the lake connection that keeps the leases. */
  readonly leases: string;
}

/** One pipelines folder, validated as a whole. */
export interface Project {
  readonly directory: string;
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly history: HistorySettings;
  /** Files of the folder that are projects of their own, by their pipelines. */
  readonly apart: ReadonlyMap<string, string>;
}
