import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import type { ControllerInput } from '../../src/workflows/api';
import { connectClient, loadTemporalOptions } from '../../src/temporal/connection';
import { createMemoryHistory } from '../support/memory-history';
import { eventually } from '../support/eventually';
import { failure, fakeActivities, type FakePlan } from '../support/fake-activities';
import { sharedTemporal, uniqueName } from '../support/servers';
import { startWorkflowWorld, type WorkflowWorld } from '../support/workflow-worker';
import { succeeded, withBench, type Bench, type BenchOptions } from '../client/command-bench';

const UI = 'http://ui.example';

interface TriggerBench extends Bench {
  readonly world: WorkflowWorld;
  readonly batch: string;
  /** Triggers the pipeline sales under this test's batch. */
  readonly trigger: (...more: string[]) => ReturnType<Bench['run']>;
}

/** Real workflows over fake activities, and commands that talk to them. */
async function withTrigger(
  plan: FakePlan,
  body: (bench: TriggerBench) => Promise<void>,
  options: BenchOptions & { readonly planning?: Error } = {},
): Promise<void> {
  const { activities } = fakeActivities(plan);
  const { planning } = options;
  const world = await startWorkflowWorld({
    ...activities,
    ...(planning === undefined ? {} : { planLoad: () => Promise.reject(planning) }),
  });
  const { address } = await sharedTemporal();
  const openClient = () =>
    connectClient(
      loadTemporalOptions({ TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: '/no/such/file' }),
    );
  const environment = { TEMPORAL_UI_ADDRESS: UI };
  const batch = uniqueName('batch');
  try {
    await withBench({ openClient, environment, now: () => new Date(), ...options }, (bench) =>
      body({
        ...bench,
        world,
        batch,
        trigger: (...more) => bench.run('trigger', 'sales', '--batch', batch, ...more),
      }),
    );
  } finally {
    await world.close();
  }
}

