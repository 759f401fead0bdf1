import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { compile } from './load/compile';
import { startDatabase, tableIn, type BenchDatabase, type DatabaseName } from './load/databases';
import type { Job } from './load/job';
import { loaded } from './load/loaded';
import { ensurePeers } from './load/peers';
import { runOnce, type Sample } from './load/run';
import { benchDirectory, type SourceData } from './load/source-data';
import { benchTables, nothing, type BenchTableName } from './load/tables';
import { median } from './measure';

/** So many moves of one table at once, by one process. */
export interface ParallelFigure {
  readonly database: DatabaseName;
  readonly table: BenchTableName;
  readonly streams: number;
  /** The table once, in chunks of so many MiB. */
  readonly chunkMiB?: number;
  /** Whether the server had one core to itself and the client another. */
  readonly pinned: boolean;
  readonly wallSeconds: number;
  /** Microseconds of CPU per row and stream, without what a table without rows costs. */
  readonly clientPerRow: number;
  readonly serverPerRow: number;
  readonly rowsPerSecond: number;
  readonly loadAverage: number;
}

export interface ParallelOptions {
  readonly databases: readonly DatabaseName[];
  readonly tables: readonly BenchTableName[];
  readonly scale: number;
  readonly repeats: number;
  readonly streams: readonly number[];
  /** Also once in chunks of so many MiB. Default: not. */
  readonly chunkMiB?: number;
  readonly pinned: boolean;
  readonly timeoutSeconds: number;
  readonly progress: (line: string) => void;
}

/** What streams cost each other: the same table once, then several times at once. */
export async function benchParallel(options: ParallelOptions): Promise<readonly ParallelFigure[]> {
  const { progress, scale, databases, tables } = options;
  const peers = await ensurePeers('peers', progress);
  const program = compile()('comporta-contender.js');
  const figures: ParallelFigure[] = [];
  for (const name of databases) {
    const database = await startDatabase(name, progress);
    try {
      if (options.pinned) pin(database.service.pid!, SERVER_CORE);
      const measured = (data: SourceData, way: Way) =>
        medianOf(options.repeats, () =>
          measure({ python: peers.python, program, options }, database, data, way),
        );
      const empty = await loaded(nothing, scale, database, peers, progress);
      for (const table of tables) {
        const data = await loaded(benchTables[table], scale, database, peers, progress);
        for (const way of waysOf(options)) {
          const { streams } = way;
          const startup = await measured(empty, way);
          const loadAverage = loadavg()[0] ?? Number.NaN;
          const sample = await measured(data, way);
          const rows = data.rows * streams;
          figures.push({
            ...{ database: name, table, ...way, pinned: options.pinned },
            wallSeconds: sample.wallSeconds,
            clientPerRow: ((sample.cpuSeconds - startup.cpuSeconds) / rows) * 1e6,
            serverPerRow: (sample.serverCpuSeconds / rows) * 1e6,
            rowsPerSecond: rows / sample.wallSeconds,
            loadAverage,
          });
          progress(
            `${name} ${table}: ${streams} at once${way.chunkMiB === undefined ? '' : ' in chunks'} in ${sample.wallSeconds.toFixed(2)} s`,
          );
        }
      }
    } finally {
      await database.service.stop();
    }
  }
  return figures;
}

type Way = Pick<ParallelFigure, 'streams' | 'chunkMiB'>;

function waysOf({ streams, chunkMiB }: ParallelOptions): readonly Way[] {
  const ways = streams.map((count) => ({ streams: count }));
  return chunkMiB === undefined ? ways : [...ways, { streams: 1, chunkMiB }];
}

const SERVER_CORE = 0;
const CLIENT_CORE = 1;

/** All threads of a process, and what it starts from now on, on one core. */
function pin(pid: number, core: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)], {
    stdio: 'ignore',
  });
}

interface Tools {
  readonly python: string;
  readonly program: string;
  readonly options: ParallelOptions;
}

async function measure(
  { python, program, options }: Tools,
  { family, service }: BenchDatabase,
  data: SourceData,
  { streams, chunkMiB }: Way,
): Promise<Sample> {
  const { host, port, user, password, database } = service;
  const output = join(benchDirectory(), 'runs', String(process.pid));
  const job: Job = {
    ...{ family, host, port, user, password, database, output },
    table: tableIn(data),
    zstdLevel: 1,
    options: chunkMiB === undefined ? { streams } : { chunks: chunkMiB * 1024 ** 2 },
  };
  const pinning = options.pinned ? ['taskset', '--cpu-list', String(CLIENT_CORE)] : [];
  const outcome = await runOnce(
    (_job, jobFile) => [...pinning, process.execPath, program, jobFile],
    job,
    { python, serverPid: service.pid!, timeoutSeconds: options.timeoutSeconds, discard: false },
  );
  await rm(output, { recursive: true, force: true });
  await rm(`${output}.notes`, { recursive: true, force: true });
  if (outcome.kind === 'failed') throw new Error(outcome.reason);
  return outcome.sample;
}

async function medianOf(repeats: number, run: () => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) samples.push(await run());
  const middle = (pick: (sample: Sample) => number) => median(samples.map(pick));
  return {
    wallSeconds: middle((sample) => sample.wallSeconds),
    cpuSeconds: middle((sample) => sample.cpuSeconds),
    serverCpuSeconds: middle((sample) => sample.serverCpuSeconds),
    peakMiB: middle((sample) => sample.peakMiB),
  };
}
