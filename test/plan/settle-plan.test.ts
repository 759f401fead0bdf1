import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Destination } from '../../src/destinations/destination';
import { openDestination } from '../../src/endpoints';
import type { Plan } from '../../src/plan/plan';
import { settlePlan } from '../../src/plan/settle-plan';
import { createSecretStore } from '../../src/secrets/secret-stores';

const RUN = { pipeline: 'shop', batch: 'night', workflowRun: 'run-1' };

const planned = (...tables: string[]): Plan => ({
  ...{ pipeline: 'shop', batch: 'night', plannedAt: '2026-11-22T03:00:00.000Z' },
  ...{ source: 'mysql:shop', destination: 'file:/lake', concurrency: 8, warnings: [], skips: [] },
  loads: tables.map((table) => ({
    table,
    mode: 'full',
    decision: { verdict: 'changed', reason: 'the test says so' },
    load: { taskQueue: 'comporta-embedded', timeoutMs: 1000, maximumAttempts: 3 },
  })),
});

describe('the plan of a batch', () => {
  let folder: string;
  let lake: Destination;
  const settle = async (run: typeof RUN, make: () => Promise<Plan>) => {
    const { plan, path } = await settlePlan(lake, run, make);
    return { path, tables: plan.loads.map(({ table }) => table) };
  };
  const make =
    (...tables: string[]) =>
    () =>
      Promise.resolve(planned(...tables));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-settle-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    const path = await mkdtemp(join(folder, 'lake-'));
    lake = openDestination(
      {
        connection: { name: 'lake', type: 'file', path },
        settings: { compression: 'zstd', zstdLevel: 1 },
      },
      createSecretStore({}),
    );
  });
  afterEach(() => lake.close());

  it('is not changed by an attempt that was frozen while it planned', async () => {
    let thaw: (plan: Plan) => void = () => undefined;
    let asked: () => void = () => undefined;
    const planning = new Promise<void>((resolve) => (asked = resolve));
    const frozen = settle(RUN, () => {
      asked();
      return new Promise((resolve) => (thaw = resolve));
    });
    await planning;
    const successor = await settle(RUN, make('orders'));
    thaw(planned('orders', 'customers'));
    assert.deepEqual(await frozen, successor);
    assert.deepEqual(successor, { path: '_plans/shop/night.json', tables: ['orders'] });
    assert.deepEqual(await lake.getDocument('_plans/shop/night.json'), {
      ...planned('orders'),
      workflowRun: 'run-1',
    });
  });

  it('is taken as it is by the attempt after one that was lost', async () => {
    const first = await settle(RUN, make('orders'));
    const again = await settle(RUN, () => Promise.reject(new Error('planned twice')));
    assert.deepEqual(again, first);
  });

  it('lies beside that of an earlier run of the same batch', async () => {
    const first = await settle(RUN, make('orders'));
    const second = await settle({ ...RUN, workflowRun: 'run-2' }, make('customers'));
    assert.deepEqual(second, { path: '_plans/shop/night-run-2.json', tables: ['customers'] });
    assert.deepEqual(await settle({ ...RUN, workflowRun: 'run-2' }, make('none')), second);
    assert.deepEqual(await settle(RUN, make('none')), first);
  });
});
