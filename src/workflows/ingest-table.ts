import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  patched,
  proxyActivities,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  CONTROL_TASK_QUEUE,
  ENGINE_CHANGED,
  engineTaskQueue,
  HEARTBEAT_TIMEOUT,
  type ControlActivities,
  type EngineActivities,
  type IngestTableInput,
  type LoadOptions,
  type LoadResult,
} from './api';
import { corrections, FAILURE, ingestAttributes } from './attributes';

const DEFAULT_LOAD: Required<LoadOptions> = {
  taskQueue: engineTaskQueue('embedded'),
  timeoutMs: 2 * 60 * 60 * 1000,
  maximumAttempts: 3,
};

const control = proxyActivities<Pick<ControlActivities, 'recordFailure'>>({
  taskQueue: CONTROL_TASK_QUEUE,
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  // The record matters more than its hour: without it the morning shows a load that never ended.
  scheduleToCloseTimeout: '12 hours',
  retry: { maximumInterval: '1 minute' },
});

/**
 * Loads one table and tells the truth about it: completed means published and recorded, failed
 * means recorded as failed.
 *
 * The load is the very first command, because a reset of a failed execution repeats only what its
 * first workflow task scheduled; a load behind another step would not run again.
 */
export async function ingestTable(input: IngestTableInput): Promise<LoadResult> {
  const load = loadOnceMore(input);
  const amended = corrections(workflowInfo().typedSearchAttributes, ingestAttributes(input));
  if (amended.length > 0) upsertSearchAttributes(amended);
  try {
    return await load;
  } catch (error) {
    const { code, message } = causeOf(error);
    upsertSearchAttributes([{ key: FAILURE, value: code }]);
    // A cancelled load is recorded as well: it is not running and did not succeed.
    await CancellationScope.nonCancellable(() =>
      control.recordFailure({
        pipeline: input.pipeline,
        table: input.table,
        batch: input.batch,
        ...(input.decision === undefined ? {} : { decision: input.decision }),
        code,
        message,
      }),
    );
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.create({ message, type: code, nonRetryable: true });
  }
}

/** How an attempt ends that was stopped by somebody who wants the load to begin again. */
const BEGIN_AGAIN: readonly string[] = ['ActivityReset', 'WorkerShutdown'];

/**
 * How often a load begins anew because its last attempt was lost with its worker. A bound, for a
 * table may be what kills them.
 */
const LOST_WORKERS = 3;

/** A bound, for two workers may have different files, and each refer to the other. */
const CHANGES_OF_ENGINE = 3;

/**
 * The load with its attempts. An operator's *Reset* of the activity under way, and a worker that
 * shuts down, end an attempt as a failure does; if it was the last one, the load begins anew. So
 * does one whose last attempt was lost with its worker: a frozen worker still takes the tasks that
 * were on their way to it, and could so use up all attempts of a table with which nothing is wrong.
 * And so does one whose table was given another engine meanwhile, on that one's workers.
 */
async function loadOnceMore(planned: IngestTableInput): Promise<LoadResult> {
  let input = planned;
  let lost = 0;
  let changes = 0;
  for (;;) {
    try {
      return await startLoad(input);
    } catch (error) {
      const taskQueue = queueOfChangedEngine(error);
      if (taskQueue !== undefined && changes < CHANGES_OF_ENGINE) {
        changes += 1;
        input = { ...input, load: { ...input.load, taskQueue } };
        continue;
      }
      if (BEGIN_AGAIN.includes(causeOf(error).code)) continue;
      // Executions that were recorded as failed before this rule stay so when they are replayed.
      if (!isLostWorker(error) || lost === LOST_WORKERS || !patched('lost-workers')) throw error;
      lost += 1;
    }
  }
}

function queueOfChangedEngine(error: unknown): string | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== ENGINE_CHANGED) return undefined;
  const [taskQueue] = cause.details ?? [];
  return typeof taskQueue === 'string' ? taskQueue : undefined;
}

function isLostWorker(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'HEARTBEAT'
  );
}

function startLoad(input: IngestTableInput): Promise<LoadResult> {
  const { taskQueue, timeoutMs, maximumAttempts } = { ...DEFAULT_LOAD, ...input.load };
  const { loadTable } = proxyActivities<EngineActivities>({
    taskQueue,
    startToCloseTimeout: timeoutMs,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    // All retries of a load are here: neither the workflow nor the schedule repeats it. The pace is
    // that of a worker that was lost; after a failure the activity asks for a longer one.
    retry: { maximumAttempts, initialInterval: '500 milliseconds', backoffCoefficient: 1 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    summary: input.table.slice(0, SUMMARY_BYTES),
  });
  return loadTable(input);
}

/** Temporal refuses longer summaries (400 bytes); names may hold characters of four bytes. */
const SUMMARY_BYTES = 100;

/** The innermost failure that says something: its type for filters, its message for people. */
function causeOf(error: unknown): { code: string; message: string } {
  if (isCancellation(error)) return { code: 'Cancelled', message: 'the load was cancelled' };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    return { code: cause.type ?? 'Unexpected', message: cause.message };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      code: 'Timeout',
      message: `the load ran into its ${cause.timeoutType} timeout: its workers died one after the other, or the table needs a larger timeout in the pipeline file`,
    };
  }
  return { code: 'Unexpected', message: cause instanceof Error ? cause.message : String(cause) };
}
