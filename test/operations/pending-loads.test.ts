import assert from 'node:assert/strict';
import { temporal } from '@temporalio/proto';
import { eventually } from '../support/eventually';
import { sideBySide } from '../support/side-by-side';
import type { Run } from '../support/web-ui';
import { openShops, type Shop, type Shops } from './shops';

const { PendingActivityState } = temporal.api.enums.v1;
const LOADED = ['STARTED day1', 'SUCCEEDED day1'];

describe('Pending Activities, as the Web UI does them', function () {
  this.timeout(180_000);

  let shops: Shops;

  before(async () => {
    const attempts = (most: number) =>
      `defaults: { attempts: ${most}, detection: { strategy: always } }`;
    shops = await openShops({
      ...{ now: attempts(10), held: attempts(10) },
      // An attempt that a person stops must not be the last one.
      ...{ restarted: attempts(1), paused: attempts(1) },
      ...{ cancelled: '', terminated: '' },
    });
  });
  after(() => shops?.close());

  /** A batch of which one load hangs at a lock. */
  async function hangingLoad(shop: Shop) {
    const unlock = await shop.lock('orders');
    const controller = await shop.start('day1');
    const [session] = await shop.hanging('orders', 1);
    return { controller, session, unlock, load: await shop.child('day1', 'orders') };
  }

  /** A batch of which one load waits for its next attempt, and will until the shop is open. */
  async function waitingLoad(shop: Shop) {
    const { controller, unlock, load } = await hangingLoad(shop);
    await eventually(async () => {
      const { heartbeatDetails } = await shops.ui.pendingActivity(load);
      assert.ok(heartbeatDetails, 'the first comes after a second');
    });
    await shop.close();
    await shop.cut();
    await unlock();
    await eventually(async () => {
      const { state, attempt } = await shops.ui.pendingActivity(load);
      assert.equal(state, PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED);
      assert.ok(attempt! >= 3, `attempt ${attempt}`);
    });
    return { controller, load };
  }

  const untilPaused = (load: Run) =>
    eventually(async () => {
      const { state } = await shops.ui.pendingActivity(load);
      assert.equal(state, PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED);
    });

  async function attemptsOf(shop: Shop): Promise<number | undefined> {
    const history = await shops.world.history();
    const query = { pipeline: shop.name, table: shop.id('orders'), limit: 1 };
    return (await history.events(query))[0]?.attempts;
  }

  sideBySide({
    'retry now, of a load that waits for its next attempt: it loads, counting from one':
      async () => {
        const shop = shops.shop('now');
        const { controller, load } = await waitingLoad(shop);
        const { lastFailure, heartbeatDetails } = await shops.ui.pendingActivity(load);
        assert.match(lastFailure?.message ?? '', /takes no connection: too many connections/);
        assert.match(String(heartbeatDetails?.payloads?.[0]?.data), /"phase":.*"rows":.*"bytes":/);
        await shop.open();
        await shops.ui.retryNow(load);
        assert.equal(await shops.end(load), 'completed');
        assert.equal(await attemptsOf(shop), 1);
        assert.deepEqual(await shop.rows('orders'), LOADED, 'one run, whatever its attempts');
        assert.deepEqual(await shop.published('orders'), [1]);
        assert.equal(await shops.end(controller), 'completed');
      },

    'retry now, of a load under way: it stops and begins anew, be it its last attempt':
      async () => {
        const shop = shops.shop('restarted');
        const { controller, session, unlock, load } = await hangingLoad(shop);
        await shops.ui.retryNow(load);
        await eventually(async () => {
          const [present] = await shop.hanging('orders', 1);
          assert.notEqual(present, session);
        });
        await unlock();
        assert.equal(await shops.end(load), 'completed');
        assert.deepEqual(await shop.rows('orders'), LOADED);
        assert.deepEqual(await shop.published('orders'), [1]);
        assert.equal(await shops.end(controller), 'completed');
      },

    'pause, of a load that waits for its next attempt: it waits until unpaused': async () => {
      const shop = shops.shop('held');
      const { controller, load } = await waitingLoad(shop);
      await shops.ui.pauseActivity(load);
      await untilPaused(load);
      const { attempt, scheduledTime } = await shops.ui.pendingActivity(load);
      await shop.open();
      await eventually(() => assert.ok(Date.now() / 1000 > Number(scheduledTime?.seconds) + 1));
      assert.equal((await shops.ui.pendingActivity(load)).attempt, attempt);
      assert.deepEqual(await shop.rows('orders'), ['STARTED day1']);
      await shops.ui.unpauseActivity(load);
      assert.equal(await shops.end(load), 'completed');
      assert.deepEqual(await shop.rows('orders'), LOADED);
      assert.equal(await shops.end(controller), 'completed');
    },

    'pause, of a load under way: it lets go of the source, and loads when unpaused': async () => {
      const shop = shops.shop('paused');
      const { controller, unlock, load } = await hangingLoad(shop);
      await shops.ui.pauseActivity(load);
      await shop.hanging('orders', 0);
      await untilPaused(load);
      await unlock();
      await shops.ui.unpauseActivity(load);
      assert.equal(await shops.end(load), 'completed');
      assert.deepEqual(await shop.rows('orders'), LOADED);
      assert.deepEqual(await shop.published('orders'), [1]);
      assert.equal(await shops.end(controller), 'completed');
    },

    'cancel, of one load: it is recorded, and the batch goes on without it': async () => {
      const shop = shops.shop('cancelled');
      const { controller, unlock, load } = await hangingLoad(shop);
      await shops.world.client.workflow.getHandle(load.workflowId).cancel();
      await shop.hanging('orders', 0);
      await unlock();
      assert.match(await shops.end(controller), /^1 of 2 tables failed: .*the load was cancelled/);
      assert.deepEqual(await shop.rows('orders'), ['STARTED day1', 'FAILED day1 Cancelled']);
      assert.equal(await shop.published('orders'), undefined);
      assert.deepEqual(await shop.published('customers'), [1]);
    },

    'terminate, of one load: it stops unrecorded, and the batch says so': async () => {
      const shop = shops.shop('terminated');
      const { controller, unlock, load } = await hangingLoad(shop);
      await shops.world.client.workflow.getHandle(load.workflowId).terminate();
      await shop.hanging('orders', 0);
      await unlock();
      assert.match(await shops.end(controller), /^1 of 2 tables failed: .*began and did not end/);
      assert.deepEqual(await shop.rows('orders'), ['STARTED day1']);
      assert.deepEqual(await shop.published('customers'), [1]);
    },
  });
});
