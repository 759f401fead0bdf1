import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ToolUnavailableError } from '../../scripts/services/service';
import { ensureSpark, FAST_JAVA, type SparkInstallation } from '../../scripts/services/spark';
import type { JobRunner } from '../../src/engines/spark/job-runner';
import { ComportaError } from '../../src/errors';

/**
 * No value may depend on the time zone of the machines. In this one clocks never showed the hour
 * from 2 to 3 of 2024-03-31, which tables without zones may hold.
 */
const JAVA_ELSEWHERE = '-Duser.timezone=Europe/Berlin';

export const JOBS = join(__dirname, '../../jobs');

/** The Spark of this machine; a machine that can have none skips the tests that need it, and says so. */
export async function sparkOrSkip(context: Mocha.Context): Promise<SparkInstallation> {
  try {
    return await ensureSpark();
  } catch (error) {
    if (!(error instanceof ToolUnavailableError)) throw error;
    process.stderr.write(`skipped: ${error.message}\n`);
    return context.skip();
  }
}

export interface ResidentSpark {
  readonly runner: JobRunner;
  /** Does a job that has these arguments; answers whether it moved its table. */
  move(request: string, attempt: number): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * One session of Spark that runs the job's own code for one request after another: starting a Java
 * machine for each of many small tables would take seconds every time.
 */
export async function startResidentSpark(
  { python, jars }: SparkInstallation,
  environment: NodeJS.ProcessEnv,
): Promise<ResidentSpark> {
  // Not by spark-submit, which keeps standard input to itself.
  const options = [
    ...['--master', 'local[2]', '--jars', jars.join(','), '--conf', 'spark.ui.enabled=false'],
    ...['--driver-java-options', `"${FAST_JAVA} ${JAVA_ELSEWHERE}"`],
  ];
  const driver = spawn(python, [join(__dirname, 'resident_spark.py')], {
    env: {
      ...process.env,
      ...environment,
      PYSPARK_PYTHON: python,
      PYSPARK_SUBMIT_ARGS: [...options, 'pyspark-shell'].join(' '),
      PYTHONPATH: JOBS,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  driver.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const lines: AsyncIterator<string> = createInterface({ input: driver.stdout })[
    Symbol.asyncIterator
  ]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`Spark has ended: ${errors.join('').slice(-4000)}`);
    return line.value;
  };
  await next();
  let turn: Promise<unknown> = Promise.resolve();
  const move: ResidentSpark['move'] = async (request, attempt) => {
    const answer = turn.then(() => {
      driver.stdin.write(`${JSON.stringify({ request, attempt })}\n`);
      return next();
    });
    turn = answer.catch(() => undefined);
    return (await answer) === 'true';
  };
  return {
    move,
    runner: {
      async run(job) {
        const attempt = 1;
        const [, request = ''] = job.arguments(attempt);
        if (await move(request, attempt)) return { attempt };
        const failure = new ComportaError('EngineFailed', errors.join('').slice(-2000));
        return { attempt, failure };
      },
      close: () => Promise.resolve(),
    },
    async stop() {
      driver.stdin.end();
      if (driver.exitCode === null) await once(driver, 'exit');
    },
  };
}
