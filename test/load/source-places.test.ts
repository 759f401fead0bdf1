import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ComportaError } from '../../src/errors';
import { newLakeLeaseStore } from '../history/lake-lease-store';
import { newSqliteStore } from '../history/sqlite-store';
import { createSourcePlaces } from '../../src/load/source-places';
import { eventually } from '../support/eventually';
import { createMemoryHistory } from '../support/memory-history';
import { CONNECTION, placesContract, QUICK, TestWorker } from './places-contract';

placesContract('in SQLite', newSqliteStore, 60);
placesContract('in a lake', newLakeLeaseStore, 10);

describe('places at a source', () => {
  it('are handed from load to load without a word to the history', async () => {
    const worker = new TestWorker(createMemoryHistory(), 1, { ...QUICK, stint: 60_000 });
    const first = await worker.take();
    const { calls } = worker;
    const others = Array.from({ length: 50 }, () => worker.take());
    first.release();
    for (const other of others) (await other).release();
    assert.equal(worker.calls, calls);
    await worker.places.close();
  });

  it('are kept a moment for the next load, and then given back', async () => {
    const history = createMemoryHistory();
    const worker = new TestWorker(history, 1, { ...QUICK, linger: 20 });
    (await worker.take()).release();
    const { calls } = worker;
    const again = await worker.take();
    assert.equal(worker.calls, calls);
    again.release();
    await eventually(async () =>
      assert.equal((await history.leaseHolders(`connection:${CONNECTION}`)).size, 0),
    );
  });

  it('are looked for once for all loads of a worker that wait', async () => {
    const history = createMemoryHistory();
    const holder = new TestWorker(history, 1, { ...QUICK, stint: 60_000 });
    const place = await holder.take();
    const worker = new TestWorker(history, 1, { ...QUICK, lookEvery: 50 });
    const told: string[] = [];
    const loads = Array.from({ length: 500 }, async () => {
      const taken = await worker.take(undefined, (waitingFor) => told.push(waitingFor));
      taken.release();
    });
    await delay(600);
    assert.equal(told.length, 500);
    assert.equal(told[0], 'one of the 1 places at shop');
    assert.ok(worker.calls < 50, `${worker.calls} calls for 500 loads`);
    place.release();
    await Promise.all(loads);
    await Promise.all([holder.places.close(), worker.places.close()]);
  });

  it('are waited for also while the history does not answer, and not once it refuses', async () => {
    const history = createMemoryHistory();
    let error: ComportaError | undefined = new ComportaError('HistoryFailed', 'it is down');
    let asked = 0;
    const places = createSourcePlaces(
      {
        acquireLease: (request) => history.acquireLease(request),
        leaseHolders: (group) => {
          asked += 1;
          return error === undefined ? history.leaseHolders(group) : Promise.reject(error);
        },
      },
      { connection: CONNECTION, limit: 1, timing: QUICK },
    );
    const signal = new AbortController().signal;
    const first = places.take(signal, () => undefined);
    await eventually(() => assert.ok(asked > 3));
    error = undefined;
    const place = await first;
    error = new ComportaError('PermissionDenied', 'no SELECT on comporta_lease');
    place.release();
    await eventually(async () =>
      assert.equal((await history.leaseHolders(`connection:${CONNECTION}`)).size, 0),
    );
    await assert.rejects(
      places.take(signal, () => undefined),
      error,
    );
    await places.close();
  });

  it('that another worker took after a long silence end the load that had them', async () => {
    let time = Date.now();
    const history = createMemoryHistory({ now: () => time });
    const silent = new TestWorker(history, 1, { ...QUICK, renewEvery: 20 });
    const lost = await silent.take();
    time += QUICK.ttl;
    // Before the next renewal, which would prolong what nobody took.
    const other = new TestWorker(history, 1);
    const taken = await other.take();
    await eventually(() => assert.ok(lost.signal.aborted));
    const reason = lost.signal.reason as ComportaError;
    assert.equal(reason.code, 'LeaseLost');
    assert.match(reason.message, /one of 1 at shop/);
    assert.equal(taken.signal.aborted, false);
    lost.release();
    taken.release();
    await Promise.all([silent.places.close(), other.places.close()]);
  });

  it('are not waited for by a load that is cancelled', async () => {
    const history = createMemoryHistory();
    const worker = new TestWorker(history, 1, { ...QUICK, stint: 60_000 });
    const place = await worker.take();
    const cancelled = new AbortController();
    const waiting = worker.take(cancelled.signal);
    const next = worker.take();
    cancelled.abort(new Error('stop'));
    await assert.rejects(waiting, /stop/);
    await assert.rejects(worker.take(cancelled.signal), /stop/);
    place.release();
    place.release();
    (await next).release();
    await worker.places.close();
    assert.equal((await history.leaseHolders(`connection:${CONNECTION}`)).size, 0);
  });
});
