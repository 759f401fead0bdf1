import { rm } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { median } from '../measure';
import { checkAnswer, type Verdict } from './check';
import type { CommandFor, Contender, Preparation } from './contenders';
import { tableIn, type BenchDatabase } from './databases';
import type { Job } from './job';
import { runOnce, type Outcome, type Sample, type SampleAgain } from './run';
import { benchDirectory, type SourceData } from './source-data';

/** One contender on one table of one database. */
export interface Figure extends Sample {
  readonly contender: string;
  readonly kind: Contender['kind'];
  readonly runs: number;
  /** CPU seconds that the contender needs for a table without rows. */
  readonly startupSeconds?: number;
  /** The table once more in a process that has moved it before; undefined where it cannot. */
  readonly again?: SampleAgain;
  /** Of all its Parquet files; undefined where it writes none. */
  readonly fileBytes?: number;
  readonly verdict?: Verdict;
  /** Why there are no figures: the contender's own words. */
  readonly failed?: string;
}

export interface RoundOptions {
  readonly contenders: readonly Contender[];
  readonly repeats: number;
  readonly timeoutSeconds: number;
  readonly zstdLevel: number;
  /** For the program that measures. */
  readonly python: string;
  readonly preparation: Preparation;
  /** By contender; see {@link measureStartup}. */
  readonly startup: ReadonlyMap<string, number>;
}

export interface Round {
  readonly figures: readonly Figure[];
  /** Smallest and largest load average (one minute) seen before a run. */
  readonly load: readonly [number, number];
}

/** Whoever needs so many times the CPU of Comporta is known well enough after one run. */
const SLOW = 4;

/**
 * CPU seconds of each contender on a table without rows: interpreters and libraries that load. A
 * service pays that once for all its tables; with it known, the rows can be told apart from it.
 */
export async function measureStartup(
  database: BenchDatabase,
  empty: SourceData,
  options: Omit<RoundOptions, 'startup'>,
): Promise<ReadonlyMap<string, number>> {
  const { figures } = await playRound(database, empty, { ...options, startup: new Map() });
  return new Map(
    figures.filter(({ runs }) => runs > 0).map((figure) => [figure.contender, figure.cpuSeconds]),
  );
}

/** Lets every contender move one table in turn, again and again. */
export async function playRound(
  database: BenchDatabase,
  data: SourceData,
  options: RoundOptions,
): Promise<Round> {
  const { preparation, contenders, repeats } = options;
  const players = await Promise.all(
    contenders
      .filter(({ databases }) => databases.includes(database.name))
      .filter(({ tables }) => tables?.includes(data.table.name) ?? true)
      .map((contender) => enter(contender, database, preparation)),
  );
  const setting = { database, data, options };
  const loads: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const player of players) {
      if (player.failed !== undefined || (repeat > 0 && isSlow(player, players))) continue;
      loads.push(loadavg()[0] ?? Number.NaN);
      await play(player, setting);
      if (player.failed !== undefined || isSlow(player, players)) continue;
      if (player.contender.again && data.rows > 0) await playAgain(player, setting);
    }
  }
  return {
    figures: players.map((player) => figureOf(player, options.startup)),
    load: [Math.min(...loads), Math.max(...loads)],
  };
}

interface Player {
  readonly contender: Contender;
  readonly commandFor: CommandFor | undefined;
  readonly samples: Sample[];
  readonly again: SampleAgain[];
  fileBytes?: number;
  verdict?: Verdict;
  failed?: string;
}

async function enter(
  contender: Contender,
  database: BenchDatabase,
  preparation: Preparation,
): Promise<Player> {
  try {
    const commandFor = await contender.prepare(preparation, database.name);
    return { contender, commandFor, samples: [], again: [] };
  } catch (error) {
    const failed = `not installed: ${(error as Error).message.split('\n')[0]}`;
    return { contender, commandFor: undefined, samples: [], again: [], failed };
  }
}

/** The contender in a process of its own for this one move: what it used counts, its answer is checked. */
async function play(player: Player, setting: Setting): Promise<void> {
  const { data, database, options } = setting;
  await runIn(setting, player, undefined, async (outcome) => {
    if (outcome.kind === 'failed') {
      player.failed = outcome.reason;
    } else {
      player.samples.push(outcome.sample);
      if (player.contender.kind !== 'discard') {
        player.fileBytes = outcome.files.reduce((sum, file) => sum + statSync(file).size, 0);
        // Every run reads the same data by the same program: one check is enough.
        if (data.rows > 0) player.verdict ??= await checkAnswer(data, outcome.files);
      }
    }
  });
  options.preparation.progress(
    `${database.name} ${data.table.name}: ${player.contender.name}: ${shortly(player)}`,
  );
}

