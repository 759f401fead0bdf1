import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
  type BatchSummary,
  type ControllerProgress,
} from '../../src/workflows/api';
import type { controller, ingestTable } from '../../src/workflows';
import { eventually } from '../support/eventually';
import { failure, fakeActivities, type FakePlan, type Seen } from '../support/fake-activities';
import { startWorkflowWorld, type WorkflowWorld } from '../support/workflow-worker';

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `table_${index}`);

async function withWorld(
  plan: FakePlan,
  body: (world: WorkflowWorld, seen: Seen) => Promise<void>,
  options?: Parameters<typeof startWorkflowWorld>[1],
): Promise<void> {
  const { activities, seen } = fakeActivities(plan);
  const world = await startWorkflowWorld(activities, options);
  try {
    await body(world, seen);
  } finally {
    await world.close();
  }
}

/** Of the activity in which it is called. */
function cancelled(): Promise<never> {
  return Context.current().cancelled;
}

function start({ client, pipeline }: WorkflowWorld, batch: string) {
  return client.workflow.start<typeof controller>('controller', {
    workflowId: controllerWorkflowId(pipeline, batch),
    taskQueue: CONTROL_TASK_QUEUE,
    args: [{ pipeline, batch }],
  });
}

function run({ client, pipeline }: WorkflowWorld, batch: string): Promise<BatchSummary> {
  return client.workflow.execute<typeof controller>('controller', {
    workflowId: controllerWorkflowId(pipeline, batch),
    taskQueue: CONTROL_TASK_QUEUE,
    args: [{ pipeline, batch }],
  });
}

