import assert from 'node:assert/strict';
import { checkGlueConnection } from '../../../src/engines/glue/glue-runner';
import type { GlueConnection } from '../../../src/pipeline/pipeline';
import { Refusal } from '../../support/platform-endpoint/faults';
import { startGlueEndpoint, type GlueEndpoint } from '../../support/platform-endpoint/glue-server';
import { runSmallJob } from '../jobs/small-job';

const GOOD = {
  ...{ Command: { Name: 'glueetl' }, GlueVersion: '5.0', MaxRetries: 0 },
  ...{ WorkerType: 'G.1X', NumberOfWorkers: 4 },
  DefaultArguments: { '--extra-jars': 's3://b/mysql.jar' },
};

describe('the check of Glue', () => {
  let endpoint: GlueEndpoint;
  let connection: GlueConnection;

  beforeEach(async () => {
    endpoint = await startGlueEndpoint({ buckets: '', run: runSmallJob });
    connection = {
      ...{ type: 'glue', name: 'runs', region: 'sa-east-1', job: 'ingest', timeoutMs: 60_000 },
      ...{ arguments: {}, endpoint: endpoint.url },
      accessKeyId: { from: 'env', name: 'KEY' },
      secretAccessKey: { from: 'env', name: 'SECRET' },
    };
  });
  afterEach(() => endpoint.close());

  const secrets = { read: () => Promise.resolve('x') };
  const check = (concurrency = 8) => checkGlueConnection(connection, secrets, concurrency);
  const problems = async (described: Readonly<Record<string, unknown>>, concurrency?: number) => {
    endpoint.jobs.set('ingest', { maxConcurrentRuns: 8, described: { ...GOOD, ...described } });
    const { findings } = await check(concurrency);
    return findings.map(({ severity, problem }) => `${severity}: ${problem}`);
  };

  it('finds a job as runs need it', async () => {
    endpoint.jobs.set('ingest', { maxConcurrentRuns: 8, described: GOOD });
    assert.deepEqual(await check(), {
      checked: 'job ingest: Glue 5.0, 4 × G.1X, 8 runs at once',
      findings: [],
    });
  });

  it('misses one that is not there', async () => {
    const { findings } = await check();
    assert.deepEqual(findings, [
      {
        ...{ severity: 'error', subject: 'connection runs' },
        problem: 'there is no Glue job "ingest" in region sa-east-1',
        remedy: 'create it, or correct `job` and `region` of the connection',
      },
    ]);
  });

  it('tells what is wrong with a job', async () => {
    assert.deepEqual(await problems({ Command: { Name: 'pythonshell' } }), [
      'error: the job is of type pythonshell',
    ]);
    assert.deepEqual(await problems({ GlueVersion: '4.0' }), [
      'error: the job is of Glue version 4.0',
    ]);
    assert.deepEqual(await problems({ MaxRetries: 2 }), [
      'error: Glue itself starts a failed run again (MaxRetries 2)',
    ]);
    assert.deepEqual(await problems({}, 20), [
      'warning: the job has at most 8 runs at once, the pipeline wants 20 loads',
    ]);
    assert.deepEqual(await problems({ WorkerType: undefined }), [
      'warning: neither the job nor the connection says which workers, and how many',
    ]);
    assert.deepEqual(await problems({ DefaultArguments: {} }), [
      'warning: no JDBC driver is named, neither by the job nor by the connection',
    ]);
  });

  it('knows what the connection says itself', async () => {
    connection = {
      ...connection,
      ...{ workerType: 'G.2X', workers: 2, arguments: { '--extra-jars': 's3://b/pg.jar' } },
    };
    const described = { WorkerType: undefined, NumberOfWorkers: undefined, DefaultArguments: {} };
    assert.deepEqual(await problems(described), []);
    assert.match((await check()).checked, /2 × G\.2X/);
  });

  it('names the right that is missing, and a service that is away', async () => {
    const denied = new Refusal('AccessDeniedException', 'not authorized to perform: glue:GetJob');
    endpoint.faults.add('GetJob', { kind: 'refused', with: denied });
    await assert.rejects(check(), { code: 'PermissionDenied', message: /glue:GetJob/ });
    await endpoint.line.refuse();
    await assert.rejects(check(), { code: 'ConnectionFailed' });
    await endpoint.line.heal();
  });
});
