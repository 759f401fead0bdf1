import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/api';
import { installOnce } from './cache';
import { findExecutable } from './command';
import { inServiceDirectory, type ServiceDirectory } from './directory';
import { goInstall, hasGo } from './go';
import { startNative, withFacts } from './native';
import { acceptsConnection, freePorts } from './network';
import {
  loopback,
  ToolUnavailableError,
  type NativeOptions,
  type NativeService,
  type RunningService,
} from './service';

/** How clients reach a Temporal server. */
export interface TemporalFacts {
  /** `host:port` of the gRPC endpoint. */
  readonly address: string;
  readonly namespace: string;
  /** Address of the Web UI; undefined where it was left out. */
  readonly uiUrl: string | undefined;
}

export interface TemporalService extends RunningService, TemporalFacts {}

export interface NativeTemporalService extends NativeService, TemporalFacts {}

export interface TemporalOptions extends NativeOptions {
  /** Port of the Web UI. Default: a free one. Excludes `headless`. */
  readonly uiPort?: number;
  /** Leave out the Web UI. Default: false. */
  readonly headless?: boolean;
  /** Keep workflows in a file, so that they survive a restart. Default: false, in memory. */
  readonly persistent?: boolean;
  /** Default: `error`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
}

/** The last version that `go install` accepts: later ones carry a replace directive. */
const version = '1.5.1';

const namespace = 'default';

const searchAttributes = Object.values(SEARCH_ATTRIBUTES);

/**
 * Finds or makes the Temporal CLI: `COMPORTA_TEMPORAL_CLI`, `temporal` on PATH, the cache, a
 * build by Go, and last the download that the SDK has for its tests.
 * @returns path of the program.
 * @throws ToolUnavailableError where none of these works.
 */
export async function ensureTemporal(
  progress: (line: string) => void = () => undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const present = environment['COMPORTA_TEMPORAL_CLI'] || findExecutable('temporal');
  if (present) return present;
  const directory = await installOnce('temporal', version, async (target) => {
    if (hasGo()) {
      progress(`building the Temporal CLI ${version} (2–3 minutes, once)`);
      await goInstall(`github.com/temporalio/cli/cmd/temporal@v${version}`, target);
    } else {
      progress('downloading the Temporal CLI');
      await downloadBySdk(target);
    }
  });
  return join(directory, 'temporal');
}

/** The SDK downloads the CLI when it starts a test environment; the file is what is wanted. */
async function downloadBySdk(target: string): Promise<void> {
  // Loaded here alone: it brings the SDK's native library along.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  try {
    const environment = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'cached-download', downloadDir: target } },
    });
    await environment.teardown();
  } catch (error) {
    throw new ToolUnavailableError(
      'The Temporal CLI is missing and could not be downloaded. Install it ' +
        '(https://docs.temporal.io/cli) so that temporal is on PATH, name it in ' +
        'COMPORTA_TEMPORAL_CLI, install Go, or start a Docker engine.',
      { cause: error },
    );
  }
  const [downloaded] = await readdir(target);
  await rename(join(target, downloaded!), join(target, 'temporal'));
}

/** Starts Temporal's development server, by default with its Web UI. */
export async function startTemporal(options: TemporalOptions = {}): Promise<NativeTemporalService> {
  const program = await ensureTemporal(options.progress);
  return inServiceDirectory('temporal', options.directory, (directory) =>
    startIn(directory, program, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  program: string,
  options: TemporalOptions,
): Promise<NativeTemporalService> {
  const [freePort, freeUiPort] = await freePorts(2);
  const port = options.port ?? freePort!;
  const uiPort = options.headless ? undefined : (options.uiPort ?? freeUiPort!);
  const databaseFile = options.persistent ? join(directory.path, 'temporal.db') : undefined;
  const address = `${loopback}:${port}`;
  const service = await startNative({
    name: 'temporal',
    port,
    directory,
    extraArgs: options.extraArgs,
    // Nothing is lost in memory that was not meant to be, and an orderly shutdown takes 1.5 s.
    stopSignal: options.persistent ? 'SIGTERM' : 'SIGKILL',
    ready: async () => {
      // After a refused connection, gRPC waits a second before it tries again.
      await acceptsConnection(port);
      await answersClient(address);
    },
    command: (extraArgs) => ({
      command: program,
      args: [
        ...serverArguments({ port, uiPort, databaseFile, logLevel: options.logLevel ?? 'error' }),
        ...extraArgs,
      ],
    }),
  });
  const uiUrl = uiPort === undefined ? undefined : `http://${loopback}:${uiPort}`;
  return withFacts(service, { address, namespace, uiUrl });
}

export interface TemporalServerSettings {
  readonly port: number;
  readonly uiPort: number | undefined;
  readonly databaseFile: string | undefined;
  readonly logLevel: string;
}

/** Command line of the development server. */
export function serverArguments(settings: TemporalServerSettings): string[] {
  const { port, uiPort, databaseFile, logLevel } = settings;
  return [
    'server',
    'start-dev',
    `--ip=${loopback}`,
    `--port=${port}`,
    ...(uiPort === undefined ? ['--headless'] : [`--ui-port=${uiPort}`]),
    `--log-level=${logLevel}`,
    ...(databaseFile === undefined
      ? []
      : [
          `--db-filename=${databaseFile}`,
          // Five times as fast as SQLite's defaults, and safe against a kill of the server.
          '--sqlite-pragma=journal_mode=wal',
          '--sqlite-pragma=synchronous=normal',
        ]),
    // The server polls its queues at most 20 times a second by default, which adds some 40 ms to
    // each step of a workflow (temporalio/temporal, common/dynamicconfig/constants.go).
    ...['transfer', 'timer', 'visibility'].map(
      (queue) => `--dynamic-config-value=history.${queue}ProcessorMaxPollRPS=1000`,
    ),
    // The attributes are there from the beginning: by default the development server reads them from
    // its database whenever a workflow starts or sets one, a seventh of all that it does for a load
    // (temporalio/cli, internal/devserver/server.go).
    '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=false',
    ...searchAttributes.map((name) => `--search-attribute=${name}=Keyword`),
  ];
}

async function answersClient(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  try {
    await connection.healthService.check({
      service: 'temporal.api.workflowservice.v1.WorkflowService',
    });
    const registered = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = searchAttributes.filter(
      (name) => !(name in (registered.customAttributes ?? {})),
    );
    if (missing.length > 0) throw new Error(`search attributes missing: ${missing.join(', ')}`);
  } finally {
    await connection.close();
  }
}
