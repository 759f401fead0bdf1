import { z } from 'zod';
import * as defaults from './defaults';
import { ephemeralCluster } from './ephemeral-cluster';
import {
  connectionName,
  duration,
  environmentText,
  filePath,
  mailAddress,
  name,
  optional,
  optionalEnvironmentText,
  port,
  say,
  secret,
  section,
  text,
  wholeNumber,
} from './values';

const tlsFiles = {
  ca: optional(
    filePath(),
    'File with the certificate authority, PEM. Default: those that Node.js knows.',
  ),
  certificate: optional(
    filePath(),
    "File with this client's certificate, PEM, for servers that ask for one.",
  ),
  key: optional(filePath(), "File with the certificate's private key, PEM."),
};

const tls = section({
  mode: optional(
    z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']),
    'disable: never. prefer: if the server offers it, unverified. require: always, unverified. verify-ca: the certificate must be signed by `ca`. verify-full: and carry the host name.',
    defaults.DEFAULT_TLS_MODE,
  ),
  ...tlsFiles,
});

const database = <Type extends 'mysql' | 'postgres'>(type: Type, description: string) =>
  section({
    type: z.literal(type).describe(description),
    host: environmentText().describe('Host name or address of the server that takes the writes.'),
    port: optional(port(), 'TCP port.', defaults.DEFAULT_PORTS[type]),
    user: environmentText().describe('Who to log in as.'),
    password: optional(secret(), 'The password. Left out: none is sent.'),
    database: environmentText().describe('The database to read.'),
    tls: optional(tls, 'How the connection is encrypted and the server verified.'),
    connectTimeout: optional(
      duration({ minimum: '1ms', maximum: '1h' }),
      'How long to wait for a connection.',
      defaults.DEFAULT_CONNECT_TIMEOUT,
    ),
    maxParallelLoads: optional(
      wholeNumber(1, 500),
      'Tables loaded from it at the same time, by all pipelines, batches and workers that share the history. Left out: as many as these allow.',
    ),
    silenceTimeout: optional(
      duration({ minimum: '100ms', maximum: '1h' }),
      'How long the server may send nothing while it runs a statement before it is asked, over another connection, whether it is still at work. If not, the connection is given up.',
      defaults.DEFAULT_SILENCE_TIMEOUT,
    ),
  });

const texts = (key: string) => z.record(text(`the name of ${key}`, 'name'), text('a text'));

const dataproc = section({
  type: z
    .literal('dataproc')
    .describe(
      'Dataproc, on a cluster or serverless: one of `cluster`, `clusterLabels`, `serverless` and `ephemeralCluster`. Whoever runs the worker signs in, by the application default credentials.',
    ),
  project: environmentText().describe('Id of the project.'),
  region: environmentText().describe('Region of the cluster or the batches.'),
  cluster: optional(environmentText(), 'Name of the cluster that runs the jobs.'),
  clusterLabels: optional(
    texts('a label'),
    'Labels of the cluster that runs the jobs, where its name is not known beforehand.',
  ),
  serverless: optional(
    section({
      version: optional(
        text('a version, in quotes'),
        "Version of the runtime. Default: Dataproc's.",
      ),
      ttl: optional(
        duration({ minimum: '10m', maximum: '14d' }),
        'After this long Dataproc ends a batch.',
        defaults.DEFAULT_BATCH_TTL,
      ),
      subnetwork: optional(
        optionalEnvironmentText(),
        'Subnetwork with Private Google Access from which the source is reached. Default: the one of the region in the network `default`.',
      ),
      serviceAccount: optional(
        optionalEnvironmentText(),
        'E-mail of the account that jobs run as. Default: that of Compute Engine.',
      ),
      networkTags: optional(z.array(text('a tag')), 'Network tags of the machines, for firewalls.'),
      stagingBucket: optional(
        optionalEnvironmentText(),
        'Bucket for what batches leave behind, such as their output. Default: one that Dataproc makes.',
      ),
    }),
    'Run each load as a batch with machines of its own; may be empty: {}.',
  ),
  ephemeralCluster: optional(
    ephemeralCluster,
    'Run the loads of a batch on a cluster that is made for it and deleted at its end; may be empty: {}.',
  ),
  labels: optional(
    texts('a label'),
    'Labels of the jobs, besides pipeline, table and batch; also of the cluster that is made.',
  ),
  properties: optional(
    texts('a property'),
    'Properties of Spark, such as spark.executor.memory: 4g. On a serverless batch also what scales it, such as spark.dynamicAllocation.maxExecutors.',
  ),
  jars: optional(z.array(text('a URL')), 'URLs of Java archives that jobs are given.'),
  endpoint: optional(
    optionalEnvironmentText(),
    'http://host:port of another server that speaks its protocol. It is sent no credentials.',
  ),
});

