import { createHash } from 'node:crypto';

/**
 * The name of one run of a table's workflow in paths and in the history. The same for every
 * attempt of the load and for the record of its failure; another one after a reset.
 */
export function runId(batch: string, workflowId: string, workflowRunId: string): string {
  const digest = createHash('sha256').update(`${workflowId}\n${workflowRunId}`).digest('hex');
  return `${batch}-${digest.slice(0, 12)}`;
}
