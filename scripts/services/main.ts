import { once } from 'node:events';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { ensureTools } from '../install-tools';
import {
  defaultStateFile,
  factsOf,
  isRunning,
  readKept,
  stopKept,
  writeKept,
  type KeptService,
} from './kept';
import { serviceNames, type RunningService, type ServiceName } from './service';
import { startService } from './start';

interface CommonOptions {
  readonly state: string;
  readonly json?: true;
}

interface UpOptions extends CommonOptions {
  readonly keep?: true;
  readonly mode?: 'docker' | 'native';
  readonly dir?: string;
}

const print = (text: string) => process.stdout.write(`${text}\n`);
const report = (text: string) => process.stderr.write(`${text}\n`);

async function up(names: readonly ServiceName[], options: UpOptions): Promise<void> {
  const kept = await runningAmong(await readKept(options.state));
  const wanted = names.filter((name) => !kept.some((service) => service.name === name));
  const started: RunningService[] = [];
  for (const name of wanted) {
    report(`${name}: starting`);
    started.push(
      await startService(name, {
        mode: options.mode,
        directory: options.dir === undefined ? undefined : join(options.dir, name),
        progress: (line) => report(`${name}: ${line}`),
      }),
    );
  }
  const shown = [
    ...kept.filter((service) => names.includes(service.name)).map((service) => service.facts),
    ...started.map(factsOf),
  ];
  print(render(shown, options.json));
  if (options.keep) {
    const nowKept = started.map((service) => ({
      name: service.name,
      facts: factsOf(service),
      record: service.keep(),
    }));
    await writeKept(options.state, [...kept, ...nowKept]);
    return;
  }
  if (started.length === 0) return;
  report('Running until Ctrl-C.');
  await interruption();
  await Promise.all(started.map((service) => service.stop()));
}

async function stop(names: readonly ServiceName[], options: CommonOptions): Promise<void> {
  const kept = await readKept(options.state);
  const leaving = kept.filter(({ name }) => names.includes(name));
  await Promise.all(leaving.map(({ record }) => stopKept(record)));
  await writeKept(
    options.state,
    kept.filter((service) => !leaving.includes(service)),
  );
  const stopped = leaving.map(({ name }) => name);
  if (options.json) print(JSON.stringify({ stopped }));
  else print(stopped.length === 0 ? 'Nothing to stop.' : `Stopped: ${stopped.join(', ')}.`);
}

async function status(options: CommonOptions): Promise<void> {
  const running = await runningAmong(await readKept(options.state));
  if (running.length === 0 && !options.json) print('Nothing runs.');
  else
    print(
      render(
        running.map(({ facts }) => facts),
        options.json,
      ),
    );
}

async function runningAmong(kept: readonly KeptService[]): Promise<KeptService[]> {
  const states = await Promise.all(kept.map(({ record }) => isRunning(record)));
  return kept.filter((_, index) => states[index]);
}

/** Keeps the event loop alive, which the detached servers do not. */
async function interruption(): Promise<void> {
  const forever = setInterval(() => undefined, 1 << 30);
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  clearInterval(forever);
}

function render(services: readonly Readonly<Record<string, unknown>>[], json?: true): string {
  if (json) return JSON.stringify(services, undefined, 2);
  return services
    .map(({ name, ...rest }) =>
      [
        String(name),
        ...Object.entries(rest).map(([key, value]) => `  ${key}: ${String(value)}`),
      ].join('\n'),
    )
    .join('\n');
}

function commandLine(): Command {
  const names = () =>
    new Argument('[names...]', 'which services (default: all)')
      .choices(serviceNames)
      .default([...serviceNames], 'all');
  const stateOption = () =>
    new Option('--state <file>', 'where kept services are written down').default(
      defaultStateFile,
      '.comporta/services.json',
    );
  const jsonOption = () => new Option('--json', 'print JSON');

  const program = new Command('services').description(
    'Start and stop the servers that the demo, the tests and the benchmarks talk to.',
  );
  program
    .command('up')
    .description('start services and print how to reach them; they stop on Ctrl-C')
    .addArgument(names())
    .option('--keep', 'leave them running and return; `stop` ends them')
    .option('--dir <folder>', 'keep the data below this folder (native only)')
    .addOption(
      new Option('--mode <mode>', 'how to run them (default: docker where an engine runs)').choices(
        ['docker', 'native'],
      ),
    )
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(up);
  program
    .command('install')
    .description('fetch or build what `up` would need without Docker')
    .addArgument(names())
    .action((wanted: ServiceName[]) => ensureTools(wanted, report));
  program
    .command('stop')
    .description('stop services that were kept running')
    .addArgument(names())
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(stop);
  program
    .command('status')
    .description('list the services that were kept running')
    .addOption(stateOption())
    .addOption(jsonOption())
    .action(status);
  return program;
}

commandLine()
  .parseAsync()
  .catch((error: unknown) => {
    report(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
