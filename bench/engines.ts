import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { ensureSpark } from '../scripts/services/spark';
import { DEFAULT_ZSTD_LEVEL } from '../src/pipeline/defaults';
import type { LoadAnswer, LoadOrder, WorkerOptions } from './engines-worker';
import { checkAnswer } from './load/check';
import { compile } from './load/compile';
import { startDatabase, tableIn, type BenchDatabase, type DatabaseName } from './load/databases';
import type { Job } from './load/job';
import { loaded } from './load/loaded';
import { ensurePeers } from './load/peers';
import { serverCpuSeconds } from './load/server-cpu';
import { benchDirectory, type SourceData } from './load/source-data';
import { benchTables, type BenchTable } from './load/tables';
import { median } from './measure';
import { treeUse } from './process-tree';

export const ENGINES = ['embedded', 'spark'] as const;

/** Rows of TPC-H's lineitem at scale 1. */
export const LARGEST = 6_001_215;

export interface EnginesOptions {
  readonly databases: readonly DatabaseName[];
  /** Rows of the tables, `LARGEST` at most. */
  readonly sizes: readonly number[];
  readonly repeats: number;
  readonly progress: (line: string) => void;
}

/** Medians over the loads of one table by one engine. */
export interface EngineFigure {
  readonly database: string;
  readonly rows: number;
  readonly engine: LoadOrder['engine'];
  readonly loads: number;
  /** From the look at the table to its publication, in a worker that runs already. */
  readonly wallSeconds: number;
  readonly workerCpuSeconds: number;
  /** Of spark-submit, Java and Python. */
  readonly sparkCpuSeconds: number;
  readonly serverCpuSeconds: number;
  /** Of the worker and of Spark together. */
  readonly peakMiB: number;
  readonly fileBytes: number;
  /** The largest seen before a load. */
  readonly loadAverage: number;
}

/** A size whose loads by both engines take longer than this together is loaded once. */
const ONCE_BEYOND_SECONDS = 45;

const ROOT = join(__dirname, '..');

/**
 * The same tables by the embedded engine and by a Spark on this machine, taking turns: a table
 * without rows, which shows what a load costs before the first of them, and then the sizes. Every
 * answer is compared with the source.
 */