const glue = section({
  type: z.literal('glue').describe('AWS Glue: each load is a run of one Glue job.'),
  region: environmentText().describe('Region of the job.'),
  job: environmentText().describe(
    'Name of the job: of type glueetl, Glue 5, without retries of its own, and with a maximum concurrency. Its script is replaced in each run.',
  ),
  workerType: optional(text('a worker type', 'text'), 'G.1X, G.2X, …. Default: as the job says.'),
  workers: optional(wholeNumber(2, 1_000), 'Number of workers. Default: as the job says.'),
  timeout: optional(
    duration({ minimum: '1m', maximum: '7d' }),
    'After this long, in whole minutes, Glue ends a run.',
    defaults.DEFAULT_RUN_TIMEOUT,
  ),
  arguments: optional(
    z.record(
      name(/^--[A-Za-z][A-Za-z0-9_-]*$/, 'two hyphens and a name, such as --extra-jars'),
      text('a text'),
    ),
    'Special parameters of Glue for each run. No secrets: Glue shows them.',
  ),
  endpoint: optional(optionalEnvironmentText(), 'URL of another server that speaks its protocol.'),
  accessKeyId: optional(
    secret(),
    "Access key. Without both keys the AWS SDK's own chain of credentials decides.",
  ),
  secretAccessKey: optional(secret(), 'Secret key.'),
});

/** A dataset of BigQuery, whatever it is for. */
const bigqueryDataset = {
  dataset: name(
    /^[A-Za-z0-9_]{1,1024}$/,
    'letters, digits and underscores, at most 1,024 in all',
  ).describe('The dataset; it is made where it is missing.'),
  location: optional(
    optionalEnvironmentText(),
    'Where the dataset lies, such as southamerica-east1 or EU. Default: US.',
  ),
  endpoint: optional(
    optionalEnvironmentText(),
    'URL of another endpoint than bigquery.googleapis.com. One of http is sent no credentials.',
  ),
};

const bucket = {
  bucket: environmentText().describe('The bucket.'),
  prefix: optional(
    optionalEnvironmentText(),
    'Where in the bucket the lake begins. Default: at its top.',
  ),
};

