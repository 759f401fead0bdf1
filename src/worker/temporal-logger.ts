import type { Logger as TemporalLogger, LogMetadata } from '@temporalio/worker';
import type { Logger } from 'pino';
import { logFields } from '../activities/log-fields';
import { loadOfWorkflow } from '../workflows/api';

/** What the SDK tells of itself while all goes well is of use only when looking for a fault. */
const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug',
  WARN: 'warn',
  ERROR: 'error',
} as const;

/** Lets the Temporal SDK log through the project's own logger, with the same fields about a load. */
export function temporalLogger(log: Logger): TemporalLogger {
  return {
    log: (level, message, meta) => log[LEVELS[level]](fieldsOf(meta), message),
    trace: (message, meta) => log.trace(fieldsOf(meta), message),
    debug: (message, meta) => log.debug(fieldsOf(meta), message),
    info: (message, meta) => log.debug(fieldsOf(meta), message),
    warn: (message, meta) => log.warn(fieldsOf(meta), message),
    error: (message, meta) => log.error(fieldsOf(meta), message),
  };
}

/** What the SDK tells, and of which load it speaks. */
function fieldsOf(meta: LogMetadata = {}): object {
  const { workflowId, workflowRunId, runId } = meta as Partial<Record<string, string>>;
  const load = workflowId === undefined ? undefined : loadOfWorkflow(workflowId);
  if (load === undefined) return { ...meta };
  return { ...meta, ...logFields({ workflowId, runId: workflowRunId ?? runId }, load) };
}
