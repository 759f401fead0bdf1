import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache';
import { execute } from './command';
import { inServiceDirectory, type ServiceDirectory } from './directory';
import { startNative, withFacts } from './native';
import { freePorts } from './network';
import { ensurePython, environmentVersion } from './python';
import { loopback, type NativeOptions, type NativeService } from './service';

/** How clients reach a stand-in for BigQuery. It asks nobody for credentials, and takes any project. */
export interface BigqueryFacts {
  readonly endpoint: string;
  readonly project: string;
}

/** For tests: there is no container of it in docker-compose.yaml. */
export interface BigqueryService extends NativeService<'bigquery'>, BigqueryFacts {}

export interface BigqueryOptions extends NativeOptions {
  /** Where it finds what load jobs call `gs://…`. Default: it reads no bucket. */
  readonly gcsEndpoint?: string;
}

/** Each at a version of its own: later ones of local-bigquery fetch extensions when they start. */
const packages = [
  'local-bigquery==0.3.2',
  'duckdb==1.5.5',
  'duckdb-extensions==1.5.5',
  ...['icu', 'json', 'httpfs', 'spatial', 'ducklake'].map(
    (extension) => `duckdb-extension-${extension}==1.5.5`,
  ),
];

const python = '3.13';

const importExtensions = `
from duckdb_extensions import import_extension
for name in ("icu", "json", "httpfs", "spatial", "ducklake"):
    import_extension(name)
`;

interface BigqueryProgram {
  readonly python: string;
  /** Its home folder: DuckDB looks for its extensions there. */
  readonly home: string;
}

/**
 * Finds or installs local-bigquery, an emulator of BigQuery over DuckDB, from PyPI.
 * @throws ToolUnavailableError where it cannot be had, also for lack of a Python 3.13.
 */
export async function ensureBigquery(
  progress: (line: string) => void = () => undefined,
): Promise<BigqueryProgram> {
  const environment = await ensurePython('bigquery', packages, progress, execute, python);
  const version = environmentVersion(python, packages);
  const home = await installOnce('bigquery-extensions', version, async (target) => {
    await execute(environment.python, ['-c', importExtensions], { env: { HOME: target } });
  });
  return { python: environment.python, home };
}

/** Starts an emulator of BigQuery. Its datasets are files below the service's directory. */
export async function startBigquery(options: BigqueryOptions = {}): Promise<BigqueryService> {
  const program = await ensureBigquery(options.progress);
  return inServiceDirectory('bigquery', options.directory, (directory) =>
    startIn(directory, program, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  program: BigqueryProgram,
  options: BigqueryOptions,
): Promise<BigqueryService> {
  const data = join(directory.path, 'data');
  await mkdir(data, { recursive: true });
  const [free, grpcPort] = await freePorts(2);
  const port = options.port ?? free!;
  const facts: BigqueryFacts = { endpoint: `http://${loopback}:${port}`, project: 'test' };
  const service = await startNative({
    name: 'bigquery',
    port,
    directory,
    extraArgs: options.extraArgs,
    ready: async () => {
      const answer = await fetch(`${facts.endpoint}/bigquery/v2/projects`);
      if (!answer.ok) throw new Error(`local-bigquery answered ${answer.status}`);
    },
    command: (extraArgs) => ({
      command: program.python,
      args: [
        ...['-c', 'from local_bigquery.cli import main; main()'],
        ...['--host', loopback, '--port', `${port}`, '--grpc-port', `${grpcPort}`],
        ...['--project', facts.project, '--data-dir', data],
        ...extraArgs,
        'serve',
      ],
      env: {
        HOME: program.home,
        ...(options.gcsEndpoint === undefined
          ? {}
          : { STORAGE_EMULATOR_HOST: options.gcsEndpoint }),
      },
    }),
  });
  return withFacts(service, facts);
}
