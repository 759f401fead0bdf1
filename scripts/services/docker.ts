import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { execute, type Execute } from './command';
import { leaveCommand, runAtTheEnd } from './end-of-process';
import type { GcsService } from './gcs';
import { freePorts } from './network';
import { defaultBucket, testKeys, type S3Service } from './s3';
import {
  loopback,
  testConnection,
  type DatabaseService,
  type RunningService,
  type ServiceName,
} from './service';
import type { TemporalService } from './temporal';

const composeFile = resolve(__dirname, '../../docker-compose.yaml');

/** How docker-compose.yaml calls what belongs to a service, and where its ports come from. */
interface ComposeService {
  /** Waited for until healthy. */
  readonly containers: readonly string[];
  /** Run to their end afterwards. */
  readonly jobs: readonly string[];
  /** Environment variables with the host's ports; the first is the service's own. */
  readonly ports: readonly string[];
}

const composeServices: Readonly<Record<ServiceName, ComposeService>> = {
  temporal: {
    containers: ['temporal', 'temporal-ui'],
    jobs: ['temporal-setup'],
    ports: ['COMPORTA_TEMPORAL_PORT', 'COMPORTA_TEMPORAL_UI_PORT'],
  },
  mariadb: { containers: ['mariadb'], jobs: [], ports: ['COMPORTA_MARIADB_PORT'] },
  mysql: { containers: ['mysql'], jobs: [], ports: ['COMPORTA_MYSQL_PORT'] },
  postgres: { containers: ['postgres'], jobs: [], ports: ['COMPORTA_POSTGRES_PORT'] },
  s3: { containers: ['s3'], jobs: [], ports: ['COMPORTA_S3_PORT'] },
  gcs: { containers: ['gcs'], jobs: [], ports: ['COMPORTA_GCS_PORT'] },
};

/** What each service offers its clients. */
export interface Services {
  readonly temporal: TemporalService;
  readonly mariadb: DatabaseService;
  readonly mysql: DatabaseService;
  readonly postgres: DatabaseService;
  readonly s3: S3Service;
  readonly gcs: GcsService;
}

/** Whether a container engine answers and knows `docker compose`. */
export async function isDockerRunning(run: Execute = execute): Promise<boolean> {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}']);
    await run('docker', ['compose', 'version']);
    return true;
  } catch {
    return false;
  }
}

export interface ComposeOptions {
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Default: {@link execute}. */
  readonly run?: Execute;
  /** Name of the compose project. Default: a new one, so that several can run side by side. */
  readonly project?: string;
}

/** Starts a service from docker-compose.yaml on a free port and waits until it is healthy. */
export async function startWithDocker<Name extends ServiceName>(
  name: Name,
  options: ComposeOptions = {},
): Promise<Services[Name]> {
  const { run = execute, project = `comporta-${name}-${randomUUID().slice(0, 8)}` } = options;
  const { containers, jobs, ports: variables } = composeServices[name];
  const free = await freePorts(variables.length);
  const ports = [options.port ?? free[0]!, ...free.slice(1)];
  const env = Object.fromEntries(variables.map((variable, index) => [variable, `${ports[index]}`]));
  const compose = (...args: string[]) => run('docker', composeArguments(project, args), { env });

  runAtTheEnd(project, ['docker', ...composeArguments(project, downArguments)]);
  const stop = async () => {
    await compose(...downArguments);
    leaveCommand(project);
  };
  try {
    await compose('up', '--detach', '--wait', ...containers);
    for (const job of jobs) await compose('run', '--rm', job);
  } catch (error) {
    await stop();
    throw error;
  }
  const service: RunningService = {
    name,
    host: loopback,
    port: ports[0]!,
    pid: undefined,
    directory: undefined,
    stop,
    keep: () => {
      leaveCommand(project);
      return { kind: 'compose', project };
    },
  };
  return { ...service, ...facts[name](ports) } as Services[Name];
}

/** Stops a project that another process started. */
export async function stopProject(project: string, run: Execute = execute): Promise<void> {
  await run('docker', composeArguments(project, downArguments));
}

/** Names of the running containers of a project. */
export async function runningContainers(
  project: string,
  run: Execute = execute,
): Promise<string[]> {
  const names = await run('docker', composeArguments(project, ['ps', '--services']));
  return names.split('\n').filter(Boolean);
}

// All profiles, as a service that was started by name may belong to one.
const downArguments = ['--profile', '*', 'down', '--volumes', '--timeout', '10'];

function composeArguments(project: string, args: readonly string[]): string[] {
  return ['compose', '--project-name', project, '--file', composeFile, ...args];
}

const facts: Readonly<Record<ServiceName, (ports: readonly number[]) => object>> = {
  temporal: ([port, uiPort]) => ({
    address: `${loopback}:${port}`,
    namespace: 'default',
    uiUrl: `http://${loopback}:${uiPort}`,
  }),
  mariadb: () => testConnection,
  mysql: () => testConnection,
  postgres: () => testConnection,
  s3: ([port]) => ({ endpoint: `http://${loopback}:${port}`, bucket: defaultBucket, ...testKeys }),
  gcs: ([port]) => ({ endpoint: `http://${loopback}:${port}`, bucket: defaultBucket }),
};
