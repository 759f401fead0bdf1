import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PLAIN } from '../src/client/render/style';
import { renderTable } from '../src/client/render/table';
import { benchHistory } from './history';
import { databaseNames, type DatabaseName } from './load/databases';
import { benchLoad } from './load/load';
import { benchTableNames, type BenchTableName } from './load/tables';
import { machine } from './measure';
import { benchOrchestration } from './orchestration';
import { benchPlan } from './plan';

const RESULTS = join(__dirname, 'RESULTS.md');

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

interface LoadArguments {
  readonly databases: DatabaseName[];
  readonly tables: BenchTableName[];
  readonly contenders: string[];
  readonly scale: number;
  readonly repeats: number;
  readonly timeout: number;
  readonly output: string | false;
}

program
  .command('load', { isDefault: true })
  .description('whole tables to Parquet, against the peers (hours with everything)')
  .addOption(
    new Option('--databases <list>', `of ${databaseNames.join(', ')}`)
      .argParser(listOf(databaseNames))
      .default([...databaseNames], 'all'),
  )
  .addOption(
    new Option('--tables <list>', `of ${benchTableNames.join(', ')}`)
      .argParser(listOf(benchTableNames))
      .default([...benchTableNames], 'all'),
  )
  .addOption(
    new Option('--contenders <list>', 'parts of their names, whatever the case')
      .argParser((text: string) => text.split(','))
      .default([], 'all'),
  )
  .option('--scale <number>', '1 is TPC-H scale 1: 6 million rows of lineitem', positiveNumber, 1)
  .option('--repeats <number>', 'runs of each contender on each table', positiveNumber, 3)
  .option('--timeout <seconds>', 'for one run', positiveNumber, 300)
  .option('--output <file>', 'the report to bring up to date', RESULTS)
  .option('--no-output', 'leave the report as it is')
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
  .command('orchestration')
  .description('no-op tables, 8 at a time, on a real Temporal development server')
  .option('--sizes <list>', 'tables per batch', '1,10,100,1000')
  .option('--repeats <number>', 'counted runs of each size', '3')
  .action(async ({ sizes, repeats }: { sizes: string; repeats: string }) => {
    const rows = await benchOrchestration(sizes.split(',').map(Number), Number(repeats));
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
