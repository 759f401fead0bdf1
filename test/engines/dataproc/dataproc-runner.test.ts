import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { createDataprocRunner } from '../../../src/engines/dataproc/dataproc-runner';
import type { DataprocConnection } from '../../../src/pipeline/pipeline';
import { withMissingCredentials } from '../../support/google-credentials';
import { bucketStore } from '../../support/platform-endpoint/bucket-store';
import { startDataprocEndpoint } from '../../support/platform-endpoint/dataproc-server';
import { Refusal } from '../../support/platform-endpoint/faults';
import { createSmallJob, runSmallJob, type SmallJob } from '../jobs/small-job';
import { holdsRunnerContract } from '../jobs/runner-contract';
import { createShortClock } from '../jobs/short-clock';
import { createJobWatch } from '../jobs/watch';

const CONNECTION: DataprocConnection = {
  type: 'dataproc',
  name: 'spark_platform',
  project: 'lake-project',
  region: 'us-central1',
  runOn: { cluster: { name: 'nightly' } },
  labels: { team: 'data' },
  properties: { 'spark.executor.memory': '4g' },
  jars: ['gs://jars/mysql.jar'],
};

const SERVERLESS: DataprocConnection['runOn'] = {
  serverless: { ttlMs: 5_400_500, version: '2.2', networkTags: ['lake'], subnetwork: 'inner' },
};

const QUOTA = new Refusal(
  status.RESOURCE_EXHAUSTED,
  "Quota exceeded for quota metric 'Job submits'",
);
const DENIED = new Refusal(status.PERMISSION_DENIED, "Permission 'dataproc.jobs.create' denied");

async function startDataproc() {
  const buckets = await mkdtemp(join(tmpdir(), 'comporta-buckets-'));
  const endpoint = await startDataprocEndpoint({ buckets, run: runSmallJob });
  endpoint.clusters.set('nightly', { env: 'production', kind: 'lake' });
  const runnerOn =
    (runOn: DataprocConnection['runOn']) => (options: Parameters<typeof createDataprocRunner>[2]) =>
      createDataprocRunner(
        { ...CONNECTION, runOn, endpoint: endpoint.url },
        bucketStore(buckets, 'gs'),
        options,
      );
  return {
    endpoint,
    runnerOn,
    async close() {
      await endpoint.close();
      await rm(buckets, { recursive: true, force: true });
    },
  };
}

