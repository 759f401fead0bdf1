import path from 'node:path';
import {
  DEFAULT_BATCH_TTL,
  DEFAULT_CONNECT_TIMEOUT,
  DEFAULT_HISTORY_PATH,
  DEFAULT_HISTORY_SCHEMA,
  DEFAULT_PORTS,
  DEFAULT_REGION,
  DEFAULT_RUN_TIMEOUT,
  DEFAULT_SILENCE_TIMEOUT,
  DEFAULT_TLS_MODE,
} from './defaults';
import type { ConnectionInput, ConnectionsFile } from './connections-schema';
import { ephemeralClusterSettings } from './ephemeral-cluster';
import type { YamlFile } from './document';
import { parseDuration } from './duration';
import type { Partly } from './issues';
import { OWN_ARGUMENTS } from './job-arguments';
import { CLOUD_KMS_KEY } from './values';
import type { Mistake, Path } from './mistakes';
import type {
  BigqueryConnection,
  Connection,
  DatabaseConnection,
  DataprocConnection,
  DataprocServerless,
  FileConnection,
  GcsConnection,
  GlueConnection,
  HistorySettings,
  S3Connection,
  SecretReference,
  SlackConnection,
  SmtpConnection,
  TlsFilePaths,
  TlsSettings,
} from './pipeline';

export interface Surroundings {
  /** Absolute; relative paths in the files start here. */
  readonly directory: string;
  /** Where `env:NAME` in anything but a secret is looked up. */
  readonly environment: NodeJS.ProcessEnv;
}

/** What is needed to read one connections file and to say where it is wrong. */
interface Context extends Surroundings {
  readonly file: YamlFile;
  readonly mistakes: Mistake[];
}

type Input<Type extends ConnectionInput['type']> = Partly<Extract<ConnectionInput, { type: Type }>>;

/**
 * A secret stays a reference; only a file's path is made absolute, and a secret of Google's without a
 * version is its latest.
 */
export function secretReference(text: string, directory: string): SecretReference {
  const place = text.slice(text.indexOf(':') + 1);
  if (text.startsWith('env:')) return { from: 'env', name: place };
  if (text.startsWith('gsm:')) {
    return {
      from: 'gsm',
      version: place.includes('/versions/') ? place : `${place}/versions/latest`,
    };
  }
  if (text.startsWith('asm:')) {
    const [id = '', ...rest] = place.split('#');
    return rest.length === 0 ? { from: 'asm', id } : { from: 'asm', id, key: rest.join('#') };
  }
  return { from: 'file', path: path.resolve(directory, place.trim()) };
}

/** The parts of `env:NAME` and of `env:NAME:-text`; undefined for any other text. */
function variableOf(text: unknown): { name: string; otherwise: string | undefined } | undefined {
  const [, name, otherwise] =
    (typeof text === 'string' && /^env:(\w+)(?::-(.*))?$/.exec(text)) || [];
  return name === undefined ? undefined : { name, otherwise };
}

/**
 * The text itself, or that of the variable it names, or what stands behind `:-` where that is not
 * set. Undefined, and a mistake, when there is neither.
 */
function resolveText(context: Context, at: Path, text: string | undefined): string | undefined {
  const named = variableOf(text);
  if (named === undefined) return text;
  const { name: variable, otherwise } = named;
  const value = context.environment[variable];
  if (value !== undefined && value.trim() !== '') return value;
  if (otherwise !== undefined) return otherwise;
  const state = value === undefined ? 'not set' : 'empty';
  context.mistakes.push(
    context.file.mistake(
      at,
      'value',
      `the environment variable ${variable} is ${state}`,
      `set ${variable}, or write the value here`,
    ),
  );
  return undefined;
}

function resolvePort(
  context: Context,
  at: Path,
  input: number | string | undefined,
): number | undefined {
  if (typeof input !== 'string') return input;
  const text = resolveText(context, at, input);
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  context.mistakes.push(
    context.file.mistake(
      at,
      'value',
      `the environment variable ${variableOf(input)?.name ?? ''} does not hold a port`,
      'set it to a number from 1 to 65535',
    ),
  );
  return undefined;
}

