import { readFileSync } from 'node:fs';
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
}

export function readJob(): Job {
  return JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
}
