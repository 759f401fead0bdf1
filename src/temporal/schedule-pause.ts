import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';

/** The note of a schedule that its pipeline file pauses; any other note is a person's. */
export const PAUSED_BY_FILE = 'paused by the pipeline file';

/**
 * Whether a schedule should be paused: a person's pause survives, one that came from the file goes
 * with it.
 */
export function pauseOf(
  present: ScheduleDescription,
  desired: ScheduleOptions,
): { readonly paused: boolean; readonly note?: string } {
  const { paused, note } = present.state;
  if (desired.state?.paused === true) return { paused: true, note: paused ? note : PAUSED_BY_FILE };
  return paused && note !== PAUSED_BY_FILE ? { paused, note } : { paused: false, note: '' };
}