function tlsSettings(
  context: Context,
  at: Path,
  input: Partly<NonNullable<Input<'mysql'>['tls']>> = {},
): TlsSettings {
  const mode = input.mode ?? DEFAULT_TLS_MODE;
  const mistake = (key: string, problem: string, fix: string) =>
    context.mistakes.push(context.file.mistake([...at, key], 'key', problem, fix));
  if (
    'ca' in input &&
    !('mode' in input && input.mode === undefined) &&
    !mode.startsWith('verify')
  ) {
    mistake(
      'ca',
      `has no effect with mode ${mode}, which verifies nothing`,
      'set `mode: verify-full` (or verify-ca)',
    );
  }
  if (mode !== 'disable') return { mode, ...tlsFiles(context, at, input) };
  for (const key of ['certificate', 'key'] as const) {
    if (key in input)
      mistake(key, 'has no effect with mode disable', 'remove it, or set `mode: require`');
  }
  return { mode };
}

function tlsFiles(context: Context, at: Path, input: Partly<TlsFilePaths>): TlsFilePaths {
  inPairs(context, at, input, ['certificate', 'key']);
  const absolute = (file: string | undefined) =>
    file === undefined ? undefined : path.resolve(context.directory, file);
  return defined({
    ca: absolute(input.ca),
    certificate: absolute(input.certificate),
    key: absolute(input.key),
  });
}

/** Two keys that need each other. */
function inPairs<Key extends string>(
  context: Context,
  at: Path,
  input: Partial<Record<Key, unknown>>,
  [one, two]: readonly [Key, Key],
): void {
  for (const [key, other] of [
    [one, two],
    [two, one],
  ] as const) {
    if (!(key in input) || other in input) continue;
    const fix = `add \`${other}:\` beside it`;
    context.mistakes.push(
      context.file.mistake([...at, key], 'key', `is of no use without \`${other}\``, fix),
    );
  }
}

/** Drops the keys that hold nothing, so that results compare and print as what was said. */
export function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

function database(
  context: Context,
  name: string,
  input: Input<'mysql' | 'postgres'>,
): Partly<DatabaseConnection> {
  const at: Path = ['connections', name];
  const text = (key: 'host' | 'user' | 'database') =>
    resolveText(context, [...at, key], input[key]);
  return defined({
    type: input.type,
    name,
    host: text('host'),
    port: resolvePort(context, [...at, 'port'], input.port ?? DEFAULT_PORTS[input.type ?? 'mysql']),
    user: text('user'),
    password:
      input.password === undefined ? undefined : secretReference(input.password, context.directory),
    database: text('database'),
    tls: tlsSettings(context, [...at, 'tls'], input.tls),
    connectTimeoutMs: parseDuration(input.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT),
    maxParallelLoads: input.maxParallelLoads,
    silenceTimeoutMs: parseDuration(input.silenceTimeout ?? DEFAULT_SILENCE_TIMEOUT),
  });
}

function folder(context: Context, name: string, input: Input<'file'>): Partly<FileConnection> {
  const text = resolveText(context, ['connections', name, 'path'], input.path);
  return defined({
    type: input.type,
    name,
    path: text === undefined ? undefined : path.resolve(context.directory, text),
  });
}

/** Tells what is wrong with a storage's URL. One with a password in it must not be repeated. */
function endpointProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is not an http or https URL';
  if (url.username !== '' || url.password !== '') return 'holds credentials';
  return url.pathname !== '/' || url.search !== '' ? 'has a path' : undefined;
}

/** What buckets have in common, wherever they are. */
function bucket(context: Context, name: string, input: Input<'s3' | 'gcs'>, keysGoInto: string) {
  const at: Path = ['connections', name];
  const text = (key: 'bucket' | 'prefix' | 'endpoint' | 'kmsKey') =>
    resolveText(context, [...at, key], input[key]);
  const endpoint = text('endpoint');
  const problem = endpoint === undefined ? undefined : endpointProblem(endpoint);
  if (problem !== undefined) {
    const fix = `write scheme, host and port, such as https://storage.example.com:9000; keys go into ${keysGoInto}`;
    context.mistakes.push(context.file.mistake([...at, 'endpoint'], 'key', problem, fix));
  }
  return {
    bucket: text('bucket'),
    prefix: (text('prefix') ?? '').replace(/^\/+|\/+$/g, ''),
    endpoint: endpoint?.replace(/\/+$/, ''),
    kmsKey: text('kmsKey'),
  };
}

