import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SparkJob } from '../../../src/engines/spark/job-runner';

/**
 * A process that does what a job does, in little: it works while it is held, fails when it is told
 * to, and else writes its try's file.
 */
const SCRIPT = `
import pathlib, sys, time
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
folder = pathlib.Path(given['--request'])
print('reading the table', flush=True)
while (folder / 'hold').exists():
    time.sleep(0.01)
if (folder / 'broken').exists():
    print('java.sql.SQLException: the table is broken', flush=True)
    sys.exit(3)
(folder / ('attempt-' + given['--attempt'])).write_text('42')
`;

export interface PythonJob {
  readonly job: SparkJob;
  /** Numbers of the tries that have written their files. */
  written(): Promise<readonly number[]>;
  hold(): Promise<void>;
  release(): Promise<void>;
  breakDown(): Promise<void>;
  repair(): Promise<void>;
  remove(): Promise<void>;
}

export function runPython(script: string, args: readonly string[]) {
  return { command: 'python3', args: [script, ...args] };
}

export async function createPythonJob(id = 'load-sales-orders-20261121'): Promise<PythonJob> {
  const root = await mkdtemp(join(tmpdir(), 'comporta-job-'));
  const folder = join(root, 'lake');
  await mkdir(folder);
  const script = join(root, 'job.py');
  await writeFile(script, SCRIPT);
  const flag = (name: string) => ({
    set: () => writeFile(join(folder, name), ''),
    clear: () => rm(join(folder, name), { force: true }),
  });
  const [hold, broken] = [flag('hold'), flag('broken')];
  return {
    job: {
      id,
      labels: { pipeline: 'sales', table: 'public.Orders', batch: '20261121T131937424Z' },
      script,
      arguments: (attempt) => ['--request', folder, '--attempt', String(attempt)],
    },
    async written() {
      const files = existsSync(folder) ? await readdir(folder) : [];
      return files
        .filter((file) => file.startsWith('attempt-'))
        .map((file) => Number(file.slice('attempt-'.length)))
        .toSorted();
    },
    hold: hold.set,
    release: hold.clear,
    breakDown: broken.set,
    repair: broken.clear,
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
