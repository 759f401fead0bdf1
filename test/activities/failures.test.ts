import assert from 'node:assert/strict';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { speakTemporal } from '../../src/activities/failures';
import { runId } from '../../src/activities/run-identity';
import { ComportaError } from '../../src/errors';

/** Runs a body as an activity and returns what it throws. */
async function thrownBy(
  body: (environment: MockActivityEnvironment) => Promise<never>,
): Promise<unknown> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment
    .run(() => speakTemporal(environment.context, () => body(environment)))
    .catch((error: unknown) => error);
}

describe('the failures of activities', () => {
  it('carry the code as type, and say whether another attempt can help', async () => {
    for (const [code, nonRetryable] of [
      ['PermissionDenied', true],
      ['ConnectionFailed', false],
    ] as const) {
      const failure = await thrownBy(() =>
        Promise.reject(new ComportaError(code, 'why', { table: 'orders', remedy: 'do this' })),
      );
      assert.ok(failure instanceof ApplicationFailure);
      assert.equal(failure.type, code);
      assert.equal(failure.nonRetryable, nonRetryable);
      assert.equal(failure.message, 'orders: why — do this');
    }
  });

  it('leave the cause behind, which may quote what was sent', async () => {
    const cause = new Error('password=hunter2');
    const failure = await thrownBy(() =>
      Promise.reject(new ComportaError('AuthenticationFailed', 'refused', { cause })),
    );
    assert.ok(failure instanceof ApplicationFailure);
    assert.equal(failure.cause, undefined);
    assert.doesNotMatch(JSON.stringify(failure), /hunter2/);
  });

  it('are retryable when nobody foresaw them', async () => {
    const failure = await thrownBy(() => Promise.reject(new TypeError('x is not a function')));
    assert.ok(failure instanceof ApplicationFailure);
    assert.equal(failure.type, 'Unexpected');
    assert.equal(failure.nonRetryable, false);
  });

  it('are a cancellation, never an AbortError, once the activity is cancelled', async () => {
    const failure = await thrownBy((environment) => {
      environment.cancel();
      environment.context.cancellationSignal.throwIfAborted();
      return Promise.reject(new Error('not reached'));
    });
    assert.ok(failure instanceof CancelledFailure, String(failure));
    const aborted = await thrownBy((environment) => {
      environment.cancel();
      return Promise.reject(new DOMException('aborted', 'AbortError'));
    });
    assert.ok(aborted instanceof CancelledFailure, String(aborted));
  });
});

describe('runId', () => {
  it('is the same for every attempt of a run and another after a reset', () => {
    const first = runId('batch', 'ingest/sales/orders/batch', 'run-1');
    assert.equal(first, runId('batch', 'ingest/sales/orders/batch', 'run-1'));
    assert.notEqual(first, runId('batch', 'ingest/sales/orders/batch', 'run-2'));
    assert.match(first, /^batch-[0-9a-f]{12}$/);
  });
});
