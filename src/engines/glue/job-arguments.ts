import { ComportaError } from '../../errors';
import { GLUE_ARGUMENTS } from '../../pipeline/job-arguments';
import type { SparkJob } from '../spark/job-runner';

/**
 * A run's arguments: the job's command line, whose options all have a value, as the map that Glue
 * takes.
 * @param more the connection's own; what Comporta sets comes after it.
 * @param script URL of the script that is run in place of the Glue job's own.
 */
export function runArguments(
  job: SparkJob,
  attempt: number,
  { script, more }: { script: string; more: Readonly<Record<string, string>> },
): Record<string, string> {
  return {
    ...more,
    ...optionsOf(job.arguments(attempt)),
    [GLUE_ARGUMENTS.try]: tryToken(job, attempt),
    [GLUE_ARGUMENTS.script]: script,
    // What a table has is Comporta's to know; a bookmark would leave rows out.
    [GLUE_ARGUMENTS.bookmarks]: 'job-bookmark-disable',
  };
}

export function tryToken(job: Pick<SparkJob, 'id'>, attempt: number): string {
  return `${job.id}/${attempt}`;
}

/** The number of the try that a run with these arguments is; undefined when it is another job's. */
export function attemptOf(
  job: Pick<SparkJob, 'id'>,
  given: Readonly<Record<string, string>> | undefined,
): number | undefined {
  const token = given?.[GLUE_ARGUMENTS.try];
  if (token?.startsWith(`${job.id}/`) !== true) return undefined;
  const attempt = Number(token.slice(job.id.length + 1));
  return Number.isInteger(attempt) && attempt > 0 ? attempt : undefined;
}

function optionsOf(words: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (let at = 0; at < words.length; at += 2) {
    const [option, value] = [words[at], words[at + 1]];
    if (option?.startsWith('--') !== true || value === undefined) {
      throw new ComportaError('ConfigurationInvalid', 'Glue takes options with a value only');
    }
    options[option] = value;
  }
  return options;
}
