import assert from 'node:assert/strict';
import { orMoreMemory } from '../../../src/engines/spark/out-of-memory';
import { ComportaError } from '../../../src/errors';

describe('a job that memory did not suffice for', () => {
  const remedyOf = (problem: string) =>
    orMoreMemory(
      new ComportaError('EngineFailed', problem, { remedy: 'the load is tried again' }),
      'dataproc',
    ).remedy;

  for (const problem of [
    'the Spark job failed: java.lang.OutOfMemoryError: Java heap space',
    'Job aborted due to stage failure: ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB physical memory used.',
    'ExecutorLostFailure (executor 1 exited) Reason: Container killed by YARN for exceeding physical memory limits.',
    'Reason: Container from a bad node: container_1 on host: w-1. Exit status: 137. Diagnostics: Killed',
    'the Spark job ended with exit code 137: 26/01/02 WARN TaskSetManager',
    'run jr_1 of Glue job ingest failed (FAILED): Command Failed due to Out of Memory',
  ]) {
    it(`and that says “${problem.slice(0, 70)}” is given the way to more`, () => {
      assert.match(remedyOf(problem) ?? '', /^give it more memory \(spark\.driver\.memory and/);
    });
  }

  for (const problem of [
    'the Spark job ended with exit code 1: 137 rows',
    'Dataproc job load-01 ended as ERROR: Google Cloud Dataproc Agent reports job failure.',
  ]) {
    it(`is not one that says “${problem.slice(0, 70)}”`, () => {
      assert.equal(remedyOf(problem), 'the load is tried again');
    });
  }

  it('is told for its own engine, with its pipeline and table', () => {
    const details = { pipeline: 'shop', table: 'orders' };
    const failure = new ComportaError('EngineFailed', 'OutOfMemoryError', details);
    assert.match(
      orMoreMemory(failure, 'glue').message,
      /^shop \/ orders: OutOfMemoryError — give it more memory \(a larger workerType/,
    );
    assert.match(orMoreMemory(failure, 'spark').message, /--driver-memory/);
  });

  it('is no other failure, whatever its words', () => {
    const failure = new ComportaError('SourceInterrupted', 'the server is out of memory');
    assert.equal(orMoreMemory(failure, 'spark'), failure);
  });
});
