import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
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
  engineTaskQueue,
  HEARTBEAT_TIMEOUT,
  ingestWorkflowId,
  type BatchSummary,
  type ControlActivities,
  type ControllerCounters,
  type ControllerInput,
  type ControllerProgress,
  type EngineActivities,
  type PlannedLoad,
  type PlanSummary,
  type TableGesture,
} from './api';
import { batchAttributes, corrections, ingestAttributes, SCHEDULED_START } from './attributes';
import type { ingestTable } from './ingest-table';
import { isUntouched, LoadQueue } from './load-queue';

const activities = proxyActivities<ControlActivities>({
  taskQueue: CONTROL_TASK_QUEUE,
  // Reading the tokens of 10,000 tables takes seconds; a slow source may take minutes.
  startToCloseTimeout: '10 minutes',
  // How soon a worker that died in mid-plan is noticed.
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: '1 hour',
  retry: { maximumInterval: '1 minute', maximumAttempts: 10 },
});

/** A channel that is down for a quarter of an hour is not waited for: the next batch tells. */
const notifications = proxyActivities<Pick<ControlActivities, 'notifyBatch'>>({
  taskQueue: CONTROL_TASK_QUEUE,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '5 seconds', maximumInterval: '2 minutes' },
});

/**
 * By those who could make the clusters. A cluster that cannot be deleted for an hour, or has no worker
 * that would, is deleted by Dataproc itself when it has been idle for long enough.
 */
const clusters = proxyActivities<Pick<EngineActivities, 'deleteCluster'>>({
  taskQueue: engineTaskQueue('dataproc'),
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  scheduleToCloseTimeout: '1 hour',
  retry: { maximumInterval: '1 minute' },
});

/**
 * Tables per execution before it continues as new. A child costs its parent about six events, and
 * Temporal suggests continuing at 4,096.
 */
const PAGE = 500;

export const progressQuery = defineQuery<ControllerProgress>('progress');
export const retryFailedUpdate = defineUpdate<readonly string[]>('retryFailed');
export const skipTableUpdate = defineUpdate<void, [TableGesture]>('skipTable');
export const pauseTableUpdate = defineUpdate<void, [TableGesture]>('pauseTable');
export const resumeTableUpdate = defineUpdate<void, [TableGesture]>('resumeTable');

/**
 * Plans one batch of a pipeline and loads what changed: one child workflow per table, at most
 * `concurrency` at a time, each settled on its own. Fails with TablesFailed when the history says
 * that a planned table was not loaded.
 */
export async function controller(input: ControllerInput): Promise<BatchSummary> {
  const batch = input.batch ?? batchIdAt(workflowInfo().startTime);
  const running = new Set<string>();
  /** Of the page that is being loaded. */
  const present: { queue?: LoadQueue } = {};
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
      paused: present.queue?.pausedTables ?? [],
    }),
    { description: 'How far the batch is: tables to load, loaded, failed, and running now.' },
  );
  handleGestures(() => (phase === 'loading' ? present.queue : undefined), {
    onRetry: (tables) => {
      counters = { ...counters, failed: counters.failed - tables };
    },
  });

  let firstPage: readonly PlannedLoad[] | undefined;
  if (plan === undefined) {
    const planning = activities.planLoad({
      ...{ ...request(input), ...scheduledTime(), batch },
      pageSize: PAGE,
    });
    const filed = batchAttributes({ pipeline: input.pipeline, batch });
    const amended = corrections(workflowInfo().typedSearchAttributes, filed);
    if (amended.length > 0) upsertSearchAttributes(amended);
    const { firstPage: loads, ...summary } = await planning;
    plan = summary;
    firstPage = loads;
  }

  phase = 'loading';
  const planned = plan;
  const first = input.continuation?.next ?? 0;
  const loadPage = async () => {
    const isEmpty = first >= planned.toLoad;
    const page =
      firstPage ??
      (isEmpty ? [] : await activities.readPlanPage({ plan: planned, offset: first, limit: PAGE }));
    const next = first + page.length;
    const hasMore = page.length > 0 && next < planned.toLoad;
    const loads = new LoadQueue(page, hasMore, input.continuation?.queue);
    present.queue = loads;
    await inWindow(loads, planned.concurrency, async (load) => {
      running.add(load.table);
      const end = await loadOne(input.pipeline, batch, load);
      running.delete(load.table);
      counters = { ...counters, [end]: counters[end] + 1 };
      if (end === 'failed') loads.noteFailure(load);
    });
    phase = 'summarizing';
    if (!hasMore) loads.leaveOutPaused();
    const { leftOut, state } = loads;
    if (leftOut.length > 0) {
      await activities.recordLeftOut({ pipeline: input.pipeline, batch, tables: leftOut });
    }
    return { next, hasMore, state };
  };
  const { next, hasMore, state } = await loadPage().catch(async (error: unknown) => {
    await deleteClusters(planned, counters);
    throw error;
  });
  if (hasMore) {
    const continuation = { plan, next, counters, ...(isUntouched(state) ? {} : { queue: state }) };
    await continueAsNew<typeof controller>({ ...input, batch, continuation });
  }
  await deleteClusters(plan, counters);

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

