import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../../scripts/services/command';
import { ensurePython } from '../../../scripts/services/python';
import { ensureSpark } from '../../../scripts/services/spark';

export type ReaderName = 'pyarrow' | 'spark';

const PYARROW = ['pyarrow==26.0.1'] as const;

export interface FileToRead {
  readonly path: string;
  readonly columns: readonly { readonly name: string; readonly kind: string }[];
}

/** Rows whose `key` lies between two values, both included. */
export interface Question {
  readonly path: string;
  readonly key: string;
  readonly from: string | number;
  readonly to: string | number;
}

export interface Job {
  readonly folder: string;
  readonly files: readonly FileToRead[];
  readonly metadata?: readonly FileToRead[];
  readonly filtered: readonly Question[];
  readonly refused?: readonly FileToRead[];
}

export interface ChunkFacts {
  readonly encodings: readonly string[];
  readonly dictionary: boolean;
  readonly columnIndex: boolean;
  readonly offsetIndex: boolean;
  readonly codec: string;
  readonly values: number;
  readonly nulls: number;
  readonly min: string | null;
  readonly max: string | null;
}

export interface Answer {
  readonly version: string;
  readonly files: Readonly<
    Record<string, { readonly types: string[]; readonly columns: (string | null)[][] }>
  >;
  readonly metadata: Readonly<
    Record<
      string,
      {
        readonly rows: number;
        readonly createdBy: string;
        readonly groups: readonly {
          readonly rows: number;
          readonly chunks: readonly ChunkFacts[];
          readonly sorting: readonly unknown[];
        }[];
      }
    >
  >;
  readonly filtered: readonly {
    readonly rows: number;
    /** Rows that Spark's scan handed on. */
    readonly scanned: number;
    /** What went wrong: data was read that is none. */
    readonly failed: string | null;
  }[];
  readonly refused: Readonly<Record<string, string | null>>;
}

/** Installs a reader's packages. Throws ToolUnavailableError where it cannot run. */
export async function prepareReader(reader: ReaderName): Promise<string> {
  if (reader === 'spark') return (await ensureSpark()).python;
  const { python } = await ensurePython('parquet-readers', PYARROW);
  return python;
}

/** Lets a reader do its job, in one process. */
export async function read(reader: ReaderName, python: string, job: Job): Promise<Answer> {
  const [jobFile, answerFile] = [`${reader}-job.json`, `${reader}-answer.json`].map((name) =>
    join(job.folder, name),
  ) as [string, string];
  await writeFile(jobFile, JSON.stringify(job));
  await execute(python, [join(__dirname, `${reader}_reader.py`), jobFile, answerFile], {
    cwd: job.folder,
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(await readFile(answerFile, 'utf8')) as Answer;
}
