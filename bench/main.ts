import { Command } from 'commander';
import { PLAIN } from '../src/client/render/style';
import { renderTable } from '../src/client/render/table';
import { benchHistory } from './history';
import { machine } from './measure';
import { benchOrchestration } from './orchestration';
import { benchPlan } from './plan';

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

const program = new Command('bench')
  .description('Measures Comporta on this machine. Nothing else should run meanwhile.')
  .option('--json', 'one JSON document per benchmark', false);

program
  .command('orchestration')
  .description('no-op tables, 8 at a time, on a real Temporal development server')
  .option('--sizes <list>', 'tables per batch', '1,10,100,1000')
  .option('--repeats <number>', 'counted runs of each size', '3')
  .action(async ({ sizes, repeats }: { sizes: string; repeats: string }) => {
    const rows = await benchOrchestration(sizes.split(',').map(Number), Number(repeats));
    report(
      'Orchestration, no-op tables, 8 at a time',
      rows,
      program.opts<{ json: boolean }>().json,
    );
  });

program
  .command('plan')
  .description('a batch over many tables of which few changed, through a real worker')
  .option('--tables <number>', 'tables in the source', '10000')
  .option('--changed <number>', 'of which changed', '20')
  .action(async ({ tables, changed }: { tables: string; changed: string }) => {
    const rows = [await benchPlan(Number(tables), Number(changed))];
    report('Planning', rows, program.opts<{ json: boolean }>().json);
  });

program
  .command('history')
  .description('a SQLite history of many tables and nights: what a plan asks of it')
  .option('--tables <number>', 'tables in the history', '10000')
  .option('--nights <number>', 'nights in which all of them were skipped', '99')
  .action(async ({ tables, nights }: { tables: string; nights: string }) => {
    const rows = [await benchHistory(Number(tables), Number(nights))];
    report('Historico_Execucao on SQLite', rows, program.opts<{ json: boolean }>().json);
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
