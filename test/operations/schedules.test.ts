import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScheduleOptions, ScheduleSpec } from '@temporalio/client';
import type { Pipeline, ScheduleSettings } from '../../src/pipeline/pipeline';
import { desiredSchedule } from '../../src/temporal/schedules';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/api';
import { eventually } from '../support/eventually';
import { sideBySide } from '../support/side-by-side';
import type { Run } from '../support/web-ui';
import { openShops, type Shop, type Shops } from './shops';

const NIGHTLY = `
defaults: { detection: { strategy: always } }
schedule: { cron: '0 3 * * *', catchUp: 1d }`;
const DAY_MS = 24 * 60 * 60 * 1000;

describe('schedules, in the hands of an operator', function () {
  this.timeout(120_000);

  let shops: Shops;

  before(async () => {
    shops = await openShops({
      trigger: NIGHTLY,
      backfill: NIGHTLY,
      overlap: NIGHTLY,
      named: NIGHTLY,
    });
  });
  after(() => shops?.close());

  /** Makes the schedule that the pipeline's file asks for; its id. */
  async function schedule(
    shop: Shop,
    changes: { readonly spec?: ScheduleSpec; readonly scheduleId?: string } = {},
  ): Promise<string> {
    const pipeline = (await shops.world.project()).pipelines.get(shop.name);
    assert.ok(pipeline?.schedule);
    const desired = desiredSchedule(pipeline as Pipeline & { readonly schedule: ScheduleSettings });
    const options: ScheduleOptions = { ...desired, ...changes };
    await shops.world.client.schedule.create(options);
    return options.scheduleId;
  }

  /** The controllers that a schedule has started, in the order of their times. */
  async function controllers(scheduleId: string, count: number): Promise<readonly Run[]> {
    const handle = shops.world.client.schedule.getHandle(scheduleId);
    let runs: readonly Run[] = [];
    await eventually(async () => {
      const { info } = await handle.describe();
      runs = info.recentActions.map(({ action }) => ({
        workflowId: action.workflow.workflowId,
        runId: action.workflow.firstExecutionRunId,
      }));
      assert.equal(runs.length, count);
    });
    return runs.toSorted((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  }

  /** Those that are planned; a name with a leading dot is a plan that is being written. */
  async function batches(shop: Shop): Promise<readonly string[]> {
    const names = await readdir(join(shops.world.lake, '_plans', shop.name)).catch(() => []);
    return names.flatMap((name) => /^(\w+)\.json$/.exec(name)?.[1] ?? []).sort();
  }

  sideBySide({
    'trigger: a batch of now, and one like it is a batch of its own': async () => {
      const shop = shops.shop('trigger');
      const id = await schedule(shop);
      await shops.ui.trigger(id);
      const [controller] = await controllers(id, 1);
      assert.match(controller!.workflowId, /^controller\/trigger-\d{4}-\d{2}-\d{2}T/);
      assert.equal(await shops.end(controller!), 'completed');
      const like = await shops.ui.startLike(controller!, 'controller/trigger-by-hand');
      assert.equal(await shops.end(like), 'completed');

      const [first, second, ...more] = await batches(shop);
      assert.deepEqual(more, []);
      assert.ok(first && second && /^\d{8}T\d{9}Z$/.test(first) && first < second);
      const handle = shops.world.client.workflow.getHandle(like.workflowId);
      const { searchAttributes } = await handle.describe();
      assert.deepEqual(searchAttributes[SEARCH_ATTRIBUTES.batch], [second], 'filed as what it is');
      const loaded = (batch: string) => [`STARTED ${batch}`, `SUCCEEDED ${batch}`];
      assert.deepEqual(await shop.rows('orders'), [...loaded(first), ...loaded(second)]);
      assert.deepEqual(await shop.published('orders'), [1]);
    },

    'backfill: a batch for each time, which load what the source has now': async () => {
      const shop = shops.shop('backfill');
      const id = await schedule(shop);
      const now = Date.now();
      await shops.ui.backfill(id, new Date(now - 3 * DAY_MS), new Date(now - DAY_MS));
      const nights = await controllers(id, 2);
      for (const controller of nights) {
        assert.match(controller.workflowId, /T03:00:00Z$/);
        assert.equal(await shops.end(controller), 'completed');
      }
      assert.equal((await batches(shop)).length, 2);
      const rows = await shop.rows('orders');
      assert.equal(rows.filter((row) => row.startsWith('SUCCEEDED')).length, 2);
      assert.equal(rows.length, 4);
      assert.deepEqual(await shop.published('orders'), [1]);
    },

    'what is due while a batch is at work is left out, and the next batch says so': async () => {
      const shop = shops.shop('overlap');
      const unlock = await shop.lock('orders');
      const id = await schedule(shop, { spec: { intervals: [{ every: '1s' }] } });
      const handle = shops.world.client.schedule.getHandle(id);
      await shop.hanging('orders', 1);
      await eventually(async () => {
        assert.ok((await handle.describe()).info.numActionsSkippedOverlap >= 2);
      });
      assert.equal((await batches(shop)).length, 1);
      await unlock();
      await eventually(async () => assert.ok((await batches(shop)).length >= 2));
      await handle.delete();
      const [first, second] = await batches(shop);
      assert.deepEqual((await shop.plan(first!)).warnings, []);
      const { warnings } = await shop.plan(second!);
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]!,
        /^\d+ of the schedule's runs did not take place, from \d.*Z to \d.*Z: the batch before/,
      );
    },

    'a schedule that somebody made by hand: its batch does not fail for want of its past':
      async () => {
        const shop = shops.shop('named');
        const id = await schedule(shop, { scheduleId: 'made-by-hand' });
        await shops.ui.trigger(id);
        const [controller] = await controllers(id, 1);
        assert.equal(await shops.end(controller!), 'completed');
        const isLogged = (line: string) =>
          /"named".*whether runs were missed is not known/.test(line);
        assert.ok(shops.world.logged.some(isLogged));
      },
  });
});