function storage(context: Context, name: string, input: Input<'s3'>): Partly<S3Connection> {
  const at: Path = ['connections', name];
  const mistake = (key: string, problem: string, fix: string) =>
    context.mistakes.push(context.file.mistake([...at, key], 'key', problem, fix));
  const place = bucket(context, name, input, 'accessKeyId and secretAccessKey');
  if (!('region' in input) && !('endpoint' in input)) {
    mistake(
      'region',
      'is missing',
      `add \`region:\` under connections.${name}; only with \`endpoint\` it may be left out`,
    );
  }
  inPairs(context, at, input, ['accessKeyId', 'secretAccessKey']);
  if ('tls' in input && place.endpoint?.startsWith('http:') === true) {
    mistake('tls', 'has no effect with an endpoint of http', 'write https:// in `endpoint`');
  }
  const secret = (reference: string | undefined) =>
    reference === undefined ? undefined : secretReference(reference, context.directory);
  return defined({
    type: input.type,
    name,
    ...place,
    region: resolveText(context, [...at, 'region'], input.region) ?? DEFAULT_REGION,
    forcePathStyle: input.forcePathStyle ?? false,
    accessKeyId: secret(input.accessKeyId),
    secretAccessKey: secret(input.secretAccessKey),
    tls: input.tls === undefined ? undefined : tlsFiles(context, [...at, 'tls'], input.tls),
  });
}

function googleStorage(context: Context, name: string, input: Input<'gcs'>): Partly<GcsConnection> {
  const { type, credentials } = input;
  const at: Path = ['connections', name];
  const place = bucket(context, name, input, 'credentials');
  if (place.kmsKey !== undefined && !CLOUD_KMS_KEY.test(place.kmsKey)) {
    const fix = 'write projects/…/locations/…/keyRings/…/cryptoKeys/…';
    context.mistakes.push(
      context.file.mistake([...at, 'kmsKey'], 'key', 'is not the name of a key of Cloud KMS', fix),
    );
  }
  if (credentials !== undefined && place.endpoint?.startsWith('http:') === true) {
    const problem = 'are sent to no endpoint of http';
    const fix = 'write https:// in `endpoint`, or remove them';
    context.mistakes.push(context.file.mistake([...at, 'credentials'], 'key', problem, fix));
  }
  return defined({
    type,
    name,
    ...place,
    credentials:
      credentials === undefined ? undefined : secretReference(credentials, context.directory),
  });
}

/** Where jobs run: exactly one of the four keys says it. */
function dataprocTarget(
  context: Context,
  at: Path,
  input: Input<'dataproc'>,
  {
    project,
    region,
  }: { readonly project: string | undefined; readonly region: string | undefined },
): DataprocConnection['runOn'] | undefined {
  const keys = ['cluster', 'clusterLabels', 'serverless', 'ephemeralCluster'] as const;
  const [first, second] = keys.filter((key) => key in input);
  const mistake = (problem: string, fix: string, ...key: string[]) => {
    const kind = key.length === 0 ? 'value' : 'key';
    context.mistakes.push(context.file.mistake([...at, ...key], kind, problem, fix));
  };
  if (first === undefined) {
    mistake(
      'does not say where jobs run',
      'add `cluster:`, `clusterLabels:`, `serverless:` or `ephemeralCluster:` (`serverless: {}` will do)',
    );
    return undefined;
  }
  if (second !== undefined) {
    mistake(`cannot stand beside \`${first}\``, 'keep one of the two', second);
    return undefined;
  }
  if (input.clusterLabels !== undefined) {
    return { cluster: { labels: input.clusterLabels as Record<string, string> } };
  }
  if (input.serverless !== undefined) {
    return { serverless: serverlessSettings(context, [...at, 'serverless'], input.serverless) };
  }
  if (input.ephemeralCluster !== undefined) {
    const place = [...at, 'ephemeralCluster'];
    const ephemeralCluster = ephemeralClusterSettings(input.ephemeralCluster, {
      ...{ project, region },
      text: (key, value) => resolveText(context, [...place, key], value),
      mistake: (key, problem, fix) => mistake(problem, fix, 'ephemeralCluster', key),
    });
    return { ephemeralCluster: defined(ephemeralCluster) };
  }
  const name = resolveText(context, [...at, 'cluster'], input.cluster);
  return name === undefined ? undefined : { cluster: { name } };
}