const connection = z.discriminatedUnion('type', [
  database('mysql', 'MySQL 8 and 9, Aurora MySQL, MariaDB.'),
  database('postgres', 'PostgreSQL 13 and later.'),
  section({
    type: z.literal('file').describe('A lake in a folder.'),
    path: environmentText().describe(
      "The lake's root folder. A relative path starts at the pipelines folder.",
    ),
  }),
  section({
    type: z.literal('s3').describe('A lake in S3 or in storage that speaks its protocol.'),
    ...bucket,
    region: optional(
      optionalEnvironmentText(),
      'The region of the bucket. Needed without `endpoint`; with it the default is us-east-1.',
    ),
    endpoint: optional(
      optionalEnvironmentText(),
      'URL of a storage other than AWS, such as http://127.0.0.1:9000.',
    ),
    forcePathStyle: optional(
      z.boolean(),
      'Put the bucket into the path instead of the host name, as most storages other than AWS want.',
      false,
    ),
    kmsKey: optional(
      optionalEnvironmentText(),
      'Key of AWS KMS (id, alias or ARN) that encrypts what is written. Default: as the bucket is set up.',
    ),
    accessKeyId: optional(
      secret(),
      "Access key. Without both keys the AWS SDK's own chain of credentials decides.",
    ),
    secretAccessKey: optional(secret(), 'Secret key.'),
    tls: optional(
      section(tlsFiles),
      'Certificates, for a storage whose authority is private or that asks for one; its `endpoint` begins with https.',
    ),
  }),
  dataproc,
  glue,
  section({
    type: z.literal('gcs').describe('A lake in Google Cloud Storage.'),
    ...bucket,
    endpoint: optional(
      optionalEnvironmentText(),
      'URL of another endpoint than storage.googleapis.com. One of http is sent no credentials.',
    ),
    credentials: optional(
      secret(),
      "A service account's key file, JSON. Left out, as it should be on Google Cloud: the application default credentials.",
    ),
    kmsKey: optional(
      optionalEnvironmentText(),
      'Key of Cloud KMS that encrypts what is written, projects/…/locations/…/keyRings/…/cryptoKeys/…. Default: as the bucket is set up.',
    ),
  }),
  section({
    type: z
      .literal('bigquery')
      .describe(
        'A dataset of BigQuery, filled from a lake in Google Cloud Storage. Whoever runs the worker signs in, by the application default credentials.',
      ),
    project: environmentText().describe('The project that holds the dataset and pays for jobs.'),
    ...bigqueryDataset,
    lake: connectionName().describe(
      'A gcs connection of this file: loads are staged and kept there, and tables are filled from it.',
    ),
  }),
  section({
    type: z.literal('slack').describe('A channel of Slack.'),
    webhook: secret().describe('The address of an incoming webhook.'),
  }),
  section({
    type: z.literal('smtp').describe('E-mail.'),
    host: environmentText().describe('The mail server.'),
    port: optional(
      port(),
      'TCP port; on 465 the connection is encrypted from its beginning.',
      defaults.DEFAULT_PORTS.smtp,
    ),
    user: optional(optionalEnvironmentText(), 'Who to log in as. Left out: nobody logs in.'),
    password: optional(secret(), 'The password.'),
    from: mailAddress().describe('The sender.'),
    to: z
      .array(mailAddress())
      .min(1, { error: say('is an empty list', 'name at least one address') })
      .describe('The recipients.'),
    tls: optional(tls, 'How the connection is encrypted and the server verified.'),
  }),
]);

const history = z.discriminatedUnion('type', [
  section({
    type: z.literal('sqlite').describe('A file on this machine.'),
    path: optional(
      optionalEnvironmentText(),
      'The database file. A relative path starts at the pipelines folder.',
      defaults.DEFAULT_HISTORY_PATH,
    ),
  }),
  section({
    type: z.literal('postgres').describe('A PostgreSQL that several machines share.'),
    connection: connectionName().describe(
      'A postgres connection of this file, with the right to create a schema.',
    ),
    schema: optional(
      name(
        /^[a-z_][a-z0-9_]{0,62}$/,
        'lower-case letters, digits and underscores, at most 63 in all, no digit first',
      ),
      'The schema that holds the tables.',
      defaults.DEFAULT_HISTORY_SCHEMA,
    ),
  }),
  section({
    type: z.literal('bigquery').describe('A dataset of BigQuery, for any number of machines.'),
    project: environmentText().describe('The project that holds the dataset and pays for queries.'),
    ...bigqueryDataset,
    leases: connectionName().describe(
      'A lake of this file. BigQuery cannot decide between two who ask at once: who loads which table is kept there, under `_leases/`.',
    ),
  }),
]);

/** connections.yaml. */
export const connectionsFile = section({
  connections: z
    .record(connectionName(), connection)
    .describe('By name, the databases, lakes and platforms that the pipelines speak of.'),
  history: optional(history, 'Where Historico_Execucao lives. Default: SQLite.'),
}).meta({
  title: 'Comporta connections',
  description: 'How to reach the databases and lakes, and where the history is kept.',
});

export type ConnectionsFile = z.output<typeof connectionsFile>;
export type ConnectionInput = ConnectionsFile['connections'][string];
