import { basename, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PLAIN } from '../src/client/render/style';
import { renderTable } from '../src/client/render/table';
import { benchEngines, LARGEST } from './engines';
import { benchHistory } from './history';
import { databaseNames, type DatabaseName } from './load/databases';
import { benchLoad } from './load/load';
import { writeSection } from './load/results';
import { benchTableNames, type BenchTableName } from './load/tables';
import { machine } from './measure';
import { benchMemory, type MemoryOptions } from './memory';
import { benchOrchestration } from './orchestration';
import { benchParallel, type ParallelOptions } from './parallel';
import { benchPlan } from './plan';
import {
  enginesReport,
  memoryReport,
  orchestrationReport,
  parallelReport,
  smallReport,
} from './reports';
import { benchSmall } from './small';

const RESULTS = join(__dirname, 'RESULTS.md');
const RESULTS_ENGINES = join(__dirname, 'RESULTS-engines.md');

/** Prints one table of figures, or all of it as JSON. */
function report(title: string, rows: readonly object[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ title, machine: machine(), rows })}\n`);
    return;
  }
  const titles = Object.keys(rows[0] ?? {});
  const lines = renderTable(
    titles.map((title) => ({ title, align: 'right' })),
    rows.map((row) => Object.values(row).map((value) => String(rounded(value)))),
    { width: undefined, style: PLAIN },
  );
  process.stdout.write(`${title}\n${machine()}\n${lines.join('\n')}\n`);
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}

const progress = (line: string) => process.stderr.write(`${line}\n`);

/** Reads a comma-separated list of known names. */
function listOf<Name extends string>(known: readonly Name[]) {
  return (text: string): Name[] =>
    text.split(',').map((part) => {
      const name = known.find((candidate) => candidate === part.trim());
      if (name === undefined)
        throw new InvalidArgumentError(`"${part}" is none of ${known.join(', ')}`);
      return name;
    });
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('it must be a number above 0');
  return number;
}

const program = new Command('bench')
  .description('Measures Comporta on this machine. Nothing else should run meanwhile.')
  .option('--json', 'one JSON document per benchmark', false);

const isJson = () => program.opts<{ json: boolean }>().json;

interface Output {
  readonly output: string | false;
}

interface Timed extends Output {
  readonly timeout: number;
}

const databasesOption = (all: readonly DatabaseName[] = databaseNames) =>
  new Option('--databases <list>', `of ${databaseNames.join(', ')}`)
    .argParser(listOf(databaseNames))
    .default([...all], all.join(','));

const tablesOption = (all: readonly BenchTableName[] = benchTableNames) =>
  new Option('--tables <list>', `of ${benchTableNames.join(', ')}`)
    .argParser(listOf(benchTableNames))
    .default([...all], all.join(','));

/** `--output none` leaves the report as it is. */
const outputOption = (file = RESULTS) =>
  new Option('--output <file>', 'the report to bring up to date, or none')
    .argParser((text: string) => (text === 'none' ? false : text))
    .default(file, `bench/${basename(file)}`);

interface LoadArguments extends Timed {
  readonly databases: DatabaseName[];
  readonly tables: BenchTableName[];
  readonly contenders: string[];
  readonly scale: number;
  readonly repeats: number;
}

program
  .command('load', { isDefault: true })
  .description('whole tables to Parquet, against the peers (hours with everything)')
  .addOption(databasesOption())
  .addOption(tablesOption())
  .addOption(
    new Option('--contenders <list>', 'parts of their names, whatever the case')
      .argParser((text: string) => text.split(','))
      .default([], 'all'),
  )
  .option('--scale <number>', '1 is TPC-H scale 1: 6 million rows of lineitem', positiveNumber, 1)
  .option('--repeats <number>', 'runs of each contender on each table', positiveNumber, 3)
  .option('--timeout <seconds>', 'for one run', positiveNumber, 300)
  .addOption(outputOption())
  .action(async ({ timeout, output, ...options }: LoadArguments) => {
    await benchLoad(
      {
        ...options,
        timeoutSeconds: timeout,
        progress,
        ...(output === false ? {} : { output }),
      },
      (text, result) =>
        process.stdout.write(isJson() ? `${JSON.stringify(result)}\n` : `${text}\n\n`),
    );
  });

program
  .command('memory')
  .description('memory of one process over the time of a huge table, into a folder and a bucket')
  .addOption(databasesOption(['mariadb', 'postgres']))
  .option('--scale <number>', '1 is 50 million rows, and 1,000 of 1 MB', positiveNumber, 1)
  .addOption(outputOption())
  .action(async ({ output, ...options }: Omit<MemoryOptions, 'progress'> & Output) => {
    const figures = await benchMemory({ ...options, progress });
    if (output !== false) writeSection(output, '3 memory', memoryReport(figures));
    const rows = figures.map(({ tenthsMiB, ...rest }) => ({
      ...rest,
      tenthsMiB: tenthsMiB.join(' '),
    }));
    report('Memory of a move', rows, isJson());
  });

program
  .command('parallel')
  .description('one stream against two at once')
  .addOption(databasesOption(['mariadb', 'postgres']))
  .addOption(tablesOption(['lineitem', 'wide']))
  .option('--scale <number>', 'as of load', positiveNumber, 1)
  .option('--repeats <number>', 'runs of each', positiveNumber, 3)
  .option('--streams <list>', 'numbers of streams', (text) => text.split(',').map(Number), [1, 2])
  .option('--chunk-mi-b <size>', 'also once in chunks of so many MiB', positiveNumber)
  .option('--pinned', 'the server on one core and the client on another, by taskset', false)
  .option('--timeout <seconds>', 'for one run', positiveNumber, 600)
  .addOption(outputOption())
  .action(async (parsed: Omit<ParallelOptions, 'progress' | 'timeoutSeconds'> & Timed) => {
    const { output, timeout: timeoutSeconds, ...options } = parsed;
    const figures = await benchParallel({ ...options, timeoutSeconds, progress });
    const section = options.pinned ? '2 parallel, pinned' : '2 parallel';
    if (output !== false) writeSection(output, section, parallelReport(figures, options.scale));
    report('Streams at once', figures, isJson());
  });

program
  .command('small')
  .description('many small tables through the whole service, with the split of the time')
  .option('--tables <number>', 'tables', positiveNumber, 200)
  .option('--rows <number>', 'rows of each', positiveNumber, 500)
  .option('--runs <number>', 'batches, one after the other', positiveNumber, 3)
  .addOption(outputOption())
  .action(async (parsed: { tables: number; rows: number; runs: number } & Output) => {
    const { output, tables, rows, runs } = parsed;
    const figures = await benchSmall(tables, rows, runs);
    if (output !== false) writeSection(output, '4 small', smallReport(figures, tables, rows));
    report(`${tables} tables of ${rows} rows`, figures, isJson());
  });

interface EnginesArguments extends Output {
  readonly databases: DatabaseName[];
  readonly sizes: number[];
  readonly repeats: number;
}

function tableSizes(text: string): number[] {
  return text.split(',').map((part) => {
    const rows = Number(part);
    if (Number.isInteger(rows) && rows > 0 && rows <= LARGEST) return rows;
    throw new InvalidArgumentError(`"${part}" is no number of rows from 1 to ${LARGEST}`);
  });
}

program
  .command('engines')
  .description('the embedded engine beside a Spark on this machine, by the size of the table')
  .addOption(databasesOption(['mariadb', 'postgres']))
  .addOption(
    new Option('--sizes <list>', 'rows of the tables')
      .argParser(tableSizes)
      .default([100, 10_000, 100_000, 1_000_000, LARGEST], `100,10000,100000,1000000,${LARGEST}`),
  )
  .option('--repeats <number>', 'loads of each by each, fewer of the largest', positiveNumber, 3)
  .addOption(outputOption(RESULTS_ENGINES))
  .action(async ({ output, ...options }: EnginesArguments) => {
    const figures = await benchEngines({ ...options, progress });
    for (const database of new Set(figures.map((figure) => figure.database))) {
      const own = figures.filter((figure) => figure.database === database);
      if (output !== false) writeSection(output, `1 ${database}`, enginesReport(own));
    }
    report('The embedded engine beside Spark', figures, isJson());
  });

program
  .command('orchestration')
  .description('no-op tables, 8 at a time, on a real Temporal development server')
  .option('--sizes <list>', 'tables per batch', '1,10,100,1000')
  .option('--repeats <number>', 'counted runs of each size', '3')
  .addOption(outputOption())
  .action(async ({ sizes, repeats, output }: { sizes: string; repeats: string } & Output) => {
    const rows = await benchOrchestration(sizes.split(',').map(Number), Number(repeats), progress);
    if (output !== false) writeSection(output, '5 orchestration', orchestrationReport(rows));
    report('Orchestration, no-op tables, 8 at a time', rows, isJson());
  });

program
  .command('plan')
  .description('a batch over many tables of which few changed, through a real worker')
  .option('--tables <number>', 'tables in the source', '10000')
  .option('--changed <number>', 'of which changed', '20')
  .action(async ({ tables, changed }: { tables: string; changed: string }) => {
    const rows = [await benchPlan(Number(tables), Number(changed))];
    report('Planning', rows, isJson());
  });

program
  .command('history')
  .description('a SQLite history of many tables and nights: what a plan asks of it')
  .option('--tables <number>', 'tables in the history', '10000')
  .option('--nights <number>', 'nights in which all of them were skipped', '99')
  .action(async ({ tables, nights }: { tables: string; nights: string }) => {
    const rows = [await benchHistory(Number(tables), Number(nights))];
    report('Historico_Execucao on SQLite', rows, isJson());
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
