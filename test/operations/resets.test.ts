import assert from 'node:assert/strict';
import { temporal } from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/api';
import { eventually } from '../support/eventually';
import { sideBySide } from '../support/side-by-side';
import type { Run } from '../support/web-ui';
import { openShops, type Shop, type Shops, type Table } from './shops';

const { EventType } = temporal.api.enums.v1;

const BEGUN = 'STARTED day1';
const DENIED = 'FAILED day1 PermissionDenied';
const LOADED = [BEGUN, 'SUCCEEDED day1'];

describe('Reset and Start Like This One, as the Web UI does them', function () {
  this.timeout(180_000);

  let shops: Shops;

  before(async () => {
    const names = ['points', 'many', 'last', 'good', 'days', 'flight', 'waiting', 'loading'];
    const more = ['updates', 'like', 'refused', 'twice'];
    shops = await openShops(Object.fromEntries([...names, ...more].map((name) => [name, ''])));
  });
  after(() => shops?.close());

  const firstPoint = async (run: Run) => (await shops.ui.resetPoints(run))[0]!;
  const reset = async (run: Run) => shops.ui.reset(run, await firstPoint(run));

  /** A batch in which these tables failed because they might not be read; now they may. */
  async function failedBatch(shop: Shop, ...tables: readonly Table[]): Promise<Run> {
    for (const table of tables) await shop.forbid(table);
    const controller = await shop.start('day1');
    assert.match(await shops.end(controller), new RegExp(`^${tables.length} of 2 tables failed`));
    for (const table of tables) await shop.permit(table);
    return controller;
  }

  /** A batch in which `orders` has failed and `customers` still loads until it is unlocked. */
  async function halfFailedBatch(shop: Shop) {
    await shop.forbid('orders');
    const unlock = await shop.lock('customers');
    const controller = await shop.start('day1');
    await shop.hanging('customers', 1);
    await shop.until('orders', DENIED);
    const failed = await shop.child('day1', 'orders');
    assert.match(await shops.end(failed), /permission denied/);
    return { controller, failed, unlock };
  }

  async function attributesOf({ workflowId, runId }: Run) {
    const handle = shops.world.client.workflow.getHandle(workflowId, runId);
    const { typedSearchAttributes } = await handle.describe();
    return new Map(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  }

  async function resetBoth(shop: Shop, at: 'first' | 'last') {
    await failedBatch(shop, 'orders', 'customers');
    const failed = [await shop.child('day1', 'orders'), await shop.child('day1', 'customers')];
    await shops.ui.resetMany(failed, at);
    return [await shop.child('day1', 'orders'), await shop.child('day1', 'customers')];
  }

  sideBySide({
    'a failed load, from each point: the first loads, the others fail again': async () => {
      const shop = shops.shop('points');
      const controller = await failedBatch(shop, 'orders');
      await shop.add('orders', 2);
      const failed = await shop.child('day1', 'orders');
      const [first, ...later] = await shops.ui.resetPoints(failed);
      assert.equal(later.length, 2, 'after the load and after its record');
      for (const point of later) {
        const again = await shops.ui.reset(failed, point);
        assert.match(await shops.end(again), /permission denied/);
      }
      // From between load and record it records anew; neither begins a load.
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, DENIED]);
      assert.equal(await shop.published('orders'), undefined);

      const again = await shops.ui.reset(failed, first!);
      assert.equal(await shops.end(again), 'completed');
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, DENIED, ...LOADED]);
      assert.deepEqual(await shop.published('orders'), [1, 2]);
      assert.equal((await attributesOf(again)).get(SEARCH_ATTRIBUTES.failure), undefined);
      assert.match(await shops.end(controller), /^1 of 2 tables failed/, 'it is over');
      assert.deepEqual(await shop.rows('customers'), LOADED, 'nobody else loads again');
    },

    'many failed loads at their first task: each loads': async () => {
      const shop = shops.shop('many');
      for (const run of await resetBoth(shop, 'first')) {
        assert.equal(await shops.end(run), 'completed');
      }
      for (const table of ['orders', 'customers'] as const) {
        assert.deepEqual(await shop.rows(table), [BEGUN, DENIED, ...LOADED]);
        assert.deepEqual(await shop.published(table), [1]);
      }
    },

    'many failed loads at their last task: each fails again, unloaded': async () => {
      const shop = shops.shop('last');
      for (const run of await resetBoth(shop, 'last')) {
        assert.match(await shops.end(run), /permission denied/);
      }
      for (const table of ['orders', 'customers'] as const) {
        assert.deepEqual(await shop.rows(table), [BEGUN, DENIED]);
        assert.equal(await shop.published(table), undefined);
      }
    },

    'a load that went well: it loads once more': async () => {
      const shop = shops.shop('good');
      assert.equal(await shops.end(await shop.start('day1')), 'completed');
      await shop.add('orders', 2);
      const again = await reset(await shop.child('day1', 'orders'));
      assert.equal(await shops.end(again), 'completed');
      assert.deepEqual(await shop.rows('orders'), [...LOADED, ...LOADED]);
      assert.deepEqual(await shop.published('orders'), [1, 2]);
    },

    "yesterday's failed load while today's is under way: both end, one after the other":
      async () => {
        const shop = shops.shop('days');
        await failedBatch(shop, 'orders');
        const unlock = await shop.lock('orders');
        const today = await shop.start('day2');
        await shop.hanging('orders', 1);
        const again = await reset(await shop.child('day1', 'orders'));
        await eventually(async () => {
          const { heartbeatDetails } = await shops.ui.pendingActivity(again);
          assert.match(String(heartbeatDetails?.payloads?.[0]?.data), /"phase":"waiting"/);
        });
        await shop.hanging('orders', 1);
        await unlock();
        assert.equal(await shops.end(today), 'completed');
        assert.equal(await shops.end(again), 'completed');
        assert.deepEqual(await shop.rows('orders'), [
          ...[BEGUN, DENIED],
          ...['STARTED day2', 'SUCCEEDED day2'],
          ...LOADED,
        ]);
        assert.deepEqual(await shop.published('orders'), [1]);
      },

    'a load under way: it stops, the new one loads, and the controller notices nothing':
      async () => {
        const shop = shops.shop('flight');
        const unlock = await shop.lock('orders');
        const controller = await shop.start('day1');
        const [stopped] = await shop.hanging('orders', 1);
        const old = await shop.child('day1', 'orders');
        const again = await reset(old);
        await eventually(async () => {
          const [session] = await shop.hanging('orders', 1);
          assert.notEqual(session, stopped);
        });
        await unlock();
        assert.equal(await shops.end(again), 'completed');
        assert.equal(await shops.end(controller), 'completed');
        assert.equal(await shops.end(old), 'Reset from the Web UI', 'it was terminated');
        assert.deepEqual(await shop.rows('orders'), [BEGUN, ...LOADED]);
        assert.deepEqual(await shop.published('orders'), [1]);
      },

    'a failed load whose controller still waits: the batch is green': async () => {
      const shop = shops.shop('waiting');
      const { controller, failed, unlock } = await halfFailedBatch(shop);
      await shop.permit('orders');
      assert.equal(await shops.end(await reset(failed)), 'completed');
      await unlock();
      assert.equal(await shops.end(controller), 'completed');
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, ...LOADED]);
    },

    'a failed load that loads on when its controller ends: the batch is red': async () => {
      const shop = shops.shop('loading');
      const { controller, failed, unlock } = await halfFailedBatch(shop);
      await shop.permit('orders');
      const unlockOrders = await shop.lock('orders');
      const again = await reset(failed);
      await shop.hanging('orders', 1);
      await unlock();
      assert.match(await shops.end(controller), /^1 of 2 tables failed: .*permission denied/);
      await unlockOrders();
      assert.equal(await shops.end(again), 'completed');
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, ...LOADED]);
      assert.deepEqual(await shop.published('orders'), [1]);
    },

    'a controller, against the advice: it plans anew, and refuses the old updates': async () => {
      const shop = shops.shop('updates');
      const { controller, unlock } = await halfFailedBatch(shop);
      const { workflow } = shops.world.client;
      await eventually(() =>
        workflow
          .getHandle(controller.workflowId)
          .executeUpdate('retryFailed')
          .then(() => undefined),
      );
      await unlock();
      assert.match(await shops.end(controller), /^1 of 2 tables failed/);
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, BEGUN, DENIED]);
      await shop.permit('orders');
      const again = await reset(controller);
      assert.equal(await shops.end(again), 'completed');
      const { events } = await workflow.getHandle(again.workflowId, again.runId).fetchHistory();
      const types = (events ?? []).map(({ eventType }) => eventType);
      assert.ok(
        types.includes(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED),
        'reapplied',
      );
      assert.ok(!types.includes(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED));
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, BEGUN, DENIED, ...LOADED]);
      assert.deepEqual(await shop.rows('customers'), [...LOADED, ...LOADED]);
    },

    'like a failed load: it loads, and is not filed as a failure': async () => {
      const shop = shops.shop('like');
      const controller = await failedBatch(shop, 'orders');
      const failed = await shop.child('day1', 'orders');
      for (const id of [undefined, 'an-id-of-the-operators-own']) {
        const again = await shops.ui.startLike(failed, id);
        assert.equal(await shops.end(again), 'completed');
        const attributes = await attributesOf(again);
        assert.equal(attributes.get(SEARCH_ATTRIBUTES.failure), undefined);
        assert.equal(attributes.get(SEARCH_ATTRIBUTES.table), shop.id('orders'));
      }
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, ...LOADED, ...LOADED]);
      assert.deepEqual(await shop.published('orders'), [1]);
      assert.match(await shops.end(controller), /^1 of 2 tables failed/);
    },

    'like a controller that failed: the batch loads once more and is green': async () => {
      const shop = shops.shop('refused');
      const controller = await failedBatch(shop, 'orders');
      assert.equal(await shops.end(await shops.ui.startLike(controller)), 'completed');
      assert.deepEqual(await shop.rows('orders'), [BEGUN, DENIED, ...LOADED]);
    },

    'like a controller under way: refused; under another id it leaves its loads alone':
      async () => {
        const shop = shops.shop('twice');
        const unlock = await shop.lock('orders');
        const controller = await shop.start('day1');
        await shop.hanging('orders', 1);
        await shop.until('customers', 'SUCCEEDED day1');
        await assert.rejects(shops.ui.startLike(controller), /already running/);
        const other = await shops.ui.startLike(controller, 'another-id-of-the-operators-own');
        assert.match(await shops.end(other), /1 of 2 .* began and did not end: another execution/);
        await unlock();
        assert.equal(await shops.end(controller), 'completed');
        assert.deepEqual(await shop.rows('orders'), LOADED);
      },
  });
});
