import { CancelledFailure } from '@temporalio/common';

/**
 * Whether an activity's signal was aborted because somebody cancelled its workflow: not by a worker's
 * shutdown, a pause, a reset, or because Temporal gave it to another worker meanwhile. The messages are
 * the SDK's (`ActivityTaskCancel` in its core's protocol).
 */
export function isCancelRequest(reason: unknown): boolean {
  return reason instanceof CancelledFailure && reason.message === 'CANCELLED';
}
