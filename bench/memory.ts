import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startS3, type S3Service } from '../scripts/services/s3';
import { compile } from './load/compile';
import { startDatabase, tableIn, type BenchDatabase, type DatabaseName } from './load/databases';
import type { Job } from './load/job';
import { loaded } from './load/loaded';
import { ensurePeers } from './load/peers';
import { benchDirectory, type SourceData } from './load/source-data';
import { memoryTables } from './load/tables';

/** Memory of Comporta's process while it moves one table. */
export interface MemoryFigure {
  readonly database: DatabaseName;
  readonly table: string;
  readonly rows: number;
  readonly lake: 'file' | 's3';
  readonly wallSeconds: number;
  /** The largest resident set that the process had (VmHWM). */
  readonly peakMiB: number;
  /** The largest resident set in each tenth of the time. */
  readonly tenthsMiB: readonly number[];
}

export interface MemoryOptions {
  readonly databases: readonly DatabaseName[];
  /** 1 is 50 million rows, and 1,000 rows of 1 MB. */
  readonly scale: number;
  readonly progress: (line: string) => void;
}

/** Tables that no memory holds, into a folder and into a bucket. */
export async function benchMemory(options: MemoryOptions): Promise<readonly MemoryFigure[]> {
  const { progress, scale } = options;
  const peers = await ensurePeers('peers', progress);
  const program = compile()('comporta-contender.js');
  const figures: MemoryFigure[] = [];
  for (const name of options.databases) {
    const database = await startDatabase(name, progress);
    try {
      for (const table of memoryTables) {
        const data = await loaded(table, scale, database, peers, progress);
        for (const lake of ['file', 's3'] as const) {
          progress(`${name} ${table.name} to ${lake}`);
          figures.push(await measure(program, database, data, lake));
        }
      }
    } finally {
      await database.service.stop();
    }
  }
  return figures;
}

async function measure(
  program: string,
  database: BenchDatabase,
  data: SourceData,
  lake: MemoryFigure['lake'],
): Promise<MemoryFigure> {
  const folder = join(benchDirectory(), 'runs', String(process.pid));
  const bucket = lake === 's3' ? await startS3({ directory: join(folder, 's3') }) : undefined;
  try {
    const jobFile = await writeJob(folder, database, data, bucket);
    return {
      database: database.name,
      table: data.table.name,
      rows: data.rows,
      lake,
      ...(await watch(program, jobFile)),
    };
  } finally {
    await bucket?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeJob(
  folder: string,
  { family, service }: BenchDatabase,
  data: SourceData,
  bucket: S3Service | undefined,
): Promise<string> {
  const { host, port, user, password, database } = service;
  const output = join(folder, 'lake');
  await mkdir(output, { recursive: true });
  const job: Job = {
    ...{ family, host, port, user, password, database, output },
    table: tableIn(data),
    zstdLevel: 1,
    options: bucket === undefined ? {} : { bucket: bucketOption(bucket) },
  };
  const jobFile = join(folder, 'job.json');
  await writeFile(jobFile, JSON.stringify(job), { mode: 0o600 });
  return jobFile;
}

function bucketOption({ bucket, endpoint, region, accessKeyId, secretAccessKey }: S3Service) {
  return { bucket, endpoint, region, accessKeyId, secretAccessKey };
}

const SAMPLE_EVERY_MS = 100;

async function watch(
  program: string,
  jobFile: string,
): Promise<Pick<MemoryFigure, 'wallSeconds' | 'peakMiB' | 'tenthsMiB'>> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, jobFile], { stdio: 'inherit' });
  const samples: number[] = [];
  let peakMiB = 0;
  const timer = setInterval(() => {
    const now = memoryOf(child.pid ?? 0);
    if (now === undefined) return;
    samples.push(now.residentMiB);
    peakMiB = now.peakMiB;
  }, SAMPLE_EVERY_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`the move ended with ${code}`);
  const wallSeconds = (performance.now() - started) / 1000;
  return { wallSeconds, peakMiB, tenthsMiB: largestOfTenths(samples) };
}

/** Undefined for a process that has ended meanwhile. */
function memoryOf(pid: number): { residentMiB: number; peakMiB: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mebibytes = (field: string) =>
      Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
    const residentMiB = mebibytes('VmRSS');
    return Number.isNaN(residentMiB) ? undefined : { residentMiB, peakMiB: mebibytes('VmHWM') };
  } catch {
    return undefined;
  }
}

export function largestOfTenths(samples: readonly number[]): readonly number[] {
  return Array.from({ length: 10 }, (_, tenth) => {
    const from = Math.floor((tenth * samples.length) / 10);
    const to = Math.max(from + 1, Math.floor(((tenth + 1) * samples.length) / 10));
    return Math.round(Math.max(0, ...samples.slice(from, to)));
  });
}
