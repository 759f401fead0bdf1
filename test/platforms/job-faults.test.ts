import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { status } from '@grpc/grpc-js';
import { entityOf } from '../../src/pipeline/entity';
import { eventually } from '../support/eventually';
import { startHandOver, type HandOver } from '../support/hand-over';
import { readCurrent } from '../support/lake';
import {
  startDataprocEndpoint,
  type DataprocEndpoint,
} from '../support/platform-endpoint/dataproc-server';
import { Refusal } from '../support/platform-endpoint/faults';
import { startGlueEndpoint, type GlueEndpoint } from '../support/platform-endpoint/glue-server';
import type { BookedJob } from '../support/platform-endpoint/job-book';
import {
  allFiles,
  pendingLoad,
  ROWS,
  startProcessWorld,
  type Load,
  type ProcessWorld,
} from '../support/process-world';
import { residentSpark } from '../support/resident-spark';
import type { WorkerProcess } from '../support/worker-process';

/**
 * What goes wrong around a load's job, with a worker in a process of its own and the real job: after
 * each fault no job more than needed, the right table, one record of success.
 */
describe('a load by a job', function () {
  this.timeout(180_000);

  let folder: string | undefined;
  let handOver: HandOver;
  let dataproc: DataprocEndpoint;
  let glue: GlueEndpoint;
  let world: ProcessWorld;
  let worker: WorkerProcess;

  before(async function () {
    const spark = await residentSpark(this, { READER_PASSWORD: 'reader-password' });
    folder = await mkdtemp(join(tmpdir(), 'comporta-job-faults-'));
    handOver = await startHandOver(spark);
    const outputs = pathToFileURL(join(folder, 'output')).href;
    const options = { buckets: folder, outputs, run: handOver.run };
    dataproc = await startDataprocEndpoint(options);
    dataproc.clusters.set('nightly', {});
    glue = await startGlueEndpoint(options);
    glue.jobs.set('ingest', { maxConcurrentRuns: 4 });
    world = await startProcessWorld({
      connections: `
  google: { type: dataproc, project: p, region: us-central1, cluster: nightly, endpoint: "${dataproc.url}" }
  amazon: { type: glue, region: us-east-1, job: ingest, endpoint: "${glue.url}", accessKeyId: env:AWS_KEY, secretAccessKey: env:AWS_SECRET }
`,
      // The folder for temporary files is where the engine spark notes what became of its jobs.
      environment: { AWS_KEY: 'key', AWS_SECRET: 'secret', TMPDIR: folder },
      pipelines: {
        cluster: { destination: 'lake', engine: 'dataproc', platform: 'google' },
        run: { destination: 'lake', engine: 'glue', platform: 'amazon' },
        machine: { destination: 'lake', engine: 'spark' },
      },
    });
    worker = await startWorker();
  });
  afterEach(() => world?.gate.open());
  after(async () => {
    // Nothing is there where there is no Spark.
    if (folder === undefined) return;
    await world?.close();
    await dataproc?.close();
    await glue?.close();
    await handOver?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const startWorker = () =>
    world.startWorker(['control', 'dataproc', 'glue', 'spark'], {}, [
      '--spark-submit',
      handOver.submit,
    ]);

  const clusterJobs = () => [...dataproc.jobs.jobs.values()];
  const glueRuns = () => [...glue.runs.jobs.values()];
  /** Of the engine spark: the tries that have begun, by what they note of their process. */
  const localTries = async () => {
    const notes = join(folder ?? '', `comporta-${userInfo().uid}`, 'spark');
    const files = await allFiles(notes).catch(() => []);
    return files.filter((path) => path.endsWith('/pid'));
  };
  /** The newest job of a cluster, once there are so many and it runs. */
  const runningJob = async (jobs: number): Promise<BookedJob> => {
    await eventually(() => {
      assert.equal(clusterJobs().length, jobs);
      assert.equal(clusterJobs().at(-1)?.state, 'RUNNING');
    });
    return clusterJobs().at(-1)!;
  };
  const begin = async (pipeline: string) => {
    const table = await world.createTable();
    return { table, pipeline, load: await world.begin(table, 'batch', pipeline) };
  };
  const shows = (load: Load, state: RegExp) =>
    eventually(async () => {
      const { progress } = await pendingLoad(load);
      assert.match(progress?.job?.state ?? '', state);
    });

  /** A load whose job has ended while its worker's look at it waits at the platform. */
  const endedUnseen = async () => {
    const jobs = clusterJobs().length;
    await world.gate.close();
    const load = await begin('cluster');
    const job = await runningJob(jobs + 1);
    const look = dataproc.faults.hold('GetJob');
    await look.arrived;
    await world.gate.open();
    // The first job of all takes longest: Spark compiles what it runs.
    await eventually(() => assert.equal(job.state, 'DONE'), 60_000);
    return { ...load, look };
  };

  /** What must hold after every fault, when the load is done. */
  async function assertSound({ table, pipeline, load }: Awaited<ReturnType<typeof begin>>) {
    const { run, rows } = await load.result();
    assert.equal(rows, ROWS);
    const entity = entityOf(table, 'postgres');
    assert.deepEqual(
      await readCurrent(
        world.lake,
        pipeline,
        entity,
        'count(*)::int, count(DISTINCT id)::int, sum(v)::int',
      ),
      [[ROWS, ROWS, ROWS]],
    );
    const events = await (await world.history()).events({ pipeline, table });
    const ended = events.filter(({ kind }) => kind !== 'STARTED');
    assert.deepEqual(
      ended.map((event) => [event.kind, event.run, event.rowsAtSource, event.rowsPublished]),
      [['SUCCEEDED', run, ROWS, ROWS]],
    );
    assert.deepEqual(
      (await allFiles(world.lake)).filter((path) =>
        path.startsWith(`_staging/${pipeline}/${entity}/`),
      ),
      [],
    );
  }

  it('goes on when its worker was killed: with a job whose submission nobody heard of, that runs, that has ended', async () => {
    const known = clusterJobs().length;
    const { look, ...ended } = await endedUnseen();

    await world.gate.close();
    const running = await begin('cluster');
    await world.gate.reachedBy(1);
    const submission = dataproc.faults.holdAnswer('SubmitJob');
    const submitted = await begin('cluster');
    const start = glue.faults.holdAnswer('StartJobRun');
    const started = await begin('run');
    const local = await begin('machine');
    await Promise.all([submission.arrived, start.arrived]);
    await eventually(async () => assert.equal((await localTries()).length, 1));

    await worker.kill9();
    for (const held of [look, submission, start]) held.release();
    worker = await startWorker();
    await shows(running.load, /RUNNING/);
    await world.gate.open();
    for (const one of [ended, running, submitted, started, local]) await assertSound(one);
    assert.deepEqual(
      clusterJobs()
        .slice(known)
        .map(({ state }) => state),
      ['DONE', 'DONE', 'DONE'],
    );
    assert.deepEqual(
      glueRuns().map(({ state }) => state),
      ['SUCCEEDED'],
    );
    assert.equal((await localTries()).length, 1);
  });

  it('runs one more when the result of a job that has ended is missing', async () => {
    const known = clusterJobs().length;
    const { look, ...lost } = await endedUnseen();
    const results = (await allFiles(world.lake)).filter((path) => path.endsWith('/result.json'));
    assert.equal(results.length, 1);
    await rm(join(world.lake, results[0]!));
    look.release();
    await assertSound(lost);
    assert.equal(clusterJobs().length, known + 2);
  });

  it('runs another when its job was killed from outside', async () => {
    const known = clusterJobs().length;
    await world.gate.close();
    const killed = await begin('cluster');
    await world.gate.reachedBy(1);
    await dataproc.jobs.kill((await runningJob(known + 1)).id);
    await eventually(async () =>
      assert.match((await pendingLoad(killed.load)).lastFailure, /ended as ERROR/),
    );
    await world.gate.open();
    await assertSound(killed);
    assert.deepEqual(
      clusterJobs()
        .slice(known)
        .map(({ state }) => state),
      ['ERROR', 'DONE'],
    );
  });

  it('waits where there is no quota, and while the platform is away', async () => {
    const known = clusterJobs().length;
    const quota = new Refusal(status.RESOURCE_EXHAUSTED, 'Quota exceeded');
    // Twice, so that it is seen: a heartbeat is sent once a second.
    dataproc.faults.add('SubmitJob', { kind: 'refused', with: quota }, 2);
    await world.gate.close();
    const waiting = await begin('cluster');
    await shows(waiting.load, /^quota: /);
    await world.gate.reachedBy(1);
    await dataproc.line.refuse();
    await shows(waiting.load, /^unavailable: /);
    await world.gate.open();
    await eventually(() => assert.equal(clusterJobs().at(-1)?.state, 'DONE'));
    await dataproc.line.heal();
    await assertSound(waiting);
    assert.equal((await pendingLoad(waiting.load)).attempt, 0);
    assert.equal(clusterJobs().length, known + 1);
  });
});
