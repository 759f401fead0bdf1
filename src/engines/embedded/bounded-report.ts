import type { LoadProgress } from '../engine';

/**
 * Passes progress on at a bounded rate: at once when the phase changes, otherwise the first report
 * of every `everyMs`. `now` is a clock in milliseconds.
 */
export function boundedReport(
  send: (progress: LoadProgress) => void,
  everyMs: number,
  now: () => number,
): (progress: LoadProgress) => void {
  let phase: LoadProgress['phase'] | undefined;
  let sentAt = 0;
  return (progress) => {
    const time = now();
    if (progress.phase === phase && time - sentAt < everyMs) return;
    phase = progress.phase;
    sentAt = time;
    send(progress);
  };
}
