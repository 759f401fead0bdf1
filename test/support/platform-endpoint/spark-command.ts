import { ensureSpark, FAST_JAVA } from '../../../scripts/services/spark';
import type { BookOptions } from './job-book';

/** Runs jobs by the real spark-submit of this machine, with what they find of secrets. */
export async function sparkCommand(
  environment: Readonly<Record<string, string>>,
): Promise<BookOptions['run']> {
  const { submit, python, jars } = await ensureSpark();
  return (script, args) => ({
    command: submit,
    args: [
      ...['--master', 'local[2]', '--jars', jars.join(','), '--conf', 'spark.ui.enabled=false'],
      ...['--driver-java-options', FAST_JAVA, script, ...args],
    ],
    env: { ...environment, PYSPARK_PYTHON: python },
  });
}
