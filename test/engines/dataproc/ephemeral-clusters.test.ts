import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import {
  createDataprocRunner,
  openEphemeralClusters,
} from '../../../src/engines/dataproc/dataproc-runner';
import { clusterConfig } from '../../../src/engines/dataproc/ephemeral-clusters';
import { clusterName } from '../../../src/engines/dataproc/names';
import { Patience } from '../../../src/engines/jobs/patience';
import type { JobRunner } from '../../../src/engines/spark/job-runner';
import type { DataprocConnection, EphemeralCluster } from '../../../src/pipeline/pipeline';
import { eventually } from '../../support/eventually';
import { bucketStore } from '../../support/platform-endpoint/bucket-store';
import {
  startDataprocEndpoint,
  type DataprocEndpoint,
} from '../../support/platform-endpoint/dataproc-server';
import { Refusal } from '../../support/platform-endpoint/faults';
import { createSmallJob, runSmallJob, type SmallJob } from '../jobs/small-job';
import { createShortClock } from '../jobs/short-clock';
import { Cancelled, createJobWatch, Shutdown } from '../jobs/watch';

const SETTINGS: EphemeralCluster = {
  ...{ workers: 2, secondaryWorkers: 0, networkTags: [], properties: {} },
  ...{ idleTtlMs: 600_000, maxAgeMs: 86_400_000 },
};

/** Calls to a server on this machine answer at once, or not at all. */
const TIMES_FASTER = 2_000;

const BATCH = { pipeline: 'sales', batch: '20261121T131937424Z' };

