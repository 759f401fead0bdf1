import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGlueRunner } from '../../../src/engines/glue/glue-runner';
import type { PlatformRunnerOptions } from '../../../src/engines/jobs/platform-runner';
import type { JobRunner } from '../../../src/engines/spark/job-runner';
import type { GlueConnection } from '../../../src/pipeline/pipeline';
import { eventually } from '../../support/eventually';
import { bucketStore } from '../../support/platform-endpoint/bucket-store';
import { Refusal } from '../../support/platform-endpoint/faults';
import { startGlueEndpoint, type GlueEndpoint } from '../../support/platform-endpoint/glue-server';
import { createSmallJob, runSmallJob, type SmallJob } from '../jobs/small-job';
import { holdsRunnerContract } from '../jobs/runner-contract';
import { createShortClock } from '../jobs/short-clock';
import { Cancelled, createJobWatch, Shutdown } from '../jobs/watch';

const CONNECTION: GlueConnection = {
  type: 'glue',
  name: 'spark_platform',
  region: 'us-east-1',
  job: 'ingest',
  workerType: 'G.1X',
  workers: 3,
  timeoutMs: 5_400_500,
  arguments: { '--extra-jars': 's3://jars/mysql.jar' },
  accessKeyId: { from: 'env', name: 'KEY' },
  secretAccessKey: { from: 'env', name: 'SECRET' },
};

async function startGlue() {
  const buckets = await mkdtemp(join(tmpdir(), 'comporta-buckets-'));
  const endpoint = await startGlueEndpoint({ buckets, run: runSmallJob });
  endpoint.jobs.set('ingest', { maxConcurrentRuns: 5 });
  return {
    endpoint,
    runner: (options: PlatformRunnerOptions) =>
      createGlueRunner(
        { ...CONNECTION, endpoint: endpoint.url },
        { read: () => Promise.resolve('test') },
        bucketStore(buckets, 's3'),
        options,
      ),
    async close() {
      await endpoint.close();
      await rm(buckets, { recursive: true, force: true });
    },
  };
}

