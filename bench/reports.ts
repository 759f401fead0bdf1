import { loadavg } from 'node:os';
import type { EngineFigure } from './engines';
import { commitOfTree } from './load/commit';
import { markdownTable } from './load/report';
import { machine } from './measure';
import type { MemoryFigure } from './memory';
import type { OrchestrationFigure } from './orchestration';
import type { ParallelFigure } from './parallel';
import type { SmallFigure } from './small';

function circumstances(): string {
  const moment = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const load = loadavg()[0]?.toFixed(1);
  return `${machine()}. Load average at the end: ${load}. Comporta ${commitOfTree()}, ${moment} UTC.`;
}

function section(title: string, text: string, table: string): string {
  return [`## ${title}`, `${text} ${circumstances()}`, table].join('\n\n');
}

export function memoryReport(figures: readonly MemoryFigure[]): string {
  return section(
    'Memory over the time of a load',
    'Resident memory of the whole process in MiB: the peak, and the largest in each tenth of the time.',
    markdownTable(
      ['table', 'rows', 'lake', 'wall s', 'peak MiB', 'tenths'],
      figures.map((figure) => [
        `${figure.table} on ${figure.database}`,
        figure.rows.toLocaleString('en-US'),
        figure.lake,
        figure.wallSeconds.toFixed(1),
        figure.peakMiB.toFixed(0),
        figure.tenthsMiB.join(' '),
      ]),
    ),
  );
}

export function parallelReport(figures: readonly ParallelFigure[], scale: number): string {
  return section(
    figures[0]?.pinned ? 'Streams at once, server and client on a core each' : 'Streams at once',
    `The same table moved once, then several times at once, by one process (scale ${scale}).`,
    markdownTable(
      ['table', 'streams', 'wall s', 'rows/s', 'client µs/row', 'server µs/row', 'load'],
      figures.map((figure) => [
        `${figure.table} on ${figure.database}`,
        figure.chunkMiB === undefined ? String(figure.streams) : `chunks of ${figure.chunkMiB} MiB`,
        figure.wallSeconds.toFixed(2),
        Math.round(figure.rowsPerSecond).toLocaleString('en-US'),
        figure.clientPerRow.toFixed(2),
        figure.serverPerRow.toFixed(2),
        figure.loadAverage.toFixed(1),
      ]),
    ),
  );
}

export function smallReport(figures: readonly SmallFigure[], tables: number, rows: number): string {
  return section(
    `${tables} tables of ${rows} rows through the whole service`,
    'MariaDB into a folder, a real Temporal development server, a worker as it is deployed. ' +
      'Milliseconds are medians over the tables.',
    markdownTable(
      [
        'run',
        'batch s',
        'plan s',
        'load ms',
        'wait ms',
        'workflow ms',
        'worker CPU s',
        'Temporal CPU s',
        'MariaDB CPU s',
        'worker peak MiB',
      ],
      figures.map((figure) => [
        figure.run === 0 ? 'first load' : `all changed, ${figure.run}`,
        figure.batchSeconds.toFixed(2),
        figure.planSeconds.toFixed(2),
        figure.loadMs.toFixed(0),
        figure.waitMs.toFixed(0),
        figure.workflowMs.toFixed(0),
        figure.workerCpuSeconds.toFixed(2),
        figure.temporalCpuSeconds.toFixed(2),
        figure.databaseCpuSeconds.toFixed(2),
        figure.workerPeakMiB.toFixed(0),
      ]),
    ),
  );
}

export function orchestrationReport(figures: readonly OrchestrationFigure[]): string {
  return section(
    'The workflows alone',
    "Batches of tables whose activities do nothing, eight at a time, on Temporal's development server. " +
      'One process is client and worker.',
    markdownTable(
      ['tables', 'wall s', 'worker CPU ms/table', 'Temporal CPU ms/table', 'worker peak MiB'],
      figures.map((figure) => [
        figure.tables.toLocaleString('en-US'),
        figure.wallSeconds.toFixed(2),
        figure.workerCpuMsPerTable.toFixed(1),
        figure.serverCpuMsPerTable.toFixed(1),
        figure.peakMiB.toFixed(0),
      ]),
    ),
  );
}

/** The figures of one database. */
export function enginesReport(figures: readonly EngineFigure[]): string {
  const embedded = (rows: number) =>
    figures.find((figure) => figure.rows === rows && figure.engine === 'embedded');
  const cpu = (figure: EngineFigure) => figure.workerCpuSeconds + figure.sparkCpuSeconds;
  return section(
    `lineitem on ${figures[0]?.database ?? 'nothing'}`,
    'Each load from the look at the table to its publication in a folder, by a worker that runs already. ' +
      'The table of 0 rows shows what a load costs before the first. Medians; what takes long is loaded once.',
    markdownTable(
      [
        'rows',
        'engine',
        'wall s',
        'worker CPU s',
        'Spark CPU s',
        'server CPU s',
        'peak MiB',
        'file MB',
        'wall ÷ embedded',
        'CPU ÷ embedded',
        'loads',
      ],
      figures.map((figure) => {
        const beside = embedded(figure.rows);
        const ratio = (of: (one: EngineFigure) => number) =>
          beside === undefined ? '' : (of(figure) / of(beside)).toFixed(1);
        return [
          figure.rows.toLocaleString('en-US'),
          figure.engine,
          figure.wallSeconds.toFixed(2),
          figure.workerCpuSeconds.toFixed(2),
          figure.sparkCpuSeconds.toFixed(2),
          figure.serverCpuSeconds.toFixed(2),
          figure.peakMiB.toFixed(0),
          (figure.fileBytes / 1e6).toFixed(2),
          ratio(({ wallSeconds }) => wallSeconds),
          ratio(cpu),
          String(figure.loads),
        ];
      }),
    ),
  );
}