describe('clusters that are made for a batch', () => {
  let buckets: string;
  let endpoint: DataprocEndpoint;
  let connection: DataprocConnection;
  let jobs: SmallJob[];
  let runners: JobRunner[];

  beforeEach(async () => {
    buckets = await mkdtemp(join(tmpdir(), 'comporta-buckets-'));
    endpoint = await startDataprocEndpoint({ buckets, run: runSmallJob });
    connection = {
      ...{ type: 'dataproc', name: 'nightly', project: 'lake-project', region: 'us-central1' },
      ...{ runOn: { ephemeralCluster: SETTINGS }, endpoint: endpoint.url },
      ...{ labels: { team: 'data' }, properties: {}, jars: [] },
    };
    jobs = [];
    runners = [];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.close()));
    await endpoint.close();
    await Promise.all(jobs.map((job) => job.remove()));
    await rm(buckets, { recursive: true, force: true });
  });

  const newJob = async (id: string) => {
    const job = await createSmallJob(id);
    jobs.push(job);
    return job;
  };
  /** A load on a worker of its own. */
  const load = ({ job }: SmallJob, watch = createJobWatch()) => {
    const { pause } = createShortClock(TIMES_FASTER);
    const runner = createDataprocRunner(connection, bucketStore(buckets, 'gs'), { pause });
    runners.push(runner);
    return runner.run(job, watch);
  };
  /** What the batch's workflow asks for at its end. */
  const end = async () => {
    const clusters = openEphemeralClusters(connection, SETTINGS);
    const states: string[] = [];
    const report = (state: string) => void states.push(state);
    await clusters.remove(
      BATCH,
      new Patience(createShortClock(TIMES_FASTER).pause, undefined, report),
    );
    await clusters.close();
    return states;
  };
  /** How many were ever made, and how many are there. */
  const counts = () => [endpoint.made.made.length, endpoint.made.present.size];
  const refused = (code: number, message: string) =>
    ({ kind: 'refused', with: new Refusal(code, message) }) as const;

  it('make one for all loads of the batch, and leave none', async () => {
    const all = await Promise.all(['load-a', 'load-b', 'load-c'].map(newJob));
    const watch = createJobWatch();
    await Promise.all(all.map((job) => load(job, watch)));
    assert.deepEqual(counts(), [1, 1]);
    const name = clusterName('nightly', BATCH);
    for (const { job } of endpoint.submittedJobs.values()) {
      assert.equal(job?.placement?.clusterName, name);
    }
    assert.equal(endpoint.submittedJobs.size, 3);
    assert.ok(watch.progress.some(({ state }) => state === `cluster ${name}: CREATING`));
    const states = await end();
    assert.ok(states.includes(`cluster ${name}: DELETING`), states.join());
    assert.deepEqual(counts(), [1, 0]);
  });

  it('say on the cluster what it is for, and when it deletes itself', async () => {
    await load(await newJob('load-a'));
    const { name, wanted } = endpoint.made.made[0]!;
    assert.match(name, /^comporta-sales-[0-9a-f]{16}$/);
    assert.deepEqual(wanted.labels, {
      ...{ pipeline: 'sales', batch: '20261121t131937424z' },
      ...{ 'made-by': 'comporta', team: 'data' },
    });
    const { lifecycleConfig, workerConfig, gceClusterConfig } = wanted.config!;
    assert.equal(Number(lifecycleConfig?.idleDeleteTtl?.seconds), 600);
    assert.equal(Number(lifecycleConfig?.autoDeleteTtl?.seconds), 86_400);
    assert.equal(workerConfig?.numInstances, 2);
    assert.match(gceClusterConfig?.serviceAccountScopes?.[0] ?? '', /cloud-platform$/);
  });

  it('are found again when the answer to their creation is lost', async () => {
    endpoint.faults.add('CreateCluster', { kind: 'answer lost' });
    await load(await newJob('load-a'));
    assert.deepEqual(counts(), [1, 1]);
    await end();
    assert.deepEqual(counts(), [1, 0]);
  });

  it('wait for a quota that frees itself', async () => {
    const quota = refused(status.INVALID_ARGUMENT, "Insufficient 'CPUS' quota. Requested 12.0");
    endpoint.faults.add('CreateCluster', quota, 3);
    const watch = createJobWatch();
    await load(await newJob('load-a'), watch);
    assert.ok(watch.progress.some(({ state }) => /^quota: .*CPUS/.test(state)));
    assert.deepEqual(counts(), [1, 1]);
  });

  it('fail the load for a quota that does not, and leave none', async () => {
    const quota = refused(status.RESOURCE_EXHAUSTED, 'Quota exceeded');
    endpoint.faults.add('CreateCluster', quota, 200);
    await assert.rejects(load(await newJob('load-a')), {
      code: 'EngineFailed',
      message: /cannot create cluster comporta-sales-\w+: .*Quota exceeded — ask for more quota/,
    });
    assert.deepEqual(counts(), [0, 0]);
  });

  it('are deleted when they come up broken; the next attempt makes another', async () => {
    endpoint.made.failNext("The zone does not have enough resources available to fulfil 'n2'");
    const job = await newJob('load-a');
    await assert.rejects(load(job), {
      code: 'EngineFailed',
      message: /Dataproc cluster comporta-.* ended as ERROR: The zone .* try another zone/,
    });
    assert.equal([...endpoint.made.present.values()][0]?.state, 'DELETING');
    await load(job);
    assert.deepEqual(counts(), [2, 1]);
    await end();
    assert.deepEqual(counts(), [2, 0]);
  });

  it('are not deleted in the place of an older one that was broken', async () => {
    endpoint.made.failNext('the master did not come up');
    const job = await newJob('load-a');
    // The deletion of the broken one is on its way while another worker has made a new one.
    const deletion = endpoint.faults.hold('DeleteCluster');
    const first = assert.rejects(load(job), { code: 'EngineFailed' });
    await deletion.arrived;
    endpoint.made.present.clear();
    await load(job);
    deletion.release();
    await first;
    assert.deepEqual(counts(), [2, 1]);
    assert.equal([...endpoint.made.present.values()][0]?.state, 'RUNNING');
  });

  it('are attached to by a worker that comes after one that died', async () => {
    endpoint.made.hold();
    const job = await newJob('load-a');
    const watch = createJobWatch();
    const dead = assert.rejects(load(job, watch));
    await eventually(() => assert.deepEqual(counts(), [1, 1]));
    watch.abort(new Shutdown());
    await dead;
    endpoint.made.proceed();
    await load(job);
    assert.deepEqual(counts(), [1, 1]);
  });

  it('are gone at the end of a batch that was cancelled while they came up', async () => {
    endpoint.made.hold();
    const watch = createJobWatch();
    const cancelled = assert.rejects(load(await newJob('load-a'), watch), Cancelled);
    await eventually(() => assert.deepEqual(counts(), [1, 1]));
    watch.abort(new Cancelled());
    await cancelled;
    endpoint.made.proceed();
    await end();
    assert.deepEqual(counts(), [1, 0]);
    assert.equal(endpoint.submittedJobs.size, 0);
  });

  it('delete themselves when nobody else does', async () => {
    await load(await newJob('load-a'));
    endpoint.made.passIdle(599);
    assert.deepEqual(counts(), [1, 1]);
    endpoint.made.passIdle(600);
    assert.deepEqual(counts(), [1, 0]);
  });

  it('are made again for a load that comes when they are gone', async () => {
    const job = await newJob('load-a');
    await job.breakDown();
    assert.equal((await load(job)).failure?.code, 'EngineFailed');
    await end();
    await job.repair();
    assert.deepEqual(await load(job), { attempt: 2 });
    assert.deepEqual(counts(), [2, 1]);
  });

  it('are made again when they went between the look and the submission', async () => {
    const job = await newJob('load-a');
    const gone = refused(status.NOT_FOUND, 'Not found: Cluster');
    endpoint.faults.add('SubmitJob', gone);
    await assert.rejects(load(job), {
      code: 'EngineFailed',
      message: /was deleted before the job/,
    });
    assert.deepEqual(await load(job), { attempt: 1 });
  });

  it('fail the load when they are gone before they have come up', async () => {
    endpoint.made.hold();
    const watch = createJobWatch();
    const failed = assert.rejects(load(await newJob('load-a'), watch), {
      code: 'EngineFailed',
      message: /was deleted while it began/,
    });
    await eventually(() => assert.ok(watch.progress.some(({ state }) => /CREATING/.test(state))));
    endpoint.made.present.clear();
    await failed;
    assert.deepEqual(counts(), [1, 0]);
  });

  it('end the jobs on them when they are deleted', async () => {
    const job = await newJob('load-a');
    await job.hold();
    const ended = load(job);
    await eventually(() => assert.equal(endpoint.jobs.active()[0]?.state, 'RUNNING'));
    await end();
    assert.match((await ended).failure?.message ?? '', /Cluster was deleted/);
    assert.deepEqual(counts(), [1, 0]);
  });

  for (const fault of [
    { kind: 'answer lost' },
    refused(status.UNAVAILABLE, 'try again'),
    refused(status.RESOURCE_EXHAUSTED, 'Quota exceeded for deletions'),
  ] as const) {
    it(`are deleted although a call fails (${'with' in fault ? fault.with.message : fault.kind})`, async () => {
      await load(await newJob('load-a'));
      endpoint.faults.add('DeleteCluster', fault);
      await end();
      assert.deepEqual(counts(), [1, 0]);
      assert.equal(endpoint.faults.pending(), 0);
    });
  }

  it('may already be gone at the end', async () => {
    assert.deepEqual(await end(), []);
  });

  it('name the right that is missing', async () => {
    const denied = refused(status.PERMISSION_DENIED, "'dataproc.clusters.create' denied");
    endpoint.faults.add('CreateCluster', denied);
    await assert.rejects(load(await newJob('load-a')), {
      code: 'PermissionDenied',
      message: /dataproc\.clusters\.create/,
    });
  });

  it('have what their settings say, and nothing that is left to Dataproc', () => {
    assert.deepEqual(clusterConfig({ ...SETTINGS, workers: 0 }), {
      masterConfig: { numInstances: 1 },
      gceClusterConfig: {
        serviceAccountScopes: ['https://www.googleapis.com/auth/cloud-platform'],
        tags: [],
      },
      softwareConfig: { properties: { 'dataproc:dataproc.allow.zero.workers': 'true' } },
      lifecycleConfig: { idleDeleteTtl: { seconds: 600 }, autoDeleteTtl: { seconds: 86_400 } },
    });
    assert.deepEqual(
      clusterConfig({
        ...SETTINGS,
        ...{ imageVersion: '2.2-debian12', masterMachineType: 'n2-standard-4', diskGb: 200 },
        ...{ workerMachineType: 'n2-highmem-8', workers: 3, secondaryWorkers: 4 },
        ...{ zone: 'us-central1-b', subnetwork: 'lake', networkTags: ['db'], kmsKey: 'key' },
        ...{ serviceAccount: 'a@p.iam', internalIpOnly: true, autoscalingPolicy: 'policy' },
        ...{ stagingBucket: 'b', properties: { 'spark:spark.ui.enabled': 'false' } },
      }),
      {
        masterConfig: {
          ...{ numInstances: 1, machineTypeUri: 'n2-standard-4' },
          diskConfig: { bootDiskSizeGb: 200 },
        },
        workerConfig: {
          ...{ numInstances: 3, machineTypeUri: 'n2-highmem-8' },
          diskConfig: { bootDiskSizeGb: 200 },
        },
        secondaryWorkerConfig: {
          ...{ numInstances: 4, preemptibility: 'SPOT' },
          diskConfig: { bootDiskSizeGb: 200 },
        },
        gceClusterConfig: {
          serviceAccountScopes: ['https://www.googleapis.com/auth/cloud-platform'],
          ...{ tags: ['db'], zoneUri: 'us-central1-b', subnetworkUri: 'lake' },
          ...{ serviceAccount: 'a@p.iam', internalIpOnly: true },
        },
        softwareConfig: {
          properties: { 'spark:spark.ui.enabled': 'false' },
          imageVersion: '2.2-debian12',
        },
        lifecycleConfig: { idleDeleteTtl: { seconds: 600 }, autoDeleteTtl: { seconds: 86_400 } },
        configBucket: 'b',
        autoscalingConfig: { policyUri: 'policy' },
        encryptionConfig: { gcePdKmsKeyName: 'key' },
      },
    );
  });
});
