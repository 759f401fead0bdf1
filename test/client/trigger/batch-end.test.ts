import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
} from '@temporalio/common';
import { batchEnd } from '../../../src/client/trigger/batch-end';
import type { TemporalClient } from '../../../src/temporal/connection';

const temporal = { address: 'x:1', namespace: 'default' } as TemporalClient;
const SUMMARY = { pipeline: 'sales', batch: 'b1', failed: 1 };

function endWith(outcome: Promise<unknown>): Promise<unknown> {
  return batchEnd(temporal, { workflowId: 'controller/sales/b1', result: () => outcome as never });
}

function failedWith(cause: Error): Promise<unknown> {
  return endWith(Promise.reject(new WorkflowFailedError('failed', cause, 'NON_RETRYABLE_FAILURE')));
}

function failedActivity(cause: Error): Error {
  return new ActivityFailure('failed', 'planLoad', '1', 'NON_RETRYABLE_FAILURE', 'me', cause);
}

describe('batchEnd', () => {
  it('gives the summary of a batch that went well', async () => {
    assert.deepEqual(await endWith(Promise.resolve(SUMMARY)), SUMMARY);
  });

  it('gives the summary of a batch whose tables failed', async () => {
    const failure = ApplicationFailure.create({ type: 'TablesFailed', details: [SUMMARY] });
    assert.deepEqual(await failedWith(failure), SUMMARY);
  });

  it('throws what planning failed with, under its own code', async () => {
    const cause = ApplicationFailure.create({
      type: 'TableNotFound',
      message: 'sales: the pipeline has no table "ordres" — did you mean "orders"?',
    });
    await assert.rejects(failedWith(failedActivity(cause)), {
      name: 'ComportaError',
      code: 'TableNotFound',
      message: cause.message,
    });
  });

  const others: [string, Error, RegExp][] = [
    [
      'a cancelled batch',
      new CancelledFailure('x'),
      /was cancelled \(workflow controller\/sales\/b1/,
    ],
    ['a terminated batch', new TerminatedFailure('x'), /was terminated/],
    ['a defect', ApplicationFailure.create({ message: 'boom' }), /failed: boom/],
    ["an activity's defect", failedActivity(new Error('odd')), /failed: odd/],
  ];
  for (const [name, cause, message] of others) {
    it(`throws TablesFailed for ${name}`, async () => {
      await assert.rejects(failedWith(cause), { code: 'TablesFailed', message });
    });
  }

  it('throws ConnectionFailed when Temporal is gone', async () => {
    const gone = Object.assign(new Error('gone'), { code: 14, details: 'gone', metadata: {} });
    await assert.rejects(endWith(Promise.reject(gone)), { code: 'ConnectionFailed' });
  });
});