function serverlessSettings(
  context: Context,
  at: Path,
  given: Partly<NonNullable<Input<'dataproc'>['serverless']>>,
): DataprocServerless {
  const input = withoutUnset(given, context.environment);
  const text = (key: 'subnetwork' | 'serviceAccount' | 'stagingBucket') =>
    resolveText(context, [...at, key], input[key]);
  return defined({
    version: input.version,
    ttlMs: parseDuration(input.ttl ?? DEFAULT_BATCH_TTL),
    subnetwork: text('subnetwork'),
    serviceAccount: text('serviceAccount'),
    networkTags: (input.networkTags ?? []) as readonly string[],
    stagingBucket: text('stagingBucket'),
  });
}

function dataproc(
  context: Context,
  name: string,
  input: Input<'dataproc'>,
): Partly<DataprocConnection> {
  const at: Path = ['connections', name];
  const text = (key: 'project' | 'region' | 'endpoint') =>
    resolveText(context, [...at, key], input[key]);
  const endpoint = text('endpoint');
  if (endpoint !== undefined && !/^http:\/\/[^/@:]+:\d+$/.test(endpoint)) {
    context.mistakes.push(
      context.file.mistake(
        [...at, 'endpoint'],
        'key',
        'is not the address of a local server',
        'write http://host:port, or leave it out for Google Cloud',
      ),
    );
  }
  const place = { project: text('project'), region: text('region') };
  return defined({
    type: input.type,
    name,
    ...place,
    runOn: dataprocTarget(context, at, input, place),
    labels: (input.labels ?? {}) as Record<string, string>,
    properties: (input.properties ?? {}) as Record<string, string>,
    jars: (input.jars ?? []) as readonly string[],
    endpoint,
  });
}

function glue(context: Context, name: string, input: Input<'glue'>): Partly<GlueConnection> {
  const at: Path = ['connections', name];
  const mistake = (key: readonly string[], problem: string, fix: string) =>
    context.mistakes.push(context.file.mistake([...at, ...key], 'key', problem, fix));
  const text = (key: 'region' | 'job' | 'endpoint') =>
    resolveText(context, [...at, key], input[key]);
  const endpoint = text('endpoint');
  const problem = endpoint === undefined ? undefined : endpointProblem(endpoint);
  if (problem !== undefined) {
    mistake(['endpoint'], problem, 'write scheme, host and port, such as http://127.0.0.1:4566');
  }
  for (const argument of OWN_ARGUMENTS.filter((own) => own in (input.arguments ?? {}))) {
    mistake(['arguments', argument], 'is set by Comporta', 'remove it');
  }
  inPairs(context, at, input, ['accessKeyId', 'secretAccessKey']);
  const reference = (secret: string | undefined) =>
    secret === undefined ? undefined : secretReference(secret, context.directory);
  return defined({
    type: input.type,
    name,
    region: text('region'),
    job: text('job'),
    workerType: input.workerType,
    workers: input.workers,
    timeoutMs: parseDuration(input.timeout ?? DEFAULT_RUN_TIMEOUT),
    arguments: (input.arguments ?? {}) as Record<string, string>,
    endpoint: endpoint?.replace(/\/+$/, ''),
    accessKeyId: reference(input.accessKeyId),
    secretAccessKey: reference(input.secretAccessKey),
  });
}

function slack(context: Context, name: string, input: Input<'slack'>): Partly<SlackConnection> {
  const { type, webhook } = input;
  return defined({
    type,
    name,
    webhook: webhook === undefined ? undefined : secretReference(webhook, context.directory),
  });
}

function smtp(context: Context, name: string, input: Input<'smtp'>): Partly<SmtpConnection> {
  const at: Path = ['connections', name];
  inPairs(context, at, input, ['user', 'password']);
  return defined({
    type: input.type,
    name,
    host: resolveText(context, [...at, 'host'], input.host),
    port: resolvePort(context, [...at, 'port'], input.port ?? DEFAULT_PORTS.smtp),
    user: resolveText(context, [...at, 'user'], input.user),
    password:
      input.password === undefined ? undefined : secretReference(input.password, context.directory),
    from: input.from,
    to: input.to,
    tls: tlsSettings(context, [...at, 'tls'], input.tls),
  });
}

