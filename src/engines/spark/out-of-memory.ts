import { ComportaError } from '../../errors';
import type { EngineName } from '../../pipeline/pipeline';

/**
 * What is said where memory did not suffice: by Java, by YARN of a container that it ended, by Glue
 * of a run, and by whoever tells the exit code of a process that the system killed, or Dataproc's
 * memory protection. Source: Spark, "Running on YARN"; AWS Glue, "Command failed with exit code";
 * Dataproc, "Troubleshoot VM out-of-memory errors".
 */
const SAID =
  /OutOfMemoryError|\bout of memory\b|for exceeding (?:\w+ )?memory limits|\bexit (?:code|status):? 137\b/i;

const REMEDIES: Readonly<Record<Exclude<EngineName, 'embedded'>, string>> = {
  spark:
    'give it more memory (--driver-memory, and --executor-memory on a cluster, under --spark-submit)',
  dataproc:
    'give it more memory (spark.driver.memory and spark.executor.memory under properties of the connection)',
  glue: 'give it more memory (a larger workerType of the connection)',
};

/** A job's failure, with the way to more memory where it died of the want of it. */
export function orMoreMemory(
  failure: ComportaError,
  engine: Exclude<EngineName, 'embedded'>,
): ComportaError {
  if (failure.code !== 'EngineFailed' || !SAID.test(failure.problem)) return failure;
  return new ComportaError(failure.code, failure.problem, {
    ...(failure.pipeline === undefined ? {} : { pipeline: failure.pipeline }),
    ...(failure.table === undefined ? {} : { table: failure.table }),
    remedy: REMEDIES[engine],
    cause: failure.cause,
  });
}