describe('Glue', () => {
  describe('runs of a job', () => {
    holdsRunnerContract(async () => {
      const { endpoint, runner, close } = await startGlue();
      return {
        book: endpoint.runs,
        ...{ faults: endpoint.faults, line: endpoint.line, runner, close },
        ...{ submit: 'StartJobRun', look: 'GetJobRuns', ended: 'STOPPED' },
        quota: new Refusal('ThrottlingException', 'Rate exceeded'),
        denied: new Refusal('AccessDeniedException', 'not authorized to perform glue:StartJobRun'),
      };
    });
  });

  describe('in its own ways', () => {
    let endpoint: GlueEndpoint;
    let open: (options: PlatformRunnerOptions) => JobRunner;
    let close: () => Promise<void>;
    let small: SmallJob;
    let runners: JobRunner[];

    before(async () => ({ endpoint, runner: open, close } = await startGlue()));
    after(() => close());
    beforeEach(async () => {
      endpoint.runs.jobs.clear();
      endpoint.jobs.set('ingest', { maxConcurrentRuns: 5 });
      small = await createSmallJob();
      runners = [];
    });
    afterEach(async () => {
      await small.release();
      await eventually(() => assert.deepEqual(endpoint.runs.active(), []));
      await Promise.all(runners.map((runner) => runner.close()));
      await small.remove();
    });
    const worker = () => {
      const runner = open({ pause: createShortClock().pause });
      runners.push(runner);
      return runner;
    };
    const runs = () => [...endpoint.runs.jobs.values()];

    it('starts a run with the script, the job’s options and no bookmark', async () => {
      await worker().run(small.job, createJobWatch());
      const [run] = runs();
      const { Arguments: given, ...rest } = endpoint.started.get(run!.id)!;
      assert.deepEqual(rest, {
        JobName: 'ingest',
        Timeout: 91,
        WorkerType: 'G.1X',
        NumberOfWorkers: 3,
      });
      const { '--scriptLocation': script, '--request': request, ...options } = given!;
      assert.match(script ?? '', /^s3:\/\/scripts\/[0-9a-f]{64}\/job\.sh$/);
      assert.equal(request, small.job.arguments(1)[1]);
      assert.deepEqual(options, {
        '--attempt': '1',
        '--comporta-try': `${small.job.id}/1`,
        '--extra-jars': 's3://jars/mysql.jar',
        '--job-bookmark-option': 'job-bookmark-disable',
      });
    });

    it('waits for a place among the runs that the job may have', async () => {
      endpoint.jobs.set('ingest', { maxConcurrentRuns: 1 });
      const other = await createSmallJob('another-load');
      await other.hold();
      const first = worker().run(other.job, createJobWatch());
      await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
      const watch = createJobWatch();
      const second = worker().run(small.job, watch);
      await eventually(() => assert.match(watch.progress.at(-1)?.state ?? '', /^waiting: /));
      assert.equal(runs().length, 1);
      await other.release();
      assert.deepEqual(await Promise.all([first, second]), [{ attempt: 1 }, { attempt: 1 }]);
      assert.equal(runs().length, 2);
      await other.remove();
    });

    it('finds a run behind pages of others', async () => {
      await worker().run(small.job, createJobWatch());
      const [mine] = runs();
      for (let number = 0; number < 450; number++) {
        const id = `jr_other${number}`;
        endpoint.runs.jobs.set(id, { ...mine!, id });
        endpoint.started.set(id, { JobName: 'ingest', Arguments: {} });
      }
      assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 1 });
      assert.equal(runs().length, 451);
    });

    it('looks no further back than a week', async () => {
      await worker().run(small.job, createJobWatch());
      const [mine] = runs();
      const old = new Date(Date.now() - 8 * 24 * 3_600_000);
      endpoint.runs.jobs.clear();
      for (let number = 0; number < 250; number++) {
        const id = `jr_old${number}`;
        endpoint.runs.jobs.set(id, { ...mine!, id, startedAt: old });
        const Arguments: Record<string, string> =
          number === 0 ? { '--comporta-try': `${small.job.id}/7` } : {};
        endpoint.started.set(id, { JobName: 'ingest', Arguments });
      }
      assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 1 });
    });

    it('keeps one of two runs that two workers started at the same moment', async () => {
      await small.hold();
      const calls = [endpoint.faults.hold('StartJobRun'), endpoint.faults.hold('StartJobRun')];
      const both = [1, 2].map(() => worker().run(small.job, createJobWatch()));
      await Promise.all(calls.map(({ arrived }) => arrived));
      for (const call of calls) call.release();
      await eventually(() =>
        assert.deepEqual(
          runs().map(({ state }) => state),
          ['RUNNING', 'STOPPED'],
        ),
      );
      await small.release();
      assert.deepEqual(await Promise.all(both), [{ attempt: 1 }, { attempt: 1 }]);
      assert.deepEqual(await small.written(), [1]);
    });

    it('stops the run that a worker started after it was taken for lost', async () => {
      await small.hold();
      const call = endpoint.faults.hold('StartJobRun');
      const watch = createJobWatch();
      const frozen = worker().run(small.job, watch);
      await call.arrived;
      const second = worker().run(small.job, createJobWatch());
      await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
      watch.abort(new Shutdown());
      call.release();
      await assert.rejects(frozen, Shutdown);
      await eventually(() => assert.equal(runs()[1]?.state, 'STOPPED'));
      await small.release();
      assert.deepEqual(await second, { attempt: 1 });
    });

    it('waits while a run waits for machines, or is being stopped', async () => {
      await small.hold();
      const watch = createJobWatch();
      const run = worker().run(small.job, watch);
      await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
      for (const state of ['WAITING', 'STOPPING', 'RUNNING']) {
        runs()[0]!.state = state;
        await eventually(() => assert.equal(watch.progress.at(-1)?.state, state));
      }
      await small.release();
      assert.deepEqual(await run, { attempt: 1 });
    });

    for (const [state, said] of [
      ['TIMEOUT', /took longer than it may \(TIMEOUT\).*raise the timeout/s],
      ['ERROR', /could not be run \(ERROR\): by Glue/],
      ['EXPIRED', /waited too long for its machines \(EXPIRED\)/],
      ['STOPPED', /was stopped by somebody \(STOPPED\)/],
    ] as const) {
      it(`fails a run that ends as ${state}, and starts another`, async () => {
        await small.hold();
        const first = worker().run(small.job, createJobWatch());
        await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
        await endpoint.runs.end(runs()[0]!.id, state, 'by Glue');
        assert.match(String((await first).failure), said);
        await small.release();
        assert.deepEqual(await worker().run(small.job, createJobWatch()), { attempt: 2 });
        assert.equal(runs().length, 2);
      });
    }

    it('tells what Spark and the script have said last, also in a group of the job’s own', async () => {
      const { logGroup } = endpoint;
      const usual = { ...logGroup };
      Object.assign(logGroup, {
        name: '/aws-glue/jobs-ingest-locked/',
        ofSpark: 'INFO one\nWARN a worker was lost',
      });
      await small.breakDown();
      const { failure } = await worker().run(small.job, createJobWatch());
      Object.assign(logGroup, usual);
      assert.match(
        String(failure),
        /output:\nINFO one\nWARN a worker was lost\nreading the table\njava\.sql\.SQLException/,
      );
    });

    it('tells when a run could not be stopped, which Glue says in a successful answer', async () => {
      await small.hold();
      const watch = createJobWatch();
      const run = worker().run(small.job, watch);
      await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
      const ErrorDetail = { ErrorCode: 'AccessDeniedException', ErrorMessage: 'no right to stop' };
      endpoint.faults.add('BatchStopJobRun', {
        kind: 'answered',
        answer: { Errors: [{ JobName: 'ingest', JobRunId: runs()[0]!.id, ErrorDetail }] },
      });
      watch.abort(new Cancelled());
      await assert.rejects(run, Cancelled);
      assert.match(watch.progress.at(-1)?.state ?? '', /^not cancelled: .*no right to stop/);
      assert.equal(runs()[0]?.state, 'RUNNING');
    });

    it('takes a refusal to stop for nothing when the run has ended meanwhile', async () => {
      await small.hold();
      const watch = createJobWatch();
      const run = worker().run(small.job, watch);
      await eventually(() => assert.equal(runs()[0]?.state, 'RUNNING'));
      const call = endpoint.faults.hold('BatchStopJobRun');
      watch.abort(new Cancelled());
      await call.arrived;
      await small.release();
      await eventually(() => assert.equal(runs()[0]?.state, 'SUCCEEDED'));
      call.release();
      await assert.rejects(run, Cancelled);
      assert.doesNotMatch(watch.progress.at(-1)?.state ?? '', /not cancelled/);
    });

    it('names the job that is not there', async () => {
      endpoint.jobs.delete('ingest');
      await assert.rejects(worker().run(small.job, createJobWatch()), {
        code: 'ConfigurationInvalid',
        message: /create job ingest, or correct job and region of connection "spark_platform"/,
      });
    });
  });
});
