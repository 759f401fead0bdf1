import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { TemporalClient } from '../../temporal/connection';
import { idleQueues, type IdleQueue } from '../../temporal/task-queues';
import type { BatchSummary } from '../../workflows/api';
import type { CommandContext } from '../context';
import { createLiveView } from '../render/live-view';
import { styleFor } from '../render/style';
import { writeLines } from '../write';
import { batchEnd } from './batch-end';
import { batchProgress } from './batch-progress';
import { idleHint, progressLines } from './progress-lines';

/** Times between two looks. */
const FRAME_MS = 500;
const WORKER_CHECK_MS = 5_000;

/** So that the view stays within a small terminal. */
const MOST_TABLES = 15;

const DEFAULT_WIDTH = 80;

export interface Waiting {
  readonly pipeline: string;
  readonly batch: string;
  readonly handle: WorkflowHandle;
  readonly startedAt: Date;
}

/**
 * Waits for a batch to end, with its progress on standard error if that is a terminal, and a word
 * about a missing worker in any case. Ctrl-C ends the waiting, not the batch.
 * @returns undefined when interrupted.
 */
export async function waitForBatch(
  context: CommandContext,
  temporal: TemporalClient,
  waiting: Waiting,
): Promise<BatchSummary | undefined> {
  const interruption = context.interruption();
  const over = new AbortController();
  const ended = batchEnd(temporal, waiting.handle).finally(() => over.abort());
  const interrupted = new Promise<undefined>((resolve) => {
    interruption.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const stop = AbortSignal.any([over.signal, interruption.signal]);
  const watching = context.stderr.isTerminal
    ? showProgress(context, temporal, waiting, stop)
    : hintAtWorkers(context, temporal, stop);
  try {
    return await Promise.race([ended, interrupted]);
  } finally {
    over.abort();
    // Once interrupted, nobody is left to hear how the batch ends.
    ended.catch(() => undefined);
    await watching;
    interruption.dispose();
  }
}

async function showProgress(
  context: CommandContext,
  temporal: TemporalClient,
  { pipeline, batch, startedAt }: Waiting,
  stop: AbortSignal,
): Promise<void> {
  const view = createLiveView(context.stderr);
  const style = styleFor(context.stderr, context.environment);
  let idle: readonly IdleQueue[] = [];
  let checkAt = 0;
  while (!stop.aborted) {
    if (context.now().getTime() >= checkAt) {
      idle = await idleOrNone(context, temporal);
      checkAt = context.now().getTime() + WORKER_CHECK_MS;
    }
    const progress = await batchProgress(temporal, { pipeline, batch }, MOST_TABLES);
    if (stop.aborted) break;
    const now = context.now();
    const frame = {
      pipeline,
      batch,
      elapsedMs: now.getTime() - startedAt.getTime(),
      progress,
      idle,
    };
    view.show(progressLines(frame, now, context.stderr.columns ?? DEFAULT_WIDTH, style));
    await pause(FRAME_MS, stop);
  }
  view.clear();
}

/** Says once for each queue that nobody polls it. */
async function hintAtWorkers(
  context: CommandContext,
  temporal: TemporalClient,
  stop: AbortSignal,
): Promise<void> {
  const said = new Set<string>();
  while (!stop.aborted) {
    for (const queue of await idleOrNone(context, temporal)) {
      if (stop.aborted || said.has(queue.role)) continue;
      said.add(queue.role);
      writeLines(context.stderr, [idleHint(queue)]);
    }
    await pause(WORKER_CHECK_MS, stop);
  }
}

/** A hint that cannot be had is no reason to stop waiting. */
async function idleOrNone(
  context: CommandContext,
  temporal: TemporalClient,
): Promise<readonly IdleQueue[]> {
  return idleQueues(temporal, context.now()).catch(() => []);
}

async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: stop }).catch(() => undefined);
}