export async function benchEngines(options: EnginesOptions): Promise<readonly EngineFigure[]> {
  const { databases, sizes, progress } = options;
  const [peers, spark] = [await ensurePeers('peers', progress), await ensureSpark(progress)];
  progress('compiling Comporta');
  const program = compile()('../engines-worker.js');
  const figures: EngineFigure[] = [];
  for (const name of databases) {
    const database = await startDatabase(name, progress);
    const folder = join(benchDirectory(), 'runs', String(process.pid));
    await mkdir(folder, { recursive: true });
    const worker = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    try {
      worker.send({
        job: jobOf(database),
        submit: `${spark.submit} --master local[*] --conf spark.ui.enabled=false --jars ${spark.jars.join(',')}`,
        python: spark.python,
        script: join(ROOT, 'jobs/ingest_table.py'),
        notes: join(folder, 'notes'),
      } satisfies WorkerOptions);
      const tables: SourceData[] = [];
      for (const { table, scale } of [0, ...sizes].map(tableOf)) {
        tables.push(await loaded(table, scale, database, peers, progress));
      }
      const setting = { worker, database, folder };
      for (const engine of ENGINES) await loadOnce({ ...setting, data: tables[0]! }, engine);
      for (const data of tables) {
        figures.push(...(await playSize({ ...setting, data }, options)));
      }
    } finally {
      worker.kill();
      await database.service.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

/** The first rows of lineitem at the generator's smallest scale that has so many. */
function tableOf(rows: number): { readonly table: BenchTable; readonly scale: number } {
  const { lineitem } = benchTables;
  if (rows >= LARGEST) return { table: lineitem, scale: 1 };
  const scale = rows <= 60_000 ? 0.01 : rows <= 600_000 ? 0.1 : 1;
  return { table: { ...lineitem, limit: rows }, scale };
}

function jobOf({ family, service }: BenchDatabase): Job {
  const { host, port, user, password, database } = service;
  return {
    ...{ family, host, port, user, password, database, table: '', output: '' },
    ...{ zstdLevel: DEFAULT_ZSTD_LEVEL, options: {} },
  };
}

interface Setting {
  readonly worker: ChildProcess;
  readonly database: BenchDatabase;
  readonly data: SourceData;
  /** For lakes, which are removed after each load. */
  readonly folder: string;
}

type Sample = Omit<EngineFigure, 'database' | 'rows' | 'engine' | 'loads'>;

async function playSize(
  setting: Setting,
  { repeats, progress }: EnginesOptions,
): Promise<readonly EngineFigure[]> {
  const samples = new Map(ENGINES.map((engine) => [engine, [] as Sample[]]));
  const began = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const engine of ENGINES) {
      const sample = await loadOnce(setting, engine);
      samples.get(engine)!.push(sample);
      progress(
        `${setting.database.name}, ${setting.data.rows} rows, ${engine}: ${sample.wallSeconds.toFixed(2)} s`,
      );
    }
    if ((performance.now() - began) / 1000 > ONCE_BEYOND_SECONDS) break;
  }
  return ENGINES.map((engine) => figureOf(setting, engine, samples.get(engine)!));
}

let runs = 0;

async function loadOnce(
  { worker, database, data, folder }: Setting,
  engine: LoadOrder['engine'],
): Promise<Sample> {
  const output = join(folder, 'lake');
  const loadAverage = loadavg()[0] ?? Number.NaN;
  const serverBefore = serverCpuSeconds(database.service.pid!);
  runs += 1;
  const order = { engine, table: tableIn(data), output, run: `run-${process.pid}-${runs}` };
  const { result, use } = await treeUse(worker.pid!, async () => {
    worker.send(order satisfies LoadOrder);
    return answerOf(worker);
  });
  const serverAfter = serverCpuSeconds(database.service.pid!);
  if (result.failed !== undefined) throw new Error(`${engine}: ${result.failed}`);
  const { wrong } = await checkAnswer(data, result.files);
  if (wrong.length > 0) throw new Error(`${engine}, ${data.rows} rows: ${wrong.join('; ')}`);
  const fileBytes = result.files.reduce((sum, file) => sum + statSync(file).size, 0);
  await rm(output, { recursive: true, force: true });
  return {
    wallSeconds: result.wallSeconds,
    workerCpuSeconds: use.ownCpuSeconds,
    sparkCpuSeconds: use.belowCpuSeconds,
    serverCpuSeconds: serverAfter - serverBefore,
    peakMiB: use.peakMiB,
    ...{ fileBytes, loadAverage },
  };
}

async function answerOf(worker: ChildProcess): Promise<LoadAnswer> {
  const heard = new AbortController();
  const { signal } = heard;
  try {
    const ended = once(worker, 'exit', { signal }).then(() => {
      throw new Error('the worker has ended');
    });
    const [answer] = (await Promise.race([once(worker, 'message', { signal }), ended])) as [
      LoadAnswer,
    ];
    return answer;
  } finally {
    heard.abort();
  }
}

function figureOf(
  { database, data }: Setting,
  engine: LoadOrder['engine'],
  samples: readonly Sample[],
): EngineFigure {
  const of = (key: keyof Sample) => median(samples.map((sample) => sample[key]));
  return {
    ...{ database: database.version, rows: data.rows, engine, loads: samples.length },
    wallSeconds: of('wallSeconds'),
    workerCpuSeconds: of('workerCpuSeconds'),
    sparkCpuSeconds: of('sparkCpuSeconds'),
    serverCpuSeconds: of('serverCpuSeconds'),
    peakMiB: of('peakMiB'),
    fileBytes: of('fileBytes'),
    loadAverage: Math.max(...samples.map(({ loadAverage }) => loadAverage)),
  };
}
