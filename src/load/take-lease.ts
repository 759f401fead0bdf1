import { setTimeout as delay } from 'node:timers/promises';
import type { RunIdentity } from '../destinations/destination';
import type { LoadProgress } from '../engines/engine';
import { ComportaError } from '../errors';
import type { History, HistoryEvent, Lease } from '../history/history';

/** How long a dead owner keeps a table to itself. The same run's next attempt never waits. */
const LEASE_TTL_MS = 30_000;
const RENEW_EVERY_MS = 10_000;
const ASK_AGAIN_AFTER_MS = 500;

export interface HeldLease {
  readonly current: Lease;
  release(): Promise<void>;
}

/**
 * Waits for the table's lease, records with it that the load began, and keeps it alive until
 * released. A table is loaded by one run at a
 * time; when two meet (a reset while a load is in flight) the later waits for the earlier to end.
 */
export async function acquireLease(
  deps: {
    readonly history: History;
    readonly report: (progress: LoadProgress) => void;
    readonly signal: AbortSignal;
  },
  { pipeline, table, run }: RunIdentity,
  started: () => HistoryEvent,
): Promise<HeldLease> {
  for (;;) {
    deps.signal.throwIfAborted();
    const lease = await deps.history.acquireLease({
      pipeline,
      table,
      owner: run,
      ttlMs: LEASE_TTL_MS,
      event: started(),
    });
    if (lease !== undefined) return keepAlive(lease);
    deps.report({ phase: 'waiting', waitingFor: 'another run of this table', rows: 0, bytes: 0 });
    await delay(ASK_AGAIN_AFTER_MS, undefined, { signal: deps.signal });
  }
}

function keepAlive(current: Lease): HeldLease {
  const timer = setInterval(() => {
    // A lease that cannot be renewed is found lost where it matters: at `assertHeld`, before the swap.
    current.renew().catch((error: unknown) => {
      if (error instanceof ComportaError && error.code === 'LeaseLost') clearInterval(timer);
    });
  }, RENEW_EVERY_MS);
  timer.unref();
  return {
    current,
    async release() {
      clearInterval(timer);
      // What cannot be given back runs out by itself, and must not hide why the load ended.
      await current.release().catch(() => undefined);
    },
  };
}