/** The contender in a process that moves the table again and again, as a service does. */
async function playAgain(player: Player, setting: Setting): Promise<void> {
  const { data, database, options } = setting;
  await runIn(setting, player, 'again.json', (outcome) => {
    if (outcome.kind === 'failed') player.failed = outcome.reason;
    else player.again.push(outcome.again!);
    return Promise.resolve();
  });
  const { cpuSeconds = Number.NaN, wallSeconds = Number.NaN } = player.again.at(-1) ?? {};
  options.preparation.progress(
    `${database.name} ${data.table.name}: ${player.contender.name}, once more: ` +
      `${player.failed ?? `${cpuSeconds.toFixed(2)} s CPU, wall ${wallSeconds.toFixed(2)} s`}`,
  );
}

interface Setting {
  readonly database: BenchDatabase;
  readonly data: SourceData;
  readonly options: RoundOptions;
}

async function runIn(
  { database: { family, service }, data, options: round }: Setting,
  { contender, commandFor }: Player,
  again: string | undefined,
  use: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  const { host, port, user, password, database } = service;
  const { python, timeoutSeconds, zstdLevel } = round;
  const output = join(benchDirectory(), 'runs', String(process.pid));
  const notes = `${output}.notes`;
  const options = { ...contender.options, ...ownTable(contender, data) };
  const table = tableIn(data);
  const job: Job = {
    ...{ family, host, port, user, password, database, table, output, zstdLevel, options },
    ...(again === undefined ? {} : { again: join(notes, again) }),
  };
  const outcome = await runOnce(commandFor!, job, {
    python,
    timeoutSeconds,
    serverPid: service.pid!,
    discard: contender.kind === 'discard',
  });
  await use(outcome);
  await rm(output, { recursive: true, force: true });
  await rm(notes, { recursive: true, force: true });
}

function ownTable({ kind }: Contender, data: SourceData): Record<string, unknown> {
  return kind === 'encode' ? { file: data.file, table: data.table.name } : {};
}

function shortly({ failed, samples, verdict }: Player): string {
  const sample = samples.at(-1);
  if (failed !== undefined || sample === undefined) return failed ?? 'nothing';
  const { cpuSeconds, serverCpuSeconds: server, wallSeconds, peakMiB } = sample;
  const wrong = (verdict?.wrong.length ?? 0) > 0 ? ` WRONG: ${verdict!.wrong.join('; ')}` : '';
  return `${cpuSeconds.toFixed(2)} s CPU, server ${server.toFixed(2)} s, wall ${wallSeconds.toFixed(2)} s, ${Math.round(peakMiB)} MiB${wrong}`;
}

function isSlow(player: Player, players: readonly Player[]): boolean {
  const us = players.find(({ contender }) => contender.kind === 'us')?.samples[0];
  const first = player.samples[0];
  return us !== undefined && first !== undefined && first.cpuSeconds > SLOW * us.cpuSeconds;
}

function figureOf(
  { contender, samples, again, fileBytes, verdict, failed }: Player,
  startup: ReadonlyMap<string, number>,
): Figure {
  const startupSeconds = startup.get(contender.name);
  const middle = (pick: (sample: Sample) => number) => median(samples.map(pick));
  const middleAgain = (pick: (sample: SampleAgain) => number) => median(again.map(pick));
  return {
    contender: contender.name,
    kind: contender.kind,
    runs: samples.length,
    wallSeconds: middle((sample) => sample.wallSeconds),
    cpuSeconds: middle((sample) => sample.cpuSeconds),
    serverCpuSeconds: middle((sample) => sample.serverCpuSeconds),
    peakMiB: Math.max(...samples.map((sample) => sample.peakMiB)),
    ...(startupSeconds === undefined ? {} : { startupSeconds }),
    ...(again.length === 0
      ? {}
      : {
          again: {
            wallSeconds: middleAgain((sample) => sample.wallSeconds),
            cpuSeconds: middleAgain((sample) => sample.cpuSeconds),
            serverCpuSeconds: middleAgain((sample) => sample.serverCpuSeconds),
          },
        }),
    ...(fileBytes === undefined ? {} : { fileBytes }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(failed === undefined ? {} : { failed }),
  };
}
