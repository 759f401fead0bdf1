import { machine } from '../measure';
import type { BenchDatabase } from './databases';
import type { Figure, Round } from './round';
import type { SourceData } from './source-data';

/** What stands above the table of one round. */
export interface RoundFacts {
  readonly database: BenchDatabase;
  readonly data: SourceData;
  readonly scale: number;
  readonly repeats: number;
  readonly zstdLevel: number;
  readonly commit: string;
}

const TITLES = [
  'contender',
  'client CPU s',
  'server CPU s',
  'wall s',
  'peak MiB',
  'file MB',
  'client CPU ÷ Comporta',
  'client + server ÷ Comporta',
  'wall ÷ Comporta',
  'notes',
] as const;

/** One round as Markdown: a heading, the circumstances, a table, what the figures say. */
export function roundReport(facts: RoundFacts, round: Round): string {
  const { database, data } = facts;
  return [
    `## ${data.table.name} on ${database.version}`,
    circumstances(facts, round),
    markdownTable(TITLES, rowsOf(round.figures)),
    ...conclusions(round.figures),
  ].join('\n\n');
}

function circumstances(facts: RoundFacts, { load }: Round): string {
  const { data, scale, repeats, zstdLevel, commit } = facts;
  const [lowest, highest] = load.map((average) => average.toFixed(1));
  return (
    `${data.rows.toLocaleString('en-US')} rows (scale ${scale}), ${data.table.columns.length} columns. ` +
    `Medians of ${repeats}, zstd ${zstdLevel}. ${machine()}. Load average before the runs: ${lowest} to ${highest}. ` +
    `Comporta ${commit}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.`
  );
}

/** A table of Markdown, its columns padded so that it reads as text too. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [titles, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = titles.map((_, column) => Math.max(...all.map((row) => [...row[column]!].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => pad(cell, widths[column]!, column > 0)).join(' | ')} |`;
  const [head, ...body] = all;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head!), `| ${rule.join(' | ')} |`, ...body.map(line)].join('\n');
}

function pad(text: string, width: number, left: boolean): string {
  const blanks = ' '.repeat(width - [...text].length);
  return left ? blanks + text : text + blanks;
}

function rowsOf(figures: readonly Figure[]): string[][] {
  const us = figures.find(({ kind }) => kind === 'us');
  return figures.map((figure) => {
    if (figure.runs === 0)
      return [figure.contender, ...Array<string>(TITLES.length - 2).fill(''), notesOf(figure)];
    const ratio = (pick: (of: Figure) => number) =>
      us === undefined || us.runs === 0 ? '' : (pick(figure) / pick(us)).toFixed(2);
    return [
      figure.contender,
      figure.cpuSeconds.toFixed(2),
      figure.kind === 'encode' ? '' : figure.serverCpuSeconds.toFixed(2),
      figure.wallSeconds.toFixed(2),
      figure.peakMiB.toFixed(0),
      figure.fileBytes === undefined ? '' : (figure.fileBytes / 1e6).toFixed(1),
      ratio((of) => of.cpuSeconds),
      figure.kind === 'encode' ? '' : ratio((of) => of.cpuSeconds + of.serverCpuSeconds),
      ratio((of) => of.wallSeconds),
      notesOf(figure),
    ];
  });
}

function notesOf({ failed, verdict, runs, kind }: Figure): string {
  const wrong = verdict?.wrong ?? [];
  return [
    ...(failed === undefined ? [] : [`FAILED: ${failed}`]),
    ...(wrong.length === 0 ? [] : [`WRONG: ${wrong.slice(0, 2).join('; ')}${more(wrong)}`]),
    ...(verdict?.types ?? []),
    ...(runs === 1 && kind === 'peer' ? ['1 run'] : []),
  ].join('; ');
}

function more(all: readonly unknown[]): string {
  return all.length > 2 ? ` and ${all.length - 2} more` : '';
}

/** The questions that the benchmark is for, answered from the figures. */
function conclusions(figures: readonly Figure[]): string[] {
  const us = figures.find(({ kind }) => kind === 'us');
  if (us === undefined || us.runs === 0) return [];
  const measured = figures.filter(({ runs }) => runs > 0);
  const peers = measured.filter(
    ({ kind, verdict }) => kind === 'peer' && verdict?.wrong.length === 0,
  );
  const client = ({ cpuSeconds }: Figure) => cpuSeconds;
  const both = (of: Figure) => of.cpuSeconds + of.serverCpuSeconds;
  const wall = ({ wallSeconds }: Figure) => wallSeconds;
  const own = measured.find(({ contender }) => contender.startsWith('own client'));
  const floors = measured.filter(({ contender }) => contender.startsWith('floor'));
  const encoded = measured.find(({ kind }) => kind === 'encode');
  const lines = [
    versus('Client CPU of the fastest right peer', leastOf(peers, client), us, client),
    versus('Client and server CPU of the cheapest right peer', leastOf(peers, both), us, both),
    versus('Wall time of the quickest right peer', leastOf(peers, wall), us, wall),
    ...(own === undefined
      ? []
      : [`Wall time ÷ that of the database's own client: ${(wall(us) / wall(own)).toFixed(2)}.`]),
    ...floors.map(
      (floor) => `Client CPU ÷ ${floor.contender}: ${(client(us) / client(floor)).toFixed(2)}.`,
    ),
    ...(encoded?.fileBytes === undefined || us.fileBytes === undefined
      ? []
      : [`File size ÷ DuckDB's own: ${(us.fileBytes / encoded.fileBytes).toFixed(3)}.`]),
  ];
  return [lines.map((line) => `- ${line}`).join('\n')];
}

function leastOf(figures: readonly Figure[], pick: (of: Figure) => number): Figure | undefined {
  return [...figures].sort((left, right) => pick(left) - pick(right))[0];
}

function versus(
  what: string,
  peer: Figure | undefined,
  us: Figure,
  pick: (of: Figure) => number,
): string {
  if (peer === undefined) return `${what}: there is none.`;
  return `${what} ÷ ours: ${(pick(peer) / pick(us)).toFixed(2)} (${peer.contender}).`;
}
