import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Context } from '@temporalio/activity';
import { ComportaError, messageOf } from '../errors';

/**
 * Runs the body of an activity so that Temporal hears of its end in words it understands:
 * - a ComportaError becomes an ApplicationFailure whose type is the error's code, retried only if
 *   another attempt can help. Causes stay behind: a driver's own message may quote what it sent;
 * - anything thrown because the activity was cancelled becomes a CancelledFailure. An AbortError
 *   would be refused by the server, and Pause and Reset of the activity would then hang.
 * `pace` says how many milliseconds after its failed attempt, counted from 1, the next one begins.
 * Default: as the activity's retry policy says.
 */
export async function speakTemporal<Result>(
  context: Context,
  body: () => Promise<Result>,
  pace?: (attempt: number) => number,
): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    if (context.cancellationSignal.aborted) throw cancellation(context);
    throw toFailure(error, pace?.(context.info.attempt));
  }
}

function cancellation({ cancellationSignal, cancellationDetails }: Context): Error {
  if (cancellationDetails?.workerShutdown === true) {
    // A failure, not a cancellation: nobody asked for the load to end, and another worker goes on.
    return ApplicationFailure.create({
      message: 'the worker shut down; the load goes on elsewhere',
      type: 'WorkerShutdown',
      nextRetryDelay: '1 second',
    });
  }
  return cancellationSignal.reason instanceof CancelledFailure
    ? cancellationSignal.reason
    : new CancelledFailure(`cancelled: ${messageOf(cancellationSignal.reason)}`);
}

function toFailure(error: unknown, nextRetryDelay: number | undefined): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const next = nextRetryDelay === undefined ? {} : { nextRetryDelay };
  if (error instanceof ComportaError) {
    return ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: !error.retryable,
      ...next,
    });
  }
  return ApplicationFailure.create({
    message: `unexpected: ${messageOf(error)}`,
    type: 'Unexpected',
    nonRetryable: false,
    ...next,
  });
}