/** Leaves out the keys that say `env:NAME:-` where that variable is not set. */
function withoutUnset<T extends object>(given: T, environment: NodeJS.ProcessEnv): T {
  const isUnset = (value: unknown) => {
    const named = variableOf(value);
    return named?.otherwise === '' && (environment[named.name] ?? '').trim() === '';
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => !isUnset(value))) as T;
}

function connection(
  context: Context,
  name: string,
  given: Partly<ConnectionInput> | undefined,
): Partly<Connection> | undefined {
  const input = given === undefined ? undefined : withoutUnset(given, context.environment);
  switch (input?.type) {
    case 'mysql':
    case 'postgres':
      return database(context, name, input);
    case 'file':
      return folder(context, name, input);
    case 's3':
      return storage(context, name, input);
    case 'gcs':
      return googleStorage(context, name, input);
    case 'bigquery':
      return bigqueryTables(context, name, input);
    case 'dataproc':
      return dataproc(context, name, input);
    case 'glue':
      return glue(context, name, input);
    case 'slack':
      return slack(context, name, input);
    case 'smtp':
      return smtp(context, name, input);
    case undefined:
      return undefined;
  }
}

/**
 * The connections by name, as far as they could be made out; complete when no mistake was added.
 * One whose type is unknown is there as undefined, so that speaking of it is not a second mistake.
 */
export function resolveConnections(
  surroundings: Surroundings,
  file: YamlFile,
  input: Partly<ConnectionsFile>,
  mistakes: Mistake[],
): ReadonlyMap<string, Partly<Connection> | undefined> {
  const context: Context = { ...surroundings, file, mistakes };
  const entries = Object.entries(input.connections ?? {});
  return new Map(entries.map(([name, given]) => [name, connection(context, name, given)]));
}

/** Where the history lives; complete when no mistake was added. */
export function resolveHistory(
  surroundings: Surroundings,
  file: YamlFile,
  input: Partly<ConnectionsFile>,
  mistakes: Mistake[],
): Partly<HistorySettings> {
  const history =
    input.history === undefined ? undefined : withoutUnset(input.history, surroundings.environment);
  if (history?.type === 'postgres') {
    return defined({
      type: history.type,
      connection: history.connection,
      schema: history.schema ?? DEFAULT_HISTORY_SCHEMA,
    });
  }
  const context: Context = { ...surroundings, file, mistakes };
  if (history?.type === 'bigquery') return bigqueryHistory(context, history);
  const given = history?.type === 'sqlite' ? history.path : undefined;
  const text = resolveText(context, ['history', 'path'], given ?? DEFAULT_HISTORY_PATH);
  return defined({
    type: 'sqlite',
    path: text === undefined ? undefined : path.resolve(surroundings.directory, text),
  });
}

function bigqueryHistory(
  context: Context,
  input: Partly<Extract<NonNullable<ConnectionsFile['history']>, { type: 'bigquery' }>>,
): Partly<HistorySettings> {
  const { type, dataset, leases } = input;
  return defined({ type, ...bigqueryPlace(context, ['history'], input), dataset, leases });
}

function bigqueryTables(
  context: Context,
  name: string,
  input: Input<'bigquery'>,
): Partly<BigqueryConnection> {
  const { type, dataset, lake } = input;
  const place = bigqueryPlace(context, ['connections', name], input);
  return defined({ type, name, ...place, dataset, lake });
}

/** Where a dataset is, whatever it is for. */
function bigqueryPlace(
  context: Context,
  at: Path,
  input: Partly<Pick<Input<'bigquery'>, 'project' | 'location' | 'endpoint'>>,
) {
  const text = (key: 'project' | 'location' | 'endpoint') =>
    resolveText(context, [...at, key], input[key]);
  const endpoint = text('endpoint');
  const problem = endpoint === undefined ? undefined : endpointProblem(endpoint);
  if (problem !== undefined) {
    const fix = 'write scheme, host and port, such as http://127.0.0.1:9050';
    context.mistakes.push(context.file.mistake([...at, 'endpoint'], 'key', problem, fix));
  }
  return {
    project: text('project'),
    location: text('location'),
    endpoint: endpoint?.replace(/\/+$/, ''),
  };
}
