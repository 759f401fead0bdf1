import assert from 'node:assert/strict';
import { ComportaError } from '../../../src/errors';
import type { JobOutcome, JobRunner } from '../../../src/engines/spark/job-runner';
import type { PlatformRunnerOptions } from '../../../src/engines/jobs/platform-runner';
import { eventually } from '../../support/eventually';
import type { FaultyProxy } from '../../support/faulty-proxy';
import type { Refusal } from '../../support/platform-endpoint/faults';
import { type Faults } from '../../support/platform-endpoint/faults';
import type { JobBook } from '../../support/platform-endpoint/job-book';
import { isAlive } from '../../../scripts/services/process-table';
import { createSmallJob, type SmallJob } from './small-job';
import { createShortClock, type ShortClock } from './short-clock';
import { createJobWatch, Cancelled, Shutdown } from './watch';

/** A platform of the local endpoint, and what the contract's faults are called there. */
export interface PlatformUnderTest {
  readonly book: JobBook;
  readonly faults: Faults;
  readonly line: FaultyProxy;
  readonly submit: string;
  readonly look: string;
  readonly quota: Refusal;
  readonly denied: Refusal;
  /** A platform's word for a job that somebody ended. */
  readonly ended: string;
  /** A runner of its own, as another worker has one. */
  runner(options: PlatformRunnerOptions): JobRunner;
  close(): Promise<void>;
}

/**
 * What every runner of a platform does, with real processes as jobs.
 * @param extent `calls`: only what each platform does by calls of its own.
 */
