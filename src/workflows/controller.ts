import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  continueAsNew,
  defineQuery,
  isCancellation,
  log,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  CONTROL_TASK_QUEUE,
  ingestWorkflowId,
  type BatchSummary,
  type ControlActivities,
  type ControllerCounters,
  type ControllerInput,
  type ControllerProgress,
  type PlannedLoad,
  type PlanSummary,
} from './api';
import { BATCH, batchAttributes, ingestAttributes, SCHEDULED_START } from './attributes';
import type { ingestTable } from './ingest-table';

const activities = proxyActivities<ControlActivities>({
  taskQueue: CONTROL_TASK_QUEUE,
  // Reading the tokens of 10,000 tables takes seconds; a slow source may take minutes.
  startToCloseTimeout: '10 minutes',
  // How soon a worker that died in mid-plan is noticed.
  heartbeatTimeout: '15 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: { maximumInterval: '1 minute', maximumAttempts: 10 },
});

/** A channel that is down for a quarter of an hour is not waited for: the next batch tells. */
const notifications = proxyActivities<Pick<ControlActivities, 'notifyBatch'>>({
  taskQueue: CONTROL_TASK_QUEUE,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '15 seconds',
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '5 seconds', maximumInterval: '2 minutes' },
});

/**
 * Tables per execution before it continues as new. A child costs its parent about six events, and
 * Temporal suggests continuing at 4,096.
 */
const PAGE = 500;

export const progressQuery = defineQuery<ControllerProgress>('progress');

/**
 * Plans one batch of a pipeline and loads what changed: one child workflow per table, at most
 * `concurrency` at a time, each settled on its own. Fails with TablesFailed when the history says
 * that a planned table was not loaded.
 */
export async function controller(input: ControllerInput): Promise<BatchSummary> {
  const batch = input.batch ?? batchIdAt(workflowInfo().startTime);
  const running = new Set<string>();
  let counters: ControllerCounters = input.continuation?.counters ?? NOTHING_YET;
  let plan = input.continuation?.plan;
  let phase: ControllerProgress['phase'] = plan === undefined ? 'planning' : 'loading';
  setHandler(
    progressQuery,
    () => ({
      batch,
      phase,
      toLoad: plan?.toLoad ?? 0,
      skipped: plan?.skipped ?? 0,
      ...counters,
      running: [...running],
    }),
    { description: 'How far the batch is: tables to load, loaded, failed, and running now.' },
  );

  if (plan === undefined) {
    const planning = activities.planLoad({ ...request(input), ...scheduledTime(), batch });
    if (workflowInfo().typedSearchAttributes.get(BATCH) === undefined) {
      upsertSearchAttributes(batchAttributes({ pipeline: input.pipeline, batch }));
    }
    plan = await planning;
  }

  phase = 'loading';
  const first = input.continuation?.next ?? 0;
  const page =
    first < plan.toLoad ? await activities.readPlanPage({ plan, offset: first, limit: PAGE }) : [];
  await inWindow(page, plan.concurrency, async (load) => {
    running.add(load.table);
    const end = await loadOne(input.pipeline, batch, load);
    running.delete(load.table);
    counters = { ...counters, [end]: counters[end] + 1 };
  });

  const next = first + page.length;
  if (page.length > 0 && next < plan.toLoad) {
    await continueAsNew<typeof controller>({
      ...input,
      batch,
      continuation: { plan, next, counters },
    });
  }

  phase = 'summarizing';
  const summary = await activities.summarizeBatch(plan);
  if (plan.notify === true) await notify(plan);
  if (summary.failed > 0) throw tablesFailed(summary);
  return summary;
}

const NOTHING_YET: ControllerCounters = { loaded: 0, failed: 0, alreadyRunning: 0 };

/** `20261121T030000123Z`: sorts by time, and is safe in paths and workflow ids. */
function batchIdAt(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, '');
}

function request({ pipeline, tables, force, failedOf }: ControllerInput) {
  return {
    pipeline,
    ...(tables === undefined ? {} : { tables }),
    ...(force === undefined ? {} : { force }),
    ...(failedOf === undefined ? {} : { failedOf }),
  };
}

/** Nobody being told does not make a batch a failed one. */
async function notify(plan: PlanSummary): Promise<void> {
  try {
    await notifications.notifyBatch(plan);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('nobody was told of the batch', { batch: plan.batch });
  }
}

/** When the schedule that started this workflow meant it to begin, which may be long ago. */
function scheduledTime(): { scheduledFor?: string } {
  const time = workflowInfo().typedSearchAttributes.get(SCHEDULED_START);
  return time === undefined ? {} : { scheduledFor: time.toISOString() };
}

/**
 * Runs `work` over all items, at most `width` at a time. More than about 2,000 pending children
 * freeze a workflow, and a wide window floods the source.
 */
async function inWindow<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

/** One child from start to end. A table's failure is counted, never thrown: the others go on. */
async function loadOne(
  pipeline: string,
  batch: string,
  { table, decision, load }: PlannedLoad,
): Promise<keyof ControllerCounters> {
  const input = { pipeline, table, batch, decision, load };
  try {
    const child = await startChild<typeof ingestTable>('ingestTable', {
      workflowId: ingestWorkflowId(pipeline, table, batch),
      args: [input],
      taskQueue: CONTROL_TASK_QUEUE,
      // A controller that is cancelled from above or dies leaves loads under way to finish.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      typedSearchAttributes: ingestAttributes(input),
      staticSummary: `${decision.verdict}: ${decision.reason}`.slice(0, SUMMARY_CHARACTERS),
    });
    await child.result();
    return 'loaded';
  } catch (error) {
    if (isCancellation(error)) throw error;
    return error instanceof WorkflowExecutionAlreadyStartedError ? 'alreadyRunning' : 'failed';
  }
}

/** Temporal refuses summaries over 400 bytes; a reason may quote names of four-byte characters. */
const SUMMARY_CHARACTERS = 100;

function tablesFailed(summary: BatchSummary): ApplicationFailure {
  const named = summary.failures
    .slice(0, 5)
    .map(({ table, error }) => (error.includes(table) ? error : `${table}: ${error}`));
  const more = summary.failed > named.length ? `; and ${summary.failed - named.length} more` : '';
  return ApplicationFailure.create({
    type: 'TablesFailed',
    message: `${summary.failed} of ${summary.loaded + summary.failed} tables failed: ${named.join('; ')}${more}`,
    nonRetryable: true,
    details: [summary],
  });
}
