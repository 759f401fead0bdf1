import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ComportaError, RETRYABLE, type ErrorCode } from '../../errors';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import type { BatchSummary } from '../../workflows/api';

/**
 * Waits for a controller to end. A batch whose tables failed resolves like one that went well: its
 * summary says so.
 * @throws ComportaError when the batch came to no summary (its plan failed, somebody ended it), or
 * when Temporal can no longer be asked.
 */
export async function batchEnd(
  temporal: TemporalClient,
  handle: Pick<WorkflowHandle, 'result' | 'workflowId'>,
): Promise<BatchSummary> {
  try {
    return await callTemporal(temporal, () => handle.result() as Promise<BatchSummary>);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = causeOf(error);
    if (cause instanceof ApplicationFailure && cause.type === 'TablesFailed') {
      const summary = cause.details?.[0] as BatchSummary | undefined;
      if (summary !== undefined) return summary;
    }
    throw withoutSummary(cause, handle.workflowId);
  }
}

function causeOf(error: WorkflowFailedError): Error | undefined {
  return error.cause instanceof ActivityFailure ? error.cause.cause : error.cause;
}

function withoutSummary(cause: Error | undefined, workflowId: string): ComportaError {
  const ended = (how: string, remedy?: string) =>
    new ComportaError('TablesFailed', `the batch ${how} (workflow ${workflowId})`, { remedy });
  if (cause instanceof ApplicationFailure) {
    const code = cause.type;
    // The message was a ComportaError's on the worker: it names the place and the remedy already.
    return isErrorCode(code)
      ? new ComportaError(code, cause.message)
      : ended(`failed: ${cause.message}`, 'look at the workflow in the Web UI');
  }
  if (cause instanceof CancelledFailure) return ended('was cancelled');
  if (cause instanceof TerminatedFailure) return ended('was terminated');
  if (cause instanceof TimeoutFailure) return ended('ran into a timeout');
  return ended(`failed: ${cause?.message ?? 'for a reason that Temporal does not tell'}`);
}

function isErrorCode(code: string | null | undefined): code is ErrorCode {
  return code !== null && code !== undefined && Object.hasOwn(RETRYABLE, code);
}
