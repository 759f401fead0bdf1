import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import { createLakeLeases } from '../../src/history/lake-leases';
import type { LeaseStore } from '../../src/history/leases';
import { HOSTILE_NAMES } from './events';
import { temporaryFolder } from './sqlite-store';

describe('leases in a lake', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let lake: ObjectStore;
  let leases: LeaseStore;

  beforeEach(async () => {
    folder = await temporaryFolder();
    lake = createFileStore(join(folder.path, 'lake'));
    leases = createLakeLeases(lake);
  });

  afterEach(() => folder.remove());

  const request = { pipeline: 'sales', table: 'orders', owner: 'a', ttlMs: 60_000 };

  /** The lake, with something that happens between a reading and the write that follows it. */
  const interrupted = (happens: () => Promise<unknown>): LeaseStore => {
    let pending: typeof happens | undefined = happens;
    return createLakeLeases({
      ...lake,
      async replace(...write) {
        const now = pending;
        pending = undefined;
        await now?.();
        return lake.replace(...write);
      },
    });
  };

  it('go to the one whose write is first', async () => {
    const late = interrupted(() => leases.take({ ...request, owner: 'b' }));
    assert.equal(await late.take(request), undefined);
    assert.equal((await leases.holder('sales', 'orders'))?.owner, 'b');
  });

  it('go on with the fence that the other left', async () => {
    const late = interrupted(async () => {
      const fence = await leases.take({ ...request, owner: 'b' });
      await leases.free({ ...request, owner: 'b', fence: fence! });
    });
    const first = await leases.take(request);
    await leases.free({ ...request, fence: first! });
    assert.equal(await late.take(request), first! + 2);
  });

  it('are not prolonged, and not given back, by one who lost them meanwhile', async () => {
    for (const act of ['extend', 'free'] as const) {
      const fence = await leases.take({ ...request, table: act });
      const key = { ...request, table: act, fence: fence! };
      const late = interrupted(() => leases.take({ ...request, table: act }));
      if (act === 'extend') assert.equal(await late.extend(key, 60_000), false);
      else await late.free(key);
      assert.equal(await leases.isHeld({ ...key, fence: fence! + 1 }), true);
    }
  });

  it('of all names are told apart, and listed under their pipeline', async () => {
    const names = HOSTILE_NAMES.filter((name) => name !== '');
    for (const table of names) {
      assert.ok(
        await leases.take({ ...request, pipeline: 'connection:shop', table, owner: table }),
      );
    }
    const holders = await leases.holders('connection:shop');
    assert.deepEqual([...holders.keys()].sort(), names.toSorted());
    for (const [table, { owner }] of holders) assert.equal(owner, table);
    assert.equal((await leases.holders('connection')).size, 0);
  });
});
