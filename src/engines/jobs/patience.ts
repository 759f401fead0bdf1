import { setTimeout as delay } from 'node:timers/promises';
import { PassingTrouble, type Trouble } from './platform';

/** Waits; ends early when the signal fires. */
export type Pause = (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const pauseFor: Pause = async (milliseconds, signal) => {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
};

/** How long a trouble is waited out before it is the load's failure, in pauses. */
const PATIENCE_MS: Readonly<Record<Trouble, number>> = {
  unavailable: 10 * 60_000,
  quota: 10 * 60_000,
  // A place is free when another job ends; the load's own timeout usually comes first.
  waiting: 12 * 3_600_000,
};

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Repeats calls over troubles that pass, with growing pauses. */
export class Patience {
  /**
   * @param signal ends every pause, and then throws its reason; calls are let finish, so that what
   *   they did is known.
   * @param report hears what is waited for, at each pause.
   */
  constructor(
    private readonly wait: Pause,
    private readonly signal: AbortSignal | undefined,
    readonly report: (state: string) => void,
  ) {}

  /** Throws the failure of a trouble that has not passed in time. */
  async with<Result>(call: () => Promise<Result>): Promise<Result> {
    let next = FIRST_PAUSE_MS;
    let waited = 0;
    let last: Trouble | undefined;
    for (;;) {
      this.signal?.throwIfAborted();
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof PassingTrouble)) throw error;
        if (error.trouble !== last) waited = 0;
        last = error.trouble;
        if (waited >= PATIENCE_MS[last]) throw error.failure;
        this.report(`${last}: ${error.failure.problem}`);
      }
      await this.pause(next);
      waited += next;
      next = Math.min(next * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Throws the signal's reason when that fires. */
  async pause(milliseconds: number): Promise<void> {
    await this.wait(milliseconds, this.signal);
    this.signal?.throwIfAborted();
  }
}
