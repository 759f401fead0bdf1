import { pauseFor, type Pause } from '../../../src/engines/jobs/patience';

/** A clock on which waiting takes less time than it says. */
export interface ShortClock {
  readonly pause: Pause;
  /** Milliseconds that were waited, as the waiting ones take it. */
  elapsed(): number;
  /** Once so many milliseconds from now have been waited. */
  after(milliseconds: number, act: () => Promise<void>): void;
}

/** Slow enough for a connection to come back within what a runner waits for it. */
const TIMES_FASTER = 200;

export function createShortClock(timesFaster = TIMES_FASTER): ShortClock {
  let elapsed = 0;
  let alarms: { readonly at: number; readonly act: () => Promise<void> }[] = [];
  return {
    async pause(milliseconds, signal) {
      await pauseFor(Math.ceil(milliseconds / timesFaster), signal);
      elapsed += milliseconds;
      const due = alarms.filter(({ at }) => at <= elapsed);
      alarms = alarms.filter(({ at }) => at > elapsed);
      for (const { act } of due) await act();
    },
    elapsed: () => elapsed,
    after: (milliseconds, act) => alarms.push({ at: elapsed + milliseconds, act }),
  };
}
