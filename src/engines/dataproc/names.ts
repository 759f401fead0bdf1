import { createHash } from 'node:crypto';

/**
 * The id of a job's try: `<job>-<two digits>`. Letters, digits and hyphens, 4 to 63 of them, as
 * batches want (jobs of a cluster may have up to 100).
 */
export function tryId(job: string, attempt: number): string {
  return `${job}-${String(attempt).padStart(2, '0')}`;
}

/** Same for every submission of a try, so that Dataproc takes a repeated one for what it is. */
export function requestId(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

export interface BatchName {
  readonly pipeline: string;
  readonly batch: string;
}

/** So that the whole has 51 characters at most. */
const LONGEST_PIPELINE = 24;

/**
 * The cluster of a batch: the same for whoever asks, and for no other batch. Up to 51 lower-case
 * letters, digits and hyphens, a letter first and no hyphen last.
 * Source: google/cloud/dataproc/v1/clusters.proto, Cluster.cluster_name.
 */
export function clusterName(connection: string, { pipeline, batch }: BatchName): string {
  const digest = createHash('sha256').update(JSON.stringify([connection, pipeline, batch]));
  const words = pipeline.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `comporta-${words.slice(0, LONGEST_PIPELINE)}-${digest.digest('hex').slice(0, 16)}`;
}

const LONGEST = 63;

/**
 * As Google Cloud wants labels: keys and values of lower-case letters, digits, `-` and `_`, at most
 * 63, a key with a letter first. Source: Dataproc, "Labels".
 */
export function labelsOf(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels)
      .map(([key, value]) => [word(key).replace(/^[^a-z]+/, ''), word(value)] as const)
      .filter(([key]) => key !== ''),
  );
}

function word(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .slice(0, LONGEST);
}