/** A load that lasts until the test lets it end. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => undefined as void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

function encoded(batch: string): string {
  return `${UI}/namespaces/default/workflows/controller%2Fsales%2F${batch}`;
}

describe('trigger, on real workflows', function () {
  this.timeout(120_000);

  it('starts the controller with what was asked for, and prints id and link', async () => {
    await withTrigger({ tables: ['orders'] }, async ({ trigger, world, batch }) => {
      assert.deepEqual(await trigger('orders', '--force', '--failed-of', 'b0'), {
        code: 0,
        stdout: `started controller/sales/${batch}\n${encoded(batch)}\n`,
        stderr: '',
      });
      const handle = world.client.workflow.getHandle(`controller/sales/${batch}`);
      await handle.result();
      const { events } = await handle.fetchHistory();
      const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      assert.deepEqual(JSON.parse(Buffer.from(input?.data ?? []).toString()) as ControllerInput, {
        pipeline: 'sales',
        batch,
        tables: ['orders'],
        force: true,
        failedOf: 'b0',
      });
    });
  });

  it('--wait ends with the outcome of each table', async () => {
    const history = createMemoryHistory();
    const bench = { history };
    await withTrigger(
      { tables: ['orders'] },
      async ({ trigger, batch }) => {
        await history.append([succeeded('orders', { batch, verdict: 'changed', reason: 'a → b' })]);
        const { code, stdout, stderr } = await trigger('--wait');
        assert.equal(code, 0, stderr);
        assert.equal(stderr, `started controller/sales/${batch}\n${encoded(batch)}\n`);
        assert.deepEqual(stdout.replace(/in [\d.]+ s/, 'in T').split('\n'), [
          'table   outcome   rows     size   took  why',
          'orders  loaded   1,234  45.6 kB  1.5 s  changed: a → b',
          '',
          `sales ${batch}  1 loaded, 0 unchanged; 0 rows, 0 B in T`,
          '',
        ]);
      },
      bench,
    );
  });

  it('--wait answers 1 and names the tables that failed', async () => {
    const load: FakePlan['load'] = ({ table }) => {
      if (table === 'customers') throw failure('PermissionDenied', 'no right');
    };
    await withTrigger({ tables: ['orders', 'customers'], load }, async ({ trigger, batch }) => {
      const { code, stdout, stderr } = await trigger('--wait', '--json');
      assert.equal(code, 1, stderr);
      const document = JSON.parse(stdout) as Record<string, unknown>;
      assert.equal(document['workflowId'], `controller/sales/${batch}`);
      assert.equal(document['link'], encoded(batch));
      const { failed, failures } = document['summary'] as { failed: number; failures: unknown };
      assert.equal(failed, 1);
      assert.deepEqual(failures, [{ table: 'customers', error: 'failed in the test' }]);
    });
  });

  for (const wait of [[], ['--wait']]) {
    it(`a table that the plan does not know ends ${wait.join('') || 'the command'} at once`, async () => {
      const planning = failure(
        'TableNotFound',
        'sales: no table "ordres" — did you mean "orders"?',
      );
      await withTrigger(
        { tables: [] },
        async ({ trigger }) => {
          const { code, stderr } = await trigger('ordres', ...wait);
          assert.equal(code, 2);
          assert.match(stderr, /^sales: no table "ordres" — did you mean "orders"\?$/m);
        },
        { planning },
      );
    });
  }

  it('shows on a terminal what each load is doing, and takes it away at the end', async () => {
    const { opened, open } = gate();
    const load: FakePlan['load'] = async ({ table }) => {
      if (table !== 'orders') return;
      const context = Context.current();
      context.heartbeat({ phase: 'reading', rows: 123_456, rowsExpected: 500_000, bytes: 7_000 });
      await opened;
    };
    await withTrigger(
      { tables: ['orders', 'customers'], load },
      async ({ trigger, world, batch }) => {
        const running = trigger('--wait');
        const child = world.client.workflow.getHandle(`ingest/sales/orders/${batch}`);
        await eventually(async () => {
          const { raw } = await child.describe();
          assert(raw.pendingActivities?.[0]?.heartbeatDetails);
        });
        // Two frames, so that at least one began after the heartbeat had arrived.
        setTimeout(open, 1_500);
        const { code, stderr } = await running;
        assert.equal(code, 0, stderr);
        assert.match(stderr, /loading {2}1 of 2 loaded/);
        assert.match(stderr, /orders {2}reading {2}123,456 {3}500,000/);
        assert(stderr.endsWith('\x1b[0J'), 'the view is cleared');
      },
      { columns: 100 },
    );
  });

  it('shows why an attempt is repeated', async () => {
    const { opened, open } = gate();
    let attempts = 0;
    const load: FakePlan['load'] = async () => {
      attempts += 1;
      if (attempts === 1) throw failure('ConnectionFailed', 'shop went away', false);
      await opened;
    };
    await withTrigger(
      { tables: ['orders'], maximumAttempts: 2, load },
      async ({ trigger }) => {
        const running = trigger('--wait');
        await eventually(() => assert.equal(attempts, 2));
        setTimeout(open, 1_500);
        const { stderr } = await running;
        assert.match(stderr, /attempt 2 after: shop went away/);
      },
      { columns: 100 },
    );
  });

  it('Ctrl-C ends the waiting and not the load', async () => {
    const { opened, open } = gate();
    const interrupt = new AbortController();
    await withTrigger(
      { tables: ['orders'], load: () => opened },
      async ({ trigger, world, batch }) => {
        const waiting = trigger('--wait', '--json');
        const handle = world.client.workflow.getHandle(`controller/sales/${batch}`);
        await eventually(async () => {
          assert.equal((await handle.describe()).status.name, 'RUNNING');
        });
        interrupt.abort();
        const { code, stdout, stderr } = await waiting;
        assert.equal(code, 130);
        assert.match(stderr, new RegExp(`the load goes on as controller/sales/${batch}`));
        assert.equal((JSON.parse(stdout) as { interrupted: boolean }).interrupted, true);
        assert.equal((await handle.describe()).status.name, 'RUNNING');
        open();
        await handle.result();
      },
      { interrupt: interrupt.signal },
    );
  });

  it('runs a batch once, and again under its name only if it failed', async () => {
    let fails = true;
    const load: FakePlan['load'] = () => {
      if (fails) throw failure('PermissionDenied', 'no right');
    };
    await withTrigger({ tables: ['orders'], load }, async ({ trigger, batch }) => {
      assert.equal((await trigger('--wait')).code, 1);
      fails = false;
      assert.equal((await trigger('--wait')).code, 0);
      const { code, stderr } = await trigger('--wait');
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`batch "${batch}" is already running or has succeeded`));
    });
  });

  it('says how a batch ended that was cancelled', async () => {
    const { opened, open } = gate();
    await withTrigger({ tables: ['orders'], load: () => opened }, async (bench) => {
      const { trigger, world, batch } = bench;
      const waiting = trigger('--wait');
      const handle = world.client.workflow.getHandle(`controller/sales/${batch}`);
      await eventually(async () => {
        assert.equal((await handle.describe()).status.name, 'RUNNING');
      });
      await handle.terminate('the test');
      const { code, stderr } = await waiting;
      assert.equal(code, 1);
      assert.match(stderr, /the batch was terminated \(workflow controller/);
      open();
    });
  });
});
