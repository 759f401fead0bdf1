import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { checkDataproc } from '../../../src/engines/dataproc/check-dataproc';
import type { DataprocConnection } from '../../../src/pipeline/pipeline';
import { withMissingCredentials } from '../../support/google-credentials';
import {
  startDataprocEndpoint,
  type DataprocEndpoint,
} from '../../support/platform-endpoint/dataproc-server';
import { Refusal } from '../../support/platform-endpoint/faults';
import { runSmallJob } from '../jobs/small-job';

const CLUSTER = { cluster: { name: 'nightly' } };
const LABELS = { cluster: { labels: { env: 'production', kind: 'lake' } } };
const SERVERLESS = { serverless: { ttlMs: 3_600_000, networkTags: [] } };
const EPHEMERAL = {
  ephemeralCluster: {
    ...{ workers: 2, secondaryWorkers: 0, networkTags: [], properties: {} },
    ...{ idleTtlMs: 600_000, maxAgeMs: 86_400_000 },
  },
};

describe('the check of Dataproc', () => {
  let endpoint: DataprocEndpoint;

  beforeEach(async () => {
    endpoint = await startDataprocEndpoint({ buckets: '', run: runSmallJob });
  });
  afterEach(() => endpoint.close());

  const googles = (runOn: DataprocConnection['runOn']): DataprocConnection => ({
    ...{ type: 'dataproc', name: 'platform', project: 'lake-project', region: 'us-central1' },
    ...{ runOn, labels: {}, properties: {}, jars: [] },
  });
  const check = (runOn: DataprocConnection['runOn']) =>
    checkDataproc({ ...googles(runOn), endpoint: endpoint.url });
  const shows = (statusOf: Readonly<Record<string, unknown>>) =>
    endpoint.faults.add('GetCluster', {
      kind: 'answered',
      answer: { clusterName: 'nightly', status: statusOf },
    });

  it('finds a cluster that runs', async () => {
    endpoint.clusters.set('nightly', {});
    assert.deepEqual(await check(CLUSTER), { checked: 'cluster nightly: RUNNING', findings: [] });
  });

  it('misses one that is not there', async () => {
    const { findings } = await check(CLUSTER);
    assert.deepEqual(findings, [
      {
        ...{ severity: 'error', subject: 'connection platform' },
        problem: 'there is no cluster "nightly" in region us-central1 of project lake-project',
        remedy: 'create it, or correct `cluster`, `region` and `project` of the connection',
      },
    ]);
  });

  for (const [shown, severity, problem, remedy] of [
    [
      { state: 'STOPPED' },
      ...(['error', 'takes no jobs: STOPPED'] as const),
      'gcloud dataproc clusters start nightly --region us-central1',
    ],
    [
      { state: 'ERROR', detail: 'the master is gone' },
      ...(['error', 'takes no jobs: ERROR: the master is gone'] as const),
      'gcloud dataproc clusters describe nightly --region us-central1',
    ],
    [
      { state: 'CREATING' },
      ...(['warning', 'takes no jobs yet: CREATING', 'wait until it runs'] as const),
    ],
    [
      { state: 'RUNNING', substate: 'UNHEALTHY' },
      ...(['warning', 'the cluster says UNHEALTHY'] as const),
      'gcloud dataproc clusters diagnose nightly --region us-central1',
    ],
  ] as const) {
    it(`tells of a cluster that ${problem}`, async () => {
      shows(shown);
      const { findings } = await check(CLUSTER);
      assert.deepEqual(findings, [{ severity, subject: 'connection platform', problem, remedy }]);
    });
  }

  it('finds a cluster by its labels, all of them', async () => {
    endpoint.clusters.set('weekly', { env: 'production', kind: 'report' });
    const { findings } = await check(LABELS);
    assert.deepEqual(
      findings.map(({ severity, problem }) => [severity, problem]),
      [['warning', 'no cluster of region us-central1 has these labels at present']],
    );
    endpoint.clusters.set('nightly', { env: 'production', kind: 'lake' });
    assert.deepEqual(await check(LABELS), { checked: 'cluster nightly: RUNNING', findings: [] });
  });

  for (const [what, runOn, method] of [
    ['batches', SERVERLESS, 'CreateBatch'],
    ['jobs', CLUSTER, 'SubmitJob'],
    ['clusters', EPHEMERAL, 'CreateCluster'],
  ] as const) {
    it(`tells that the right to make ${what} is missing`, async () => {
      endpoint.clusters.set('nightly', {});
      const denied = new Refusal(status.PERMISSION_DENIED, `no right for ${method}`);
      endpoint.faults.add(method, { kind: 'refused', with: denied });
      await assert.rejects(check(runOn), {
        code: 'PermissionDenied',
        message: new RegExp(`no right for ${method} — grant the worker’s account`),
      });
    });
  }

  it('makes nothing', async () => {
    endpoint.clusters.set('nightly', {});
    for (const runOn of [CLUSTER, SERVERLESS, EPHEMERAL]) {
      assert.deepEqual((await check(runOn)).findings, []);
    }
    assert.deepEqual(
      [endpoint.jobs.jobs.size, endpoint.batches.jobs.size, endpoint.made.made.length],
      [0, 0, 0],
    );
  });

  it('tells that nobody answers, and that nobody has signed in', async () => {
    await withMissingCredentials(['absent.json'], (file) =>
      assert.rejects(checkDataproc(googles(SERVERLESS)), {
        code: 'AuthenticationFailed',
        message: new RegExp(file),
      }),
    );
    await endpoint.line.refuse();
    await assert.rejects(check(SERVERLESS), { code: 'ConnectionFailed' });
    await endpoint.line.heal();
  });
});
