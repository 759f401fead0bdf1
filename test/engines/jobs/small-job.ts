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
while [ $# -gt 0 ]; do
  case $1 in
    --request) folder=$2 ;;
    --attempt) attempt=$2 ;;
  esac
  shift
done
echo 'reading the table'
while [ -e "$folder/hold" ]; do sleep 0.02; done
if [ -e "$folder/broken" ]; then
  echo 'java.sql.SQLException: the table is broken'
  exit 3
fi
printf 42 > "$folder/attempt-$attempt"
`;

export interface SmallJob {
  readonly job: SparkJob;
  /** Numbers of the tries that have written their files. */
  written(): Promise<readonly number[]>;
  hold(): Promise<void>;
  release(): Promise<void>;
  breakDown(): Promise<void>;
  repair(): Promise<void>;
  remove(): Promise<void>;
}

export function runSmallJob(script: string, args: readonly string[]) {
  return { command: 'sh', args: [script, ...args] };
}

export async function createSmallJob(id = 'load-sales-orders-20261121'): Promise<SmallJob> {
  const root = await mkdtemp(join(tmpdir(), 'comporta-job-'));
  const folder = join(root, 'lake');
  await mkdir(folder);
  const script = join(root, 'job.sh');
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
