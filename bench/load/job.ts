import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Family } from './databases';

/** What a contender is asked to do, as the file that it gets has it: peers/job.py reads the same. */
export interface Job {
  readonly family: Family;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly table: string;
  /** A folder of its own; every `.parquet` file below is the answer. */
  readonly output: string;
  readonly zstdLevel: number;
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * Where a process that goes on running notes what each further move of the table used; undefined:
   * it moves the table once.
   */
  readonly again?: string;
}

/** What one move used in a process that had moved the table before. */
export interface FurtherMove {
  readonly wallSeconds: number;
  /** User and system time of the process with all its threads. */
  readonly cpuSeconds: number;
}

/** A running process moves the table again until so many seconds have passed, twice at least. */
const AGAIN_SECONDS = 3;

export function readJob(): Job {
  return JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
}

/** Moves the table, once or as a process that has moved it before: peers/job.py does the same. */
export async function perform(job: Job, move: (job: Job) => Promise<void>): Promise<void> {
  await move(job);
  if (job.again === undefined) return;
  const moves: FurtherMove[] = [];
  const began = secondsNow();
  while (moves.length < 2 || secondsNow() - began < AGAIN_SECONDS) {
    const output = join(job.output, `again-${moves.length}`);
    await mkdir(output);
    const [wall, cpu] = [secondsNow(), cpuSeconds()];
    await move({ ...job, output });
    moves.push({ wallSeconds: secondsNow() - wall, cpuSeconds: cpuSeconds() - cpu });
  }
  writeFileSync(job.again, JSON.stringify(moves));
}

const secondsNow = () => performance.now() / 1000;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
