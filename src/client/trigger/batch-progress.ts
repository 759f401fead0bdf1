import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { TemporalClient } from '../../temporal/connection';
import {
  controllerWorkflowId,
  ingestWorkflowId,
  type ControllerProgress,
  type LoadProgress,
} from '../../workflows/api';

/** One activity that is under way or waits for its next attempt. */
export interface ActivityProgress {
  /** From 1. */
  readonly attempt: number;
  /** When this attempt began; undefined while it waits for a worker or its next attempt. */
  readonly startedAt?: Date;
  /** Why the attempt before failed. */
  readonly lastFailure?: string;
  /** What its last heartbeat said. */
  readonly load?: LoadProgress;
}

export interface BatchProgress {
  /** What the controller answered; undefined when no worker did. */
  readonly controller?: ControllerProgress;
  /** The controller's own activity: planning, summarizing. */
  readonly step?: ActivityProgress;
  /** Tables being loaded now, at most as many as asked for. */
  readonly tables: readonly { readonly table: string; readonly activity?: ActivityProgress }[];
}

/** How long a query may wait for a worker to answer. */
const QUERY_PATIENCE_MS = 2_000;

/**
 * Asks the controller, and the children that it runs, how far they are. What does not answer is
 * left out: progress is a courtesy, and the load goes on without it.
 */
export async function batchProgress(
  temporal: TemporalClient,
  batch: { readonly pipeline: string; readonly batch: string },
  mostTables: number,
): Promise<BatchProgress> {
  const id = controllerWorkflowId(batch.pipeline, batch.batch);
  const controller = await answerOf(temporal, id);
  if (controller === undefined || controller.phase !== 'loading') {
    const step = await activityOf(temporal, id);
    return { controller, step, tables: [] };
  }
  const tables = controller.running.slice(0, mostTables).map(async (table) => {
    const child = ingestWorkflowId(batch.pipeline, table, batch.batch);
    return { table, activity: await activityOf(temporal, child) };
  });
  return { controller, tables: await Promise.all(tables) };
}

async function answerOf(
  { client }: TemporalClient,
  workflowId: string,
): Promise<ControllerProgress | undefined> {
  try {
    return await client.withDeadline(Date.now() + QUERY_PATIENCE_MS, () =>
      client.workflow.getHandle(workflowId).query<ControllerProgress>('progress'),
    );
  } catch {
    return undefined;
  }
}

async function activityOf(
  { client }: TemporalClient,
  workflowId: string,
): Promise<ActivityProgress | undefined> {
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const codecs = client.options.loadedDataConverter.payloadCodecs;
    return await pendingActivity(description.raw, codecs);
  } catch {
    return undefined;
  }
}

/** The first pending activity of a workflow, in words of this program. */
export async function pendingActivity(
  raw: Pick<WorkflowExecutionDescription['raw'], 'pendingActivities'>,
  codecs: readonly PayloadCodec[],
): Promise<ActivityProgress | undefined> {
  const pending = raw.pendingActivities?.[0];
  if (pending === undefined) return undefined;
  const started = pending.lastStartedTime?.seconds;
  const isRunning = Number(pending.state) === STARTED && started != null;
  let [details] = pending.heartbeatDetails?.payloads ?? [];
  for (const codec of details === undefined ? [] : codecs)
    [details] = await codec.decode([details!]);
  return {
    attempt: pending.attempt ?? 1,
    startedAt: isRunning ? new Date(Number(started) * 1000) : undefined,
    lastFailure: pending.lastFailure?.message ?? undefined,
    // A failed attempt's heartbeat stays until the next one's first.
    load:
      details && isRunning ? defaultPayloadConverter.fromPayload<LoadProgress>(details) : undefined,
  };
}

/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED */
const STARTED = 2;
