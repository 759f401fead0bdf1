import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ComportaError } from '../../errors';
import type { TemporalClient } from '../../temporal/connection';
import { callTemporal } from '../../temporal/errors';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  type ControllerInput,
} from '../../workflows/api';

/** `20261121T030000123Z`: sorts by time, and is safe in paths and workflow ids. */
export function batchIdAt(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, '');
}

/**
 * Starts the controller of a batch. A batch that failed may be started again under its name.
 * @throws ComportaError ConfigurationInvalid when the batch runs or has succeeded.
 */
export async function startBatch(
  temporal: TemporalClient,
  input: ControllerInput & { readonly batch: string },
): Promise<WorkflowHandle> {
  const workflowId = controllerWorkflowId(input.pipeline, input.batch);
  try {
    return await callTemporal(temporal, () =>
      temporal.client.workflow.start('controller', {
        workflowId,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new ComportaError(
      'ConfigurationInvalid',
      `batch "${input.batch}" is already running or has succeeded (workflow ${workflowId})`,
      { pipeline: input.pipeline, remedy: 'leave --batch out, or give another one' },
    );
  }
}

/** Throws ConfigurationInvalid unless the name can stand in paths and workflow ids. */
export function checkBatchName(batch: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(batch)) return;
  throw new ComportaError('ConfigurationInvalid', `"${batch}" cannot name a batch`, {
    remedy: 'use up to 100 letters, digits, dots, hyphens and underscores',
  });
}