/**
 * Deletes what the loads have made for this batch, also when it was cancelled. A load that another
 * execution runs may be using it: then Dataproc deletes it when it is idle.
 */
async function deleteClusters(
  { pipeline, batch, clusters: connections = [] }: PlanSummary,
  { alreadyRunning }: ControllerCounters,
): Promise<void> {
  if (alreadyRunning > 0) return;
  await CancellationScope.nonCancellable(() =>
    Promise.all(
      connections.map(async (connection) => {
        try {
          await clusters.deleteCluster({ pipeline, batch, connection });
        } catch (error) {
          log.warn('the cluster is left to delete itself', { connection, error: causeOf(error) });
        }
      }),
    ),
  );
}

function causeOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
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

interface GestureEffects {
  /** So many tables that had failed are tried again. */
  readonly onRetry: (tables: number) => void;
}

/**
 * What operators may do to a batch under way, in the Web UI or by `temporal workflow update`. Each is
 * refused with the reason when there is nothing to do it to: a reset of the controller applies old
 * updates again. `current` is undefined while nothing can be changed.
 */
function handleGestures(current: () => LoadQueue | undefined, { onRetry }: GestureEffects): void {
  const changeable = (): LoadQueue => {
    const queue = current();
    if (queue === undefined) throw refusal('the batch is being planned, or ends');
    return queue;
  };
  setHandler(
    retryFailedUpdate,
    () => {
      const tables = changeable().retryFailed();
      onRetry(tables.length);
      return tables;
    },
    {
      description: 'Loads the tables again that failed so far in this batch. Takes nothing.',
      validator: () => {
        if (changeable().failedTables.length === 0) throw refusal('no table has failed');
      },
    },
  );
  setHandler(
    skipTableUpdate,
    ({ table, reason }) => {
      const why = reason === undefined ? '' : `: ${reason}`;
      changeable().skip(table, `left out by an operator${why}`);
    },
    {
      description:
        'Leaves a table out of this batch that has not begun: {"table": "orders", "reason": "…"}.',
      validator: (gesture: TableGesture) => notBegun(changeable(), gesture),
    },
  );
  setHandler(pauseTableUpdate, ({ table }) => changeable().pause(table), {
    description:
      'Holds a table back that has not begun, until resumeTable or the end of the batch: {"table": "orders"}.',
    validator: (gesture: TableGesture) => {
      const queue = changeable();
      notBegun(queue, gesture);
      if (queue.isPaused(gesture.table)) throw refusal(`${gesture.table} is paused already`);
    },
  });
  setHandler(resumeTableUpdate, ({ table }) => changeable().resume(table), {
    description: 'Lets a paused table load: {"table": "orders"}.',
    validator: (gesture: TableGesture) => {
      if (!changeable().isPaused(tableOf(gesture))) {
        throw refusal(`${gesture.table} is not paused`);
      }
    },
  });
}

function notBegun(queue: LoadQueue, gesture: TableGesture): void {
  const objection = queue.objection(tableOf(gesture));
  if (objection !== undefined) throw refusal(objection);
}

/** What a person typed into the Web UI may be anything. */
function tableOf(gesture: Partial<TableGesture> | undefined): string {
  if (typeof gesture?.table === 'string' && gesture.table !== '') return gesture.table;
  throw refusal('name the table: {"table": "orders"}');
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'NothingToDo', message, nonRetryable: true });
}

/**
 * Runs `work` over the queue, at most `width` at a time, until it is empty and nothing runs that
 * could come back to it. More than about 2,000 pending children freeze a workflow, and a wide window
 * floods the source.
 */
async function inWindow(
  queue: LoadQueue,
  width: number,
  work: (load: PlannedLoad) => Promise<void>,
): Promise<void> {
  let atWork = 0;
  const lane = async () => {
    for (;;) {
      const load = queue.take();
      if (load !== undefined) {
        atWork += 1;
        await work(load).finally(() => (atWork -= 1));
      } else if (atWork === 0) return;
      else {
        // A cancellation is for the loads, which end first: a lane that ran away from it would end
        // the controller before they hear of it.
        await CancellationScope.nonCancellable(() =>
          condition(() => queue.hasNext || atWork === 0),
        );
      }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
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
    // A child that somebody cancelled by itself is a table that failed.
    if (CancellationScope.current().consideredCancelled) throw error;
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
