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
}

/**
 * One session of Spark that runs the job's own code for one request after another, of all tests of
 * this process: starting a Java machine for each of many small tables would take seconds every time.
 * A machine that can have no Spark skips the tests.
 * @param secrets what the jobs find as `env:`.
 */
export async function residentSpark(
  context: Mocha.Context,
  secrets: Readonly<Record<string, string>>,
): Promise<ResidentSpark> {
  const installation = await sparkOrSkip(context);
  driver ??= startDriver(installation);
  const { ask, lastWords } = await driver;
  const move: ResidentSpark['move'] = async (request, attempt) =>
    (await ask({ request, attempt, environment: secrets })) === 'true';
  return {
    move,
    runner: {
      async run(job) {
        const attempt = 1;
        const [, request = ''] = job.arguments(attempt);
        if (await move(request, attempt)) return { attempt };
        return { attempt, failure: new ComportaError('EngineFailed', lastWords()) };
      },
      close: () => Promise.resolve(),
    },
  };
}

interface Driver {
  /** One after the other. */
  ask(order: object): Promise<string>;
  lastWords(): string;
  stop(): Promise<void>;
}

let driver: Promise<Driver> | undefined;
after(async () => (await driver)?.stop());

async function startDriver({ python, jars }: SparkInstallation): Promise<Driver> {
  // Not by spark-submit, which keeps standard input to itself.
  const options = [
    ...['--master', 'local[2]', '--jars', jars.join(','), '--conf', 'spark.ui.enabled=false'],
    ...['--driver-java-options', `"${FAST_JAVA} ${JAVA_ELSEWHERE}"`],
  ];
  const session = spawn(python, [join(__dirname, 'resident_spark.py')], {
    env: {
      ...process.env,
      PYSPARK_PYTHON: python,
      PYSPARK_SUBMIT_ARGS: [...options, 'pyspark-shell'].join(' '),
      PYTHONPATH: JOBS,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  session.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (errors = `${errors}${text}`.slice(-4_000)));
  const lines: AsyncIterator<string> = createInterface({ input: session.stdout })[
    Symbol.asyncIterator
  ]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`Spark has ended: ${errors}`);
    return line.value;
  };
  await next();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ask(order) {
      const answer = turn.then(() => {
        session.stdin.write(`${JSON.stringify(order)}\n`);
        return next();
      });
      turn = answer.catch(() => undefined);
      return answer;
    },
    lastWords: () => errors.slice(-2_000),
    async stop() {
      session.stdin.end();
      if (session.exitCode === null) await once(session, 'exit');
    },
  };
}
