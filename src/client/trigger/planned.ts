import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalClient } from '../../temporal/connection';
import { batchEnd } from './batch-end';
import { batchProgress } from './batch-progress';
import type { Waiting } from './wait';

/** How long to stay for the plan of a batch that is not waited for. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 100;

/**
 * Stays a moment, until the batch is planned: a table or batch that does not exist shows there.
 * @throws ComportaError when planning failed within that time.
 */
export async function untilPlanned(temporal: TemporalClient, waiting: Waiting): Promise<void> {
  const over = new AbortController();
  const deadline = Date.now() + PATIENCE_MS;
  const planned = async (): Promise<void> => {
    while (!over.signal.aborted && Date.now() < deadline) {
      const { controller } = await batchProgress(temporal, waiting, 0);
      if (controller !== undefined && controller.phase !== 'planning') return;
      await delay(LOOK_MS);
    }
  };
  const ended = batchEnd(temporal, waiting.handle);
  try {
    await Promise.race([planned(), ended]);
  } finally {
    over.abort();
    // What becomes of the batch after its plan is not waited for.
    ended.catch(() => undefined);
  }
}
