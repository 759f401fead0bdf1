import assert from 'node:assert/strict';
import { clusterName, labelsOf, requestId, tryId } from '../../../src/engines/dataproc/names';

describe('names for Dataproc', () => {
  it('of tries are ids of batches, the shortest and the longest job’s too', () => {
    for (const job of ['a', `a${'b'.repeat(50)}`]) {
      for (const attempt of [1, 9, 10, 12_345]) {
        assert.match(tryId(job, attempt), /^[a-z0-9-]{4,63}$/);
      }
    }
    assert.equal(tryId('load', 3), 'load-03');
  });

  it('of requests are short, and the same for the same try only', () => {
    assert.match(requestId('load-01'), /^[A-Za-z0-9_-]{1,40}$/);
    assert.equal(requestId('load-01'), requestId('load-01'));
    assert.notEqual(requestId('load-01'), requestId('load-02'));
  });

  it('of clusters fit any pipeline, and are others for each batch and connection', () => {
    const batch = { pipeline: `Sales_${'x'.repeat(60)}_`, batch: '20261121T131937424Z' };
    const name = clusterName('nightly', batch);
    assert.match(name, /^[a-z][a-z0-9-]{0,49}[a-z0-9]$/);
    assert.equal(name, clusterName('nightly', { ...batch }));
    assert.notEqual(name, clusterName('weekly', batch));
    assert.notEqual(name, clusterName('nightly', { ...batch, batch: '20261122T131937424Z' }));
  });

  it('of labels are made to fit', () => {
    assert.deepEqual(
      labelsOf({ table: 'public.Orders', '9team': 'Dados & Café', long: 'x'.repeat(70), '1': 'y' }),
      { table: 'public-orders', team: 'dados---caf-', long: 'x'.repeat(63) },
    );
  });
});