export function holdsRunnerContract(
  start: () => Promise<PlatformUnderTest>,
  extent: 'all' | 'calls' = 'all',
): void {
  let platform: PlatformUnderTest;
  let small: SmallJob;
  let clock: ShortClock;
  let runners: JobRunner[];

  before(async () => (platform = await start()));
  after(() => platform.close());
  beforeEach(async () => {
    platform.book.jobs.clear();
    small = await createSmallJob();
    clock = createShortClock();
    runners = [];
  });
  afterEach(async () => {
    await platform.line.heal();
    await small.release();
    await eventually(() => assert.deepEqual(platform.book.active(), []));
    await Promise.all(runners.map((runner) => runner.close()));
    await small.remove();
  });

  const worker = () => {
    const runner = platform.runner({ pause: clock.pause });
    runners.push(runner);
    return runner;
  };
  const jobs = () => [...platform.book.jobs.values()];
  const running = () =>
    eventually(() =>
      assert.deepEqual(
        jobs().map(({ state }) => state),
        ['RUNNING'],
      ),
    );
  /** Why a run came to nothing: thrown, or the failure of a try. */
  const failureOf = async (run: Promise<JobOutcome>) => {
    const error: unknown = await run.then(
      ({ failure }) => failure ?? assert.fail('it succeeded'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ComportaError, String(error));
    return error;
  };

  it('runs a job once, and takes what it has done from then on', async () => {
    const watch = createJobWatch();
    assert.deepEqual(await worker().run(small.job, watch), { attempt: 1 });
    assert.deepEqual(await small.written(), [1]);
    assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 1 });
    assert.equal(jobs().length, 1);
  });

  it('reports the state, and what the driver prints meanwhile', async () => {
    const watch = createJobWatch();
    await small.hold();
    platform.book.suspend();
    const run = worker().run(small.job, watch);
    await eventually(() => assert.equal(watch.progress.at(-1)?.state, jobs()[0]?.state));
    platform.book.resume();
    await eventually(() => assert.equal(watch.progress.at(-1)?.output, 'reading the table'));
    assert.equal(watch.progress.at(-1)?.state, 'RUNNING');
    await small.release();
    await run;
  });

  it('tells why a job failed in its own words, and tries again under the next number', async () => {
    await small.breakDown();
    const error = await failureOf(worker().run(small.job, createJobWatch()));
    assert.equal(error.code, 'EngineFailed');
    assert.match(error.message, /exit code 3.*java\.sql\.SQLException: the table is broken/s);
    assert.equal(jobs().length, 1);
    await small.repair();
    assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 2 });
    assert.deepEqual(await small.written(), [2]);
    assert.equal(jobs().length, 2);
  });

  it('finds the job when only the answer to its submission was lost', async () => {
    platform.faults.add(platform.submit, { kind: 'answer lost' });
    assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 1 });
    assert.equal(jobs().length, 1);
  });

  it('sees a job that was killed, and one that somebody ended, and runs it again', async () => {
    await small.hold();
    const first = failureOf(worker().run(small.job, createJobWatch()));
    await running();
    await platform.book.kill(jobs()[0]!.id);
    assert.equal((await first).code, 'EngineFailed');
    const second = failureOf(worker().run(small.job, createJobWatch()));
    await eventually(() => assert.equal(jobs()[1]?.state, 'RUNNING'));
    await platform.book.end(jobs()[1]!.id, platform.ended, 'by hand');
    const error = await second;
    assert.equal(error.code, 'EngineFailed');
    assert.match(error.message, new RegExp(platform.ended));
    await small.release();
    assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 3 });
    assert.deepEqual(await small.written(), [3]);
    assert.equal(jobs().length, 3);
  });

  it('ends the job of a load that is cancelled', async () => {
    await small.hold();
    const watch = createJobWatch();
    const run = worker().run(small.job, watch);
    await running();
    const [pid] = platform.book.pids();
    watch.abort(new Cancelled());
    await assert.rejects(run, Cancelled);
    assert.equal(jobs()[0]?.state, platform.ended);
    assert.equal(isAlive(pid!), false);
    assert.equal(jobs().length, 1);
  });

  // What does not depend on the platform's calls is held by one user of them.
  if (extent === 'calls') return;

  it('submits one job per call', async () => {
    await small.breakDown();
    for (const tries of [1, 2, 3]) {
      await failureOf(worker().run(small.job, createJobWatch()));
      assert.equal(jobs().length, tries);
    }
  });

  it('attaches to the job of a worker that is gone', async () => {
    await small.hold();
    const watch = createJobWatch();
    const lost = worker().run(small.job, watch);
    await running();
    watch.abort(new Shutdown());
    await assert.rejects(lost, Shutdown);
    assert.equal(jobs()[0]?.state, 'RUNNING');
    const second = worker().run(small.job, createJobWatch());
    await small.release();
    assert.deepEqual(await second, { attempt: 1 });
    assert.equal(jobs().length, 1);
    assert.deepEqual(await small.written(), [1]);
  });

  it('attaches to the job whose submission a lost worker never heard of', async () => {
    await small.hold();
    const watch = createJobWatch();
    platform.faults.add(platform.submit, { kind: 'answer lost' });
    const lost = worker().run(small.job, watch);
    await eventually(() => assert.equal(jobs().length, 1));
    watch.abort(new Shutdown());
    await assert.rejects(lost, Shutdown);
    const second = worker().run(small.job, createJobWatch());
    await small.release();
    assert.deepEqual(await second, { attempt: 1 });
    assert.equal(jobs().length, 1);
  });

  it('fails as the job did whose answer was lost', async () => {
    await small.breakDown();
    platform.faults.add(platform.submit, { kind: 'answer lost' });
    await failureOf(worker().run(small.job, createJobWatch()));
    assert.equal(jobs().length, 1);
  });

  it('outlasts a service that is away for a minute', async () => {
    await small.hold();
    const watch = createJobWatch();
    const run = worker().run(small.job, watch);
    await running();
    await platform.line.refuse();
    clock.after(60_000, () => platform.line.heal());
    await eventually(() => assert.match(watch.progress.at(-1)?.state ?? '', /^unavailable: /));
    await small.release();
    assert.deepEqual(await run, { attempt: 1 });
    assert.equal(jobs().length, 1);
  });

  it('gives the number of a try that failed, also of one that it attached to', async () => {
    await small.hold();
    await small.breakDown();
    const watch = createJobWatch();
    const lost = worker().run(small.job, watch);
    await running();
    watch.abort(new Shutdown());
    await assert.rejects(lost, Shutdown);
    const second = worker().run(small.job, createJobWatch());
    await small.release();
    const { attempt, failure } = await second;
    assert.deepEqual([attempt, failure?.code], [1, 'EngineFailed']);
    assert.equal(jobs().length, 1);
  });

  it('gives up a service that stays away, and later attaches', async () => {
    clock = createShortClock(2_000);
    await small.hold();
    const run = worker().run(small.job, createJobWatch());
    await running();
    await platform.line.refuse();
    const error = await failureOf(run);
    assert.equal(error.code, 'ConnectionFailed');
    assert.ok(clock.elapsed() > 600_000);
    clock = createShortClock();
    await platform.line.heal();
    const second = worker().run(small.job, createJobWatch());
    await small.release();
    assert.deepEqual(await second, { attempt: 1 });
    assert.equal(jobs().length, 1);
  });

  it('waits for quota', async () => {
    const watch = createJobWatch();
    platform.faults.add(platform.submit, { kind: 'refused', with: platform.quota }, 3);
    assert.deepEqual(await worker().run(small.job, watch), { attempt: 1 });
    assert.match(watch.progress[0]?.state ?? '', /^quota: /);
    assert.equal(jobs().length, 1);
  });

  it('does not wait for a right that is missing', async () => {
    platform.faults.add(platform.submit, { kind: 'refused', with: platform.denied });
    const error = await failureOf(worker().run(small.job, createJobWatch()));
    assert.equal(error.code, 'PermissionDenied');
    assert.equal(clock.elapsed(), 0);
    assert.equal(jobs().length, 0);
  });

  it('ends the job of a load that is cancelled while it is submitted', async () => {
    await small.hold();
    const watch = createJobWatch();
    const call = platform.faults.hold(platform.submit);
    const run = worker().run(small.job, watch);
    await call.arrived;
    watch.abort(new Cancelled());
    call.release();
    await assert.rejects(run, Cancelled);
    assert.equal(jobs()[0]?.state, platform.ended);
    assert.equal(jobs().length, 1);
  });

  it('submits nothing for a load that is cancelled before', async () => {
    const watch = createJobWatch();
    const call = platform.faults.hold(platform.look);
    const run = worker().run(small.job, watch);
    await call.arrived;
    watch.abort(new Cancelled());
    call.release();
    await assert.rejects(run, Cancelled);
    assert.equal(jobs().length, 0);
  });
}
