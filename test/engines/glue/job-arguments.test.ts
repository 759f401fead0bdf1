import assert from 'node:assert/strict';
import { attemptOf, runArguments, tryToken } from '../../../src/engines/glue/job-arguments';

const job = (id: string, ...words: string[]) => ({
  ...{ id, labels: { pipeline: 'p', table: 't', batch: 'b' }, script: 'job.py' },
  arguments: () => words,
});

describe('the arguments of a Glue run', () => {
  it('name the try that the run is, and no other job’s', () => {
    const given = runArguments(job('load-1'), 12, { script: 's3://x', more: {} });
    assert.equal(attemptOf(job('load-1'), given), 12);
    assert.equal(attemptOf(job('load'), given), undefined);
    assert.equal(attemptOf(job('load-11'), given), undefined);
    assert.equal(attemptOf(job('load-1'), undefined), undefined);
    assert.equal(attemptOf(job('load-1'), { '--comporta-try': 'load-1/x' }), undefined);
    assert.equal(tryToken(job('load-1'), 12), 'load-1/12');
  });

  it('leave no one else the bookmark', () => {
    const more = { '--job-bookmark-option': 'job-bookmark-enable' };
    const given = runArguments(job('load'), 1, { script: 's3://x', more });
    assert.equal(given['--job-bookmark-option'], 'job-bookmark-disable');
  });

  it('are options with a value, as Glue has no others', () => {
    const given =
      (...words: string[]) =>
      () =>
        runArguments(job('load', ...words), 1, { script: 's3://x', more: {} });
    assert.equal(given('--request', 's3://r')()['--request'], 's3://r');
    assert.throws(given('--verbose'), { code: 'ConfigurationInvalid' });
    assert.throws(given('a', 'b'), { code: 'ConfigurationInvalid' });
  });
});