describe('controller workflow', function () {
  this.timeout(300_000);

  it('loads every planned table, never more at a time than the pipeline allows', async () => {
    await withWorld({ tables: names(20), concurrency: 3 }, async (world, seen) => {
      const summary = await run(world, 'b1');
      assert.equal(summary.loaded, 20);
      assert.deepEqual([...seen.loads].sort(), names(20).sort());
      assert.ok(seen.widest <= 3, `at most 3 at a time, saw ${seen.widest}`);
    });
  });

  it('settles each table on its own and fails red, naming table and cause', async () => {
    const load: FakePlan['load'] = ({ table }) => {
      if (table === 'table_2') throw failure('PermissionDenied', 'sales / table_2: no SELECT');
    };
    await withWorld({ tables: names(6), load }, async (world, seen) => {
      const error: unknown = await run(world, 'b1').catch((thrown: unknown) => thrown);
      assert.ok(error instanceof WorkflowFailedError);
      assert.ok(error.cause instanceof ApplicationFailure);
      assert.equal(error.cause.type, 'TablesFailed');
      assert.match(error.cause.message, /1 of 6 tables failed: table_2/);
      assert.equal(seen.loads.length, 6, 'the other five loaded');
      assert.deepEqual(
        seen.failures.map(({ table, code, message }) => [table, code, message]),
        [['table_2', 'PermissionDenied', 'sales / table_2: no SELECT']],
      );

      const child = world.client.workflow.getHandle(
        ingestWorkflowId(world.pipeline, 'table_2', 'b1'),
      );
      const childError: unknown = await child.result().catch((thrown: unknown) => thrown);
      assert.ok(childError instanceof WorkflowFailedError, 'the child is red as well');
    });
  });

  it('retries a load at one level only, as often as the plan says', async () => {
    const load: FakePlan['load'] = () => {
      throw failure('ConnectionFailed', 'cut', false);
    };
    await withWorld({ tables: ['orders'], maximumAttempts: 2, load }, async (world, seen) => {
      await assert.rejects(run(world, 'b1'));
      assert.equal(seen.loads.length, 2);
      assert.equal(seen.failures.length, 1, 'one record for the table, not one per attempt');
    });
  });

  it('begins a load again that a worker gave up as it shut down, be it the last attempt', async () => {
    let isDown = false;
    const load: FakePlan['load'] = () => {
      if (isDown) return;
      isDown = true;
      throw failure('WorkerShutdown', 'the load goes on elsewhere', false);
    };
    await withWorld({ tables: ['orders'], load }, async (world, seen) => {
      assert.equal((await run(world, 'b1')).loaded, 1);
      assert.equal(seen.loads.length, 2);
      assert.deepEqual(seen.failures, []);
    });
  });

  it('begins a load again whose last attempt was lost with its worker', async () => {
    const end = deferred();
    const taken: string[] = [];
    const load: FakePlan['load'] = ({ table }) =>
      taken.push(table) === 1 ? end.promise : undefined;
    const body = async (world: WorkflowWorld, seen: Seen) => {
      assert.equal((await run(world, 'b1')).loaded, 1);
      assert.equal(seen.loads.length, 2);
      assert.deepEqual(seen.failures, []);
      end.resolve();
    };
    await withWorld({ tables: ['orders'], maximumAttempts: 1, load }, body, { frozen: true });
  });

  it('leaves a load to the workers of another engine, as often as somebody can have meant it', async () => {
    const elsewhere = ApplicationFailure.create({
      ...{ message: 'another engine', type: 'EngineChanged', nonRetryable: true },
      details: ['comporta-dataproc'],
    });
    const queues: (string | undefined)[] = [];
    const load: FakePlan['load'] = ({ table, load: options }) => {
      queues.push(options?.taskQueue);
      if (table === 'lost' || options?.taskQueue === 'comporta-embedded') throw elsewhere;
    };
    await withWorld({ tables: ['orders'], load }, async (world, seen) => {
      assert.equal((await run(world, 'b1')).loaded, 1);
      assert.deepEqual(queues, ['comporta-embedded', 'comporta-dataproc']);
      assert.deepEqual(seen.failures, []);
    });
    await withWorld({ tables: ['lost'], load }, async (world, seen) => {
      await assert.rejects(run(world, 'b1'));
      assert.equal(seen.loads.length, 4);
      assert.deepEqual(
        seen.failures.map(({ code }) => code),
        ['EngineChanged'],
      );
    });
  });

  it('gives a table up that takes every worker down', async () => {
    const end = deferred();
    const load: FakePlan['load'] = () => end.promise;
    const body = async (world: WorkflowWorld, seen: Seen) => {
      await assert.rejects(run(world, 'b1'));
      assert.equal(seen.loads.length, 4);
      assert.deepEqual(
        seen.failures.map(({ code }) => code),
        ['Timeout'],
      );
      end.resolve();
    };
    await withWorld({ tables: ['orders'], maximumAttempts: 1, load }, body, { frozen: true });
  });

  it('has people told once, where the plan says so, and whatever became of the tables', async () => {
    const load: FakePlan['load'] = () => {
      throw failure('PermissionDenied', 'no SELECT');
    };
    const notify = () => undefined;
    await withWorld({ tables: ['orders'], load, notify }, async (world, seen) => {
      await assert.rejects(run(world, 'b1'));
      assert.equal(seen.notices, 1);
    });
    await withWorld({ tables: ['orders'], load }, async (world, seen) => {
      await assert.rejects(run(world, 'b1'));
      assert.equal(seen.notices, 0);
    });
  });

  it('does not fail because nobody could be told', async () => {
    const notify = () => {
      throw failure('ConfigurationInvalid', 'no such channel');
    };
    await withWorld({ tables: ['orders'], notify }, async (world, seen) => {
      assert.equal((await run(world, 'b1')).loaded, 1);
      assert.equal(seen.notices, 1);
    });
  });

  describe('with a cluster of the batch', () => {
    const clusters = ['nightly', 'other'];

    it('deletes it when all loads have ended, whatever became of them', async () => {
      const load: FakePlan['load'] = ({ table }) => {
        if (table === 'table_1') throw failure('PermissionDenied', 'no SELECT');
      };
      await withWorld({ tables: names(3), load, clusters }, async (world, seen) => {
        await assert.rejects(run(world, 'b1'));
        assert.deepEqual(seen.deleted.toSorted(), ['nightly after 3', 'other after 3']);
      });
    });

    it('deletes it after a cancellation, when the loads have ended', async () => {
      const end = deferred();
      const load: FakePlan['load'] = () => Promise.race([end.promise, cancelled()]);
      await withWorld({ tables: names(2), load, clusters }, async (world, seen) => {
        const handle = await start(world, 'b1');
        await eventually(() => assert.equal(seen.loads.length, 2));
        await handle.cancel();
        await assert.rejects(handle.result(), WorkflowFailedError);
        assert.deepEqual(seen.deleted.toSorted(), ['nightly after 2', 'other after 2']);
        end.resolve();
      });
    });

    it('deletes it when the plan cannot be read any more', async () => {
      const plan = { tables: names(2), clusters: ['nightly'], pagesApart: true };
      await withWorld(plan, async (world, seen) => {
        seen.pages.push = () => {
          throw failure('DestinationFailed', 'the plan is gone');
        };
        await assert.rejects(run(world, 'b1'));
        assert.deepEqual(seen.deleted, ['nightly after 0']);
      });
    });

    it('does not fail because it could not be deleted', async () => {
      const deleteCluster = () => {
        throw failure('PermissionDenied', 'no dataproc.clusters.delete');
      };
      const plan = { tables: ['orders'], clusters, deleteCluster };
      await withWorld(plan, async (world, seen) => {
        assert.equal((await run(world, 'b1')).loaded, 1);
        assert.equal(seen.deleted.length, 2);
      });
    });

    it('leaves it to a load that runs elsewhere', async () => {
      const end = deferred();
      const load: FakePlan['load'] = () => end.promise;
      await withWorld({ tables: ['orders'], load, clusters }, async (world, seen) => {
        const other = await world.client.workflow.start<typeof ingestTable>('ingestTable', {
          workflowId: ingestWorkflowId(world.pipeline, 'orders', 'b1'),
          taskQueue: CONTROL_TASK_QUEUE,
          args: [{ pipeline: world.pipeline, table: 'orders', batch: 'b1' }],
        });
        await assert.rejects(run(world, 'b1'));
        assert.deepEqual(seen.deleted, []);
        end.resolve();
        await other.result();
      });
    });
  });

  describe('in the hands of an operator', () => {
    /** Loads that end when the test says so, in the order of their beginning. */
    function gate() {
      const waiting = new Map<string, () => void>();
      return {
        load: ({ table }: { readonly table: string }) =>
          new Promise<void>((resolve) => waiting.set(table, resolve)),
        open: async (table: string) => {
          await eventually(() => assert.ok(waiting.has(table), `${table} has not begun`));
          waiting.get(table)?.();
          waiting.delete(table);
        },
      };
    }

    async function refusalOf(update: Promise<unknown>): Promise<string> {
      const error: unknown = await update.then(
        () => new Error('it was taken'),
        (thrown: unknown) => thrown,
      );
      return (error as { cause?: Error }).cause?.message ?? String(error);
    }

    async function start(world: WorkflowWorld) {
      const handle = await world.client.workflow.start<typeof controller>('controller', {
        workflowId: controllerWorkflowId(world.pipeline, 'b1'),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline: world.pipeline, batch: 'b1' }],
      });
      await eventually(async () => {
        const { phase } = await handle.query<ControllerProgress>('progress');
        assert.equal(phase, 'loading');
      });
      return handle;
    }

    it('leaves out a table that has not begun, and says so in the history', async () => {
      const { load, open } = gate();
      await withWorld({ tables: names(3), concurrency: 1, load }, async (world, seen) => {
        const handle = await start(world);
        const skip = (table: unknown, reason?: string) =>
          handle.executeUpdate('skipTable', { args: [{ table, reason }] });
        await eventually(() => assert.deepEqual(seen.loads, ['table_0']));
        await skip('table_1', 'being migrated');
        assert.equal(await refusalOf(skip('table_0')), 'table_0 has begun already');
        assert.equal(await refusalOf(skip('table_1')), 'table_1 is left out already');
        assert.match(await refusalOf(skip('tabel_2')), /is not among the tables/);
        assert.match(await refusalOf(skip(5)), /name the table/);
        await open('table_0');
        await open('table_2');
        assert.equal((await handle.result()).loaded, 2);
        assert.deepEqual(seen.loads, ['table_0', 'table_2']);
        assert.deepEqual(seen.leftOut, ['table_1: left out by an operator: being migrated']);
      });
    });

    it('holds a table back until it is resumed, without holding others', async () => {
      const { load, open } = gate();
      await withWorld({ tables: names(3), concurrency: 1, load }, async (world, seen) => {
        const handle = await start(world);
        const gesture = (update: string, table: string) =>
          handle.executeUpdate(update, { args: [{ table }] });
        await gesture('pauseTable', 'table_1');
        assert.match(await refusalOf(gesture('pauseTable', 'table_1')), /is paused already/);
        assert.match(await refusalOf(gesture('resumeTable', 'table_2')), /is not paused/);
        const { paused } = await handle.query<ControllerProgress>('progress');
        assert.deepEqual(paused, ['table_1']);
        await open('table_0');
        await eventually(() => assert.deepEqual(seen.loads, ['table_0', 'table_2']));
        await gesture('resumeTable', 'table_1');
        await open('table_2');
        await open('table_1');
        assert.equal((await handle.result()).loaded, 3);
        assert.deepEqual(seen.leftOut, []);
      });
    });

    it('leaves out at its end what is still held back', async () => {
      const { load, open } = gate();
      await withWorld({ tables: names(2), concurrency: 1, load }, async (world, seen) => {
        const handle = await start(world);
        await handle.executeUpdate('pauseTable', { args: [{ table: 'table_1' }] });
        await open('table_0');
        assert.equal((await handle.result()).loaded, 1);
        assert.deepEqual(seen.leftOut, ['table_1: paused, and not resumed in time']);
      });
    });

    it('tries the failed tables again while others still load', async () => {
      let isMended = false;
      const { load: gated, open } = gate();
      const load: FakePlan['load'] = (input) => {
        if (input.table === 'table_1') return gated(input);
        if (!isMended) throw failure('PermissionDenied', 'no SELECT');
      };
      await withWorld({ tables: names(3), concurrency: 2, load }, async (world, seen) => {
        const handle = await start(world);
        await eventually(async () => {
          const { failed } = await handle.query<ControllerProgress>('progress');
          assert.equal(failed, 2);
        });
        isMended = true;
        assert.deepEqual(await handle.executeUpdate('retryFailed'), ['table_0', 'table_2']);
        await eventually(() => assert.equal(seen.loads.length, 5));
        await open('table_1');
        assert.equal((await handle.result()).loaded, 3);
      });
    });

    it('says in the Web UI what each query and update is for', async () => {
      const { load, open } = gate();
      await withWorld({ tables: names(1), load }, async (world) => {
        const handle = await start(world);
        const { definition } = await handle.query<temporal.api.sdk.v1.IWorkflowMetadata>(
          '__temporal_workflow_metadata',
        );
        const updates = definition?.updateDefinitions ?? [];
        const gestures = ['pauseTable', 'resumeTable', 'retryFailed', 'skipTable'];
        assert.deepEqual(updates.map(({ name }) => name).sort(), gestures);
        const signals = (definition?.signalDefinitions ?? []).map(({ name }) => name ?? '');
        assert.deepEqual(signals.filter(Boolean), [], 'the Web UI cannot send one to many');
        for (const { name, description } of [...updates, ...(definition?.queryDefinitions ?? [])]) {
          assert.ok(description, `${name} has no description`);
        }
        await open('table_0');
        await handle.result();
      });
    });

    it('refuses to try again where nothing failed', async () => {
      const { load, open } = gate();
      await withWorld({ tables: names(1), load }, async (world) => {
        const handle = await start(world);
        assert.equal(await refusalOf(handle.executeUpdate('retryFailed')), 'no table has failed');
        await open('table_0');
        await handle.result();
      });
    });
  });

  it('continues as new between pages and keeps its counts', async () => {
    await withWorld(
      { tables: names(510), concurrency: 50, clusters: ['nightly'] },
      async (world, seen) => {
        const { workflow } = world.client;
        const workflowId = controllerWorkflowId(world.pipeline, 'b1');
        const handle = await workflow.start<typeof controller>('controller', {
          workflowId,
          taskQueue: CONTROL_TASK_QUEUE,
          args: [{ pipeline: world.pipeline, batch: 'b1' }],
        });
        assert.equal((await handle.result()).loaded, 510);
        assert.deepEqual(seen.pages, [0, 500]);
        assert.deepEqual(seen.deleted, ['nightly after 510']);
        const progress = await handle.query<ControllerProgress>('progress');
        assert.equal(progress.loaded, 510);
        const page = await workflow
          .getHandle(workflowId, handle.firstExecutionRunId)
          .fetchHistory();
        // Where Temporal itself suggests to continue as new.
        assert.ok(page.events!.length < 4_096, `${page.events?.length} events`);
      },
    );
  });

  it('takes its batch from its start time when none is given', async () => {
    await withWorld({ tables: [] }, async (world) => {
      const summary = await world.client.workflow.execute<typeof controller>('controller', {
        workflowId: `controller/${world.pipeline}-2026-01-01T03:00:00Z`,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline: world.pipeline }],
      });
      assert.match(summary.batch, /^\d{8}T\d{9}Z$/);
    });
  });

  it('lets an operator find the failed tables of a batch by filter', async () => {
    const load: FakePlan['load'] = ({ table }) => {
      if (table === 'table_1') throw failure('SourceRejected', 'no');
    };
    await withWorld({ tables: names(3), load }, async (world) => {
      await assert.rejects(run(world, 'b7'));
      const query = `ComportaPipeline = "${world.pipeline}" AND ComportaBatch = "b7" AND ComportaFailure = "SourceRejected" AND ExecutionStatus = "Failed"`;
      await eventually(async () => {
        const found: string[] = [];
        for await (const { workflowId } of world.client.workflow.list({ query }))
          found.push(workflowId);
        assert.deepEqual(found, [ingestWorkflowId(world.pipeline, 'table_1', 'b7')]);
      });
    });
  });

  it('passes a cancellation on to the loads, which are recorded', async () => {
    const load: FakePlan['load'] = async () => {
      const { Context } = await import('@temporalio/activity');
      const context = Context.current();
      const timer = setInterval(() => context.heartbeat(), 100);
      try {
        await context.cancelled;
      } finally {
        clearInterval(timer);
      }
    };
    await withWorld({ tables: ['orders'], load }, async (world, seen) => {
      const handle = await world.client.workflow.start<typeof controller>('controller', {
        workflowId: controllerWorkflowId(world.pipeline, 'b1'),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline: world.pipeline, batch: 'b1' }],
      });
      await eventually(() => {
        assert.equal(seen.loads.length, 1);
      });
      await handle.cancel();
      await assert.rejects(handle.result());
      await eventually(() => {
        assert.deepEqual(
          seen.failures.map(({ code }) => code),
          ['Cancelled'],
        );
      });
    });
  });
});
