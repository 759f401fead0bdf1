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
  'start-up s',
  'again: client CPU s',
  'again: wall s',
  'µs per row',
  'client CPU ÷ ours',
  'per row ÷ ours',
  'client + server ÷ ours',
  'wall ÷ ours',
  'notes',
] as const;

/** One round as Markdown: a heading, the circumstances, a table, what the figures say. */
export function roundReport(facts: RoundFacts, round: Round): string {
  const { database, data } = facts;
  return [
    `## ${data.table.name} on ${database.version}`,
    circumstances(facts, round),
    markdownTable(TITLES, rowsOf(round.figures, data.rows)),
    ...conclusions(round.figures, data.rows),
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

/** A table of Markdown, its columns padded so that it reads as text too, but for the last. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [titles, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const last = titles.length - 1;
  const widths = titles.map((title, column) =>
    column === last ? title.length : Math.max(...all.map((row) => row[column]!.length)),
  );
  const isNumber = (column: number) => column > 0 && column < last;
  const line = (cells: readonly string[]) =>
    `| ${cells
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  const [head, ...body] = all;
  return [line(head!), `| ${rule.join(' | ')} |`, ...body.map(line)].join('\n');
}

function rowsOf(figures: readonly Figure[], rows: number): string[][] {
  const us = figures.find(({ kind, runs }) => kind === 'us' && runs > 0);
  return figures.map((figure) => {
    if (figure.runs === 0)
      return [figure.contender, ...Array<string>(TITLES.length - 2).fill(''), notesOf(figure)];
    const ratio = (pick: Pick) => {
      const [mine, theirs] = [us && pick(us), pick(figure)];
      return mine === undefined || theirs === undefined ? '' : (theirs / mine).toFixed(2);
    };
    const server = figure.kind !== 'encode';
    return [
      figure.contender,
      figure.cpuSeconds.toFixed(2),
      server ? figure.serverCpuSeconds.toFixed(2) : '',
      figure.wallSeconds.toFixed(2),
      figure.peakMiB.toFixed(0),
      figure.fileBytes === undefined ? '' : (figure.fileBytes / 1e6).toFixed(1),
      figure.startupSeconds?.toFixed(2) ?? '',
      figure.again?.cpuSeconds.toFixed(2) ?? '',
      figure.again?.wallSeconds.toFixed(2) ?? '',
      perRow(rows)(figure)?.toFixed(2) ?? '',
      ratio(client),
      ratio(perRow(rows)),
      server ? ratio(both) : '',
      ratio(wall),
      notesOf(figure),
    ];
  });
}

/** One of a contender's figures, if it has it. */
type Pick = (figure: Figure) => number | undefined;

const client = ({ cpuSeconds }: Figure) => cpuSeconds;
const both = (of: Figure) => of.cpuSeconds + of.serverCpuSeconds;
const wall = ({ wallSeconds }: Figure) => wallSeconds;
const bothAgain = ({ again }: Figure) => again && again.cpuSeconds + again.serverCpuSeconds;
const wallAgain = ({ again }: Figure) => again?.wallSeconds;

/** Below this the difference of two runs is noise: CPU time is counted in hundredths of a second. */
const TELLING_SECONDS = 0.05;

/**
 * Microseconds of the client's CPU for a row: in a process that has moved the table before, or where
 * there is none, without what it needs for no rows.
 */
const perRow =
  (rows: number): Pick =>
  ({ again, cpuSeconds, startupSeconds = Number.NaN }) => {
    if (again !== undefined) return (again.cpuSeconds / rows) * 1e6;
    const seconds = cpuSeconds - startupSeconds;
    return seconds >= TELLING_SECONDS ? (seconds / rows) * 1e6 : undefined;
  };

function notesOf({ failed, verdict, runs, kind }: Figure): string {
  const wrong = verdict?.wrong ?? [];
  return [
    ...(failed === undefined ? [] : [`FAILED: ${failed}`]),
    ...(wrong.length === 0 ? [] : [`WRONG: ${wrong.slice(0, 2).join('; ')}${more(wrong)}`]),
    ...(verdict?.types ?? []),
    ...(verdict?.settings ?? []),
    ...(runs === 1 && kind === 'peer' ? ['1 run'] : []),
  ].join('; ');
}

function more(all: readonly unknown[]): string {
  return all.length > 2 ? ` and ${all.length - 2} more` : '';
}

/** The questions that the benchmark is for, answered from the figures. */
function conclusions(figures: readonly Figure[], rows: number): string[] {
  const us = figures.find(({ kind, runs }) => kind === 'us' && runs > 0);
  if (us === undefined) return [];
  const measured = figures.filter(({ runs }) => runs > 0);
  const peers = measured.filter(
    ({ kind, verdict }) => kind === 'peer' && verdict?.wrong.length === 0,
  );
  const own = measured.find(({ contender }) => contender.startsWith('own client'));
  const floors = measured.filter(({ contender }) => contender.startsWith('floor'));
  const encoded = measured.find(({ kind }) => kind === 'encode');
  const lines = [
    ...lead('Client CPU', us, peers, client),
    ...lead('Client and server CPU', us, peers, both),
    ...lead('Wall time', us, peers, wall),
    ...measured
      .filter((other) => other.kind === 'us' && other !== us)
      .flatMap((other) => lead(`${other.contender}: wall time`, other, peers, wall)),
    ...lead('In a running process: client CPU per row', us, peers, perRow(rows)),
    ...lead('In a running process: client and server CPU', us, peers, bothAgain),
    ...lead('In a running process: wall time', us, peers, wallAgain),
    ...(own === undefined
      ? []
      : [
          `Our wall time ÷ that of the database's own client: ${(wall(us) / wall(own)).toFixed(2)}` +
            `${us.again === undefined ? '' : `; in a running process ${(us.again.wallSeconds / wall(own)).toFixed(2)}`}.`,
        ]),
    ...floors.map(
      (floor) =>
        `Our client CPU ÷ the ${floor.contender}: ${(client(us) / client(floor)).toFixed(2)}` +
        `${floorAgain(us, floor, rows)}.`,
    ),
    ...(encoded?.fileBytes === undefined || us.fileBytes === undefined
      ? []
      : [`Our file ÷ DuckDB's own: ${(us.fileBytes / encoded.fileBytes).toFixed(3)}.`]),
  ];
  return [lines.map((line) => `- ${line}`).join('\n')];
}

/** How far Comporta is ahead of the best peer whose answer is right; below 1 it is behind. */
function lead(what: string, us: Figure, peers: readonly Figure[], pick: Pick): string[] {
  const ours = pick(us);
  const [best] = peers
    .flatMap((peer) => {
      const value = pick(peer);
      return value === undefined ? [] : [{ peer, value }];
    })
    .sort((left, right) => left.value - right.value);
  if (ours === undefined || best === undefined) return [];
  return [
    `${what} of the best peer ÷ ours: ${(best.value / ours).toFixed(2)} (${best.peer.contender}).`,
  ];
}

function floorAgain(us: Figure, other: Figure, rows: number): string {
  const [ours, theirs] = [perRow(rows)(us), perRow(rows)(other)];
  if (ours === undefined || theirs === undefined) return '';
  return `; in a running process ${(ours / theirs).toFixed(2)}`;
}