describe('Dataproc', () => {
  describe('jobs on a cluster', () => {
    holdsRunnerContract(async () => {
      const { endpoint, runnerOn, close } = await startDataproc();
      return {
        book: endpoint.jobs,
        ...{ faults: endpoint.faults, line: endpoint.line, close },
        ...{ submit: 'SubmitJob', look: 'GetJob', quota: QUOTA, denied: DENIED },
        ended: 'CANCELLED',
        runner: runnerOn(CONNECTION.runOn),
      };
    });
  });

  describe('serverless batches', () => {
    holdsRunnerContract(async () => {
      const { endpoint, runnerOn, close } = await startDataproc();
      return {
        book: endpoint.batches,
        ...{ faults: endpoint.faults, line: endpoint.line, close },
        ...{ submit: 'CreateBatch', look: 'GetBatch', quota: QUOTA, denied: DENIED },
        ended: 'CANCELLED',
        runner: runnerOn(SERVERLESS),
      };
    }, 'calls');
  });

  describe('in its own ways', () => {
    let dataproc: Awaited<ReturnType<typeof startDataproc>>;
    let small: SmallJob;

    before(async () => (dataproc = await startDataproc()));
    after(() => dataproc.close());
    beforeEach(async () => {
      dataproc.endpoint.jobs.jobs.clear();
      dataproc.endpoint.batches.jobs.clear();
      small = await createSmallJob();
    });
    afterEach(() => small.remove());

    async function run(runOn: DataprocConnection['runOn']) {
      const runner = dataproc.runnerOn(runOn)({ pause: createShortClock().pause });
      try {
        return await runner.run(small.job, createJobWatch());
      } finally {
        await runner.close();
      }
    }

    it('submits a job that Dataproc itself never starts again', async () => {
      await run(CONNECTION.runOn);
      const id = `${small.job.id}-01`;
      const { job, requestId, projectId, region } = dataproc.endpoint.submittedJobs.get(id)!;
      assert.deepEqual([projectId, region], ['lake-project', 'us-central1']);
      assert.match(requestId, /^[0-9a-f]{32}$/);
      assert.equal(job?.reference?.jobId, id);
      assert.equal(job?.placement?.clusterName, 'nightly');
      assert.deepEqual(job?.scheduling, { maxFailuresPerHour: 0, maxFailuresTotal: 0 });
      assert.deepEqual(job?.labels, {
        pipeline: 'sales',
        table: 'public-orders',
        batch: '20261121t131937424z',
        team: 'data',
      });
      assert.match(
        job?.pysparkJob?.mainPythonFileUri ?? '',
        /^gs:\/\/scripts\/[0-9a-f]{64}\/job\.sh$/,
      );
      assert.deepEqual(job?.pysparkJob?.args, small.job.arguments(1));
      assert.deepEqual(job?.pysparkJob?.jarFileUris, ['gs://jars/mysql.jar']);
      assert.deepEqual(job?.pysparkJob?.properties, { 'spark.executor.memory': '4g' });
    });

    it('submits a batch with an end, a network and a version', async () => {
      await run(SERVERLESS);
      const { batch, parent, requestId } = dataproc.endpoint.submittedBatches.get(
        `${small.job.id}-01`,
      )!;
      assert.equal(parent, 'projects/lake-project/locations/us-central1');
      assert.match(requestId, /^[0-9a-f]{32}$/);
      const execution = batch?.environmentConfig?.executionConfig;
      assert.equal(execution?.ttl?.seconds, 5_401);
      assert.equal(execution?.subnetworkUri, 'inner');
      assert.deepEqual(execution?.networkTags, ['lake']);
      assert.equal(batch?.runtimeConfig?.version, '2.2');
      assert.deepEqual(batch?.runtimeConfig?.properties, { 'spark.executor.memory': '4g' });
      assert.equal(batch?.labels?.['team'], 'data');
      assert.deepEqual(batch?.pysparkBatch?.jarFileUris, ['gs://jars/mysql.jar']);
    });

    it('finds a cluster by its labels', async () => {
      assert.deepEqual(await run({ cluster: { labels: { env: 'production' } } }), { attempt: 1 });
      dataproc.endpoint.jobs.jobs.clear();
      await assert.rejects(run({ cluster: { labels: { env: 'test' } } }), {
        code: 'ConfigurationInvalid',
      });
    });

    for (const [runOn, look] of [
      [CONNECTION.runOn, 'GetJob'],
      [SERVERLESS, 'GetBatch'],
    ] as const) {
      it(`attaches where only the submission shows that there is one (${look})`, async () => {
        await run(runOn);
        const { endpoint } = dataproc;
        endpoint.forgetRequests();
        const absent = new Refusal(status.NOT_FOUND, 'not yet');
        endpoint.faults.add(look, { kind: 'refused', with: absent });
        assert.deepEqual(await run(runOn), { attempt: 1 });
        assert.deepEqual(await small.written(), [1]);
        assert.equal(endpoint.faults.pending(), 0);
      });
    }

    it('fails a load without credentials, and leaves the worker alive', async () => {
      for (const runOn of [CONNECTION.runOn, SERVERLESS]) {
        const runner = createDataprocRunner({ ...CONNECTION, runOn }, bucketStore('', 'gs'));
        // Each load signs in anew, so that credentials that come later are found.
        await withMissingCredentials(['first.json', 'second.json'], (file) =>
          assert.rejects(runner.run(small.job, createJobWatch()), {
            code: 'AuthenticationFailed',
            message: new RegExp(file),
          }),
        );
        await runner.close();
      }
    });

    it('names the cluster that is not there', async () => {
      await assert.rejects(run({ cluster: { name: 'weekly' } }), {
        code: 'ConfigurationInvalid',
        message: /Cluster weekly — correct connection "spark_platform"/,
      });
    });
  });
});
