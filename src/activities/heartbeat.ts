import type { Context } from '@temporalio/activity';

/**
 * Often enough for the server to notice a dead worker within the heartbeat timeout, and for people
 * who watch.
 */
const HEARTBEAT_EVERY_MS = 1_000;

/**
 * Sends the latest progress as the activity's heartbeat for as long as the body runs, also while
 * it waits for a slow query. What is reported is shown in the Web UI.
 */
export async function withHeartbeat<Progress, Result>(
  context: Context,
  first: Progress,
  body: (report: (progress: Progress) => void) => Promise<Result>,
): Promise<Result> {
  let latest = first;
  const timer = setInterval(() => context.heartbeat(latest), HEARTBEAT_EVERY_MS);
  try {
    return await body((progress) => {
      latest = progress;
    });
  } finally {
    clearInterval(timer);
  }
}
