import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES } from '../pipeline/pipeline';

export const ROLES = ['control', ...ENGINES] as const;
export type Role = (typeof ROLES)[number];

/** What a worker does that is not told: everything that needs no other program. */
const USUAL_ROLES: readonly Role[] = ['control', 'embedded'];

export interface WorkerSettings {
  readonly roles: readonly Role[];
  /** Folder of the pipeline files. */
  readonly pipelines: string;
  /** Tables that the role of each engine loads at the same time in this process. */
  readonly maxLoads: number;
  /** Threads that move their rows. */
  readonly threads: number;
  /** The role `spark`: spark-submit and its own options. */
  readonly sparkSubmit: string;
  readonly logLevel: string;
  /** Where Prometheus may fetch the metrics. */
  readonly metrics?: ListenAddress;
  /** Where /livez and /readyz are served. */
  readonly health?: ListenAddress;
}

export interface ListenAddress {
  readonly host: string;
  /** 0 takes any that is free, and the log says which. */
  readonly port: number;
}

/** Reads the worker's flags. Prints help or the mistake, and exits, as commander does. */
export function parseWorkerOptions(
  argumentsGiven: readonly string[],
  environment: NodeJS.ProcessEnv,
): WorkerSettings {
  const command = new Command('start')
    .description('Run a Comporta worker: it plans (control) and loads tables (the others).')
    .option('--roles <list>', `roles of this process, from: ${ROLES.join(', ')}`, parseRoles, [
      ...USUAL_ROLES,
    ])
    .option(
      '--pipelines <dir>',
      'folder of the pipeline files, or the file of a project',
      environment['COMPORTA_PIPELINES'] ?? 'pipelines',
    )
    .option('--max-loads <number>', 'tables loaded at the same time in this process', atLeastOne, 8)
    .addOption(
      new Option('--threads <number>', 'threads that move their rows')
        .argParser(atLeastOne)
        .default(availableParallelism(), 'as many as cores'),
    )
    .addOption(
      new Option(
        '--spark-submit <command>',
        'of the role spark: spark-submit with options of its own, separated by blanks',
      )
        .default('spark-submit')
        .env('COMPORTA_SPARK_SUBMIT'),
    )
    .addOption(
      new Option('--metrics <address>', 'serve metrics to Prometheus: 9464, or 0.0.0.0:9464')
        .argParser(listenAddress)
        .env('COMPORTA_METRICS'),
    )
    .addOption(
      new Option('--health <address>', 'serve /livez and /readyz: 8086, or 0.0.0.0:8086')
        .argParser(listenAddress)
        .env('COMPORTA_HEALTH'),
    )
    .addOption(
      new Option('--log-level <level>', 'how much to log')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      `
The connection comes from Temporal's environment configuration: TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, or a profile (TEMPORAL_PROFILE,
TEMPORAL_CONFIG_FILE).

Traces go where OTEL_EXPORTER_OTLP_ENDPOINT says; without it there are none.

SIGINT and SIGTERM stop the worker gracefully: loads under way get 5 seconds to end, the rest
is handed back to Temporal and goes on in another worker.

Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage or configuration, 3 Temporal could not be
reached.

Examples:
  npm start
  npm start -- --roles control
  npm start -- --roles embedded --max-loads 2
  npm start -- --roles dataproc --max-loads 50
  npm start -- --roles spark --spark-submit '/opt/spark/bin/spark-submit --master local[4]'`,
    );
  command.parse(argumentsGiven, { from: 'user' });
  return command.opts<WorkerSettings>();
}

function parseRoles(list: string): Role[] {
  return list.split(',').map((name) => {
    const role = ROLES.find((known) => known === name.trim());
    if (role === undefined) {
      throw new InvalidArgumentError(`"${name}" is no role; there are: ${ROLES.join(', ')}.`);
    }
    return role;
  });
}

function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('It takes a whole number from 1.');
  }
  return value;
}

/** `port`, on the loopback address alone, or `host:port`. */
function listenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:\s]+)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new InvalidArgumentError('It takes a port, or host:port.');
  }
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}
