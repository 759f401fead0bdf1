import type { Info } from '@temporalio/activity';
import { runId } from './run-identity';

/** What a line of the log is about; `run` is that of one table's load, as the history has it. */
export interface LogFields {
  readonly pipeline: string;
  readonly table?: string;
  readonly batch: string;
  readonly run?: string;
  /** The workflow's id. */
  readonly workflow?: string;
}

export function logFields(
  { workflowId, runId: workflowRunId }: Partial<NonNullable<Info['workflowExecution']>> = {},
  { pipeline, table, batch }: Pick<LogFields, 'pipeline' | 'table' | 'batch'>,
): LogFields {
  const fields = { pipeline, ...(table === undefined ? {} : { table }), batch };
  if (workflowId === undefined) return fields;
  if (table === undefined || workflowRunId === undefined)
    return { ...fields, workflow: workflowId };
  return { ...fields, run: runId(batch, workflowId, workflowRunId), workflow: workflowId };
}
