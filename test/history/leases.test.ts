import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { ComportaError } from '../../src/errors';
import type { History, Lease } from '../../src/history/history';
import { createLakeLeases } from '../../src/history/lake-leases';
import { acquireLease, firstFence } from '../../src/history/leases';
import { openSqliteHistory } from '../../src/history/sqlite';
import { createMemoryHistory } from '../support/memory-history';
import { temporaryFolder } from './sqlite-store';

const PIPELINE = 'sales';
const TTL_MS = 1_000;

/** What is true of one table: who holds it, under which fence, until when. */
interface TableModel {
  fence: number;
  holder?: { readonly owner: string; readonly fence: number; until: number };
}

interface Model {
  time: number;
  readonly tables: Map<string, TableModel>;
  /** Every lease ever given, in order; a step picks one by number. */
  readonly leases: { readonly table: string; readonly owner: string; readonly fence: number }[];
}

type Leases = Pick<History, 'acquireLease' | 'leaseHolder'>;

interface Real {
  readonly clock: { time: number };
  readonly history: Leases;
  readonly leases: Lease[];
}

type Step = fc.AsyncCommand<Model, Real>;

function holding(model: Model, picked: Model['leases'][number]) {
  const holder = model.tables.get(picked.table)?.holder;
  return holder?.owner === picked.owner && holder.fence === picked.fence ? holder : undefined;
}

class Acquire implements Step {
  constructor(
    readonly table: string,
    readonly owner: string,
  ) {}

  check = () => true;

  async run(model: Model, { history, leases }: Real) {
    const { table, owner } = this;
    const known = model.tables.get(table) ?? { fence: 0 };
    const blocked =
      known.holder !== undefined && known.holder.owner !== owner && known.holder.until > model.time;
    const lease = await history.acquireLease({ pipeline: PIPELINE, table, owner, ttlMs: TTL_MS });
    assert.strictEqual(lease === undefined, blocked);
    if (lease === undefined) return;
    assert.ok(lease.fence > known.fence, `fence ${lease.fence} after ${known.fence}`);
    const holder = { owner, fence: lease.fence, until: model.time + TTL_MS };
    model.tables.set(table, { fence: lease.fence, holder });
    model.leases.push({ table, owner, fence: lease.fence });
    leases.push(lease);
  }

  toString = () => `acquire(${this.table}, ${this.owner})`;
}

/** A step on a lease that was given earlier, be it stale or not. */
abstract class OnLease implements Step {
  constructor(readonly pick: number) {}

  check = (model: Readonly<Model>) => model.leases.length > 0;

  async run(model: Model, real: Real) {
    const index = this.pick % model.leases.length;
    const [picked, lease] = [model.leases[index], real.leases[index]];
    assert.ok(picked !== undefined && lease !== undefined);
    await this.apply(model, picked, lease);
  }

  abstract apply(model: Model, picked: Model['leases'][number], lease: Lease): Promise<void>;

  toString = () => `${this.constructor.name}(${this.pick})`;
}

class Renew extends OnLease {
  async apply(model: Model, picked: Model['leases'][number], lease: Lease) {
    const holder = holding(model, picked);
    assert.strictEqual(await succeeds(lease.renew()), holder !== undefined);
    if (holder !== undefined) holder.until = model.time + TTL_MS;
  }
}

class AssertHeld extends OnLease {
  async apply(model: Model, picked: Model['leases'][number], lease: Lease) {
    const holder = holding(model, picked);
    const held = holder !== undefined && holder.until > model.time;
    assert.strictEqual(await succeeds(lease.assertHeld()), held);
  }
}

class Release extends OnLease {
  async apply(model: Model, picked: Model['leases'][number], lease: Lease) {
    await lease.release();
    const table = model.tables.get(picked.table);
    if (table !== undefined && holding(model, picked) !== undefined) delete table.holder;
  }
}

class Elapse implements Step {
  constructor(readonly milliseconds: number) {}

  check = () => true;

  run(model: Model, { clock }: Real) {
    model.time += this.milliseconds;
    clock.time += this.milliseconds;
    return Promise.resolve();
  }

  toString = () => `elapse(${this.milliseconds})`;
}

class AskHolder implements Step {
  constructor(readonly table: string) {}

  check = () => true;

  async run(model: Model, { history }: Real) {
    const holder = model.tables.get(this.table)?.holder;
    const expected =
      holder !== undefined && holder.until > model.time
        ? { owner: holder.owner, until: new Date(holder.until).toISOString() }
        : undefined;
    assert.deepStrictEqual(await history.leaseHolder(PIPELINE, this.table), expected);
  }

  toString = () => `askHolder(${this.table})`;
}

async function succeeds(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch (error) {
    assert.ok(error instanceof ComportaError && error.code === 'LeaseLost', String(error));
    return false;
  }
}

const table = fc.constantFrom('orders', 'items');
const pick = fc.nat({ max: 30 });
const steps = [
  fc.tuple(table, fc.constantFrom('a', 'b', 'c')).map(([name, owner]) => new Acquire(name, owner)),
  pick.map((index) => new Renew(index)),
  pick.map((index) => new AssertHeld(index)),
  pick.map((index) => new Release(index)),
  // Back too, as a machine's clock can go, and exactly to the end of a lease.
  fc.constantFrom(1, 400, TTL_MS, -300).map((milliseconds) => new Elapse(milliseconds)),
  table.map((name) => new AskHolder(name)),
];

async function checkAgainstModel(
  openStore: (now: () => number) => Promise<{ history: Leases; dispose: () => Promise<void> }>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 60 }), async (commands) => {
      const clock = { time: Date.parse('2026-03-01T00:00:00Z') };
      const { history, dispose } = await openStore(() => clock.time);
      try {
        await fc.asyncModelRun(
          () => ({
            model: { time: clock.time, tables: new Map(), leases: [] },
            real: { clock, history, leases: [] },
          }),
          commands,
        );
      } finally {
        await dispose();
      }
    }),
    { seed: 20260303, numRuns: 60 },
  );
}

describe('leases', () => {
  it('on SQLite behave as a simple model says', async () => {
    await checkAgainstModel(async (now) => {
      const folder = await temporaryFolder();
      const history = await openSqliteHistory(join(folder.path, 'history.db'), { now });
      return {
        history,
        async dispose() {
          await history.close();
          await folder.remove();
        },
      };
    });
  });

  it('in a lake behave as a simple model says', async () => {
    await checkAgainstModel(async (now) => {
      const folder = await temporaryFolder();
      const leases = createLakeLeases(createFileStore(folder.path), now);
      return {
        history: {
          acquireLease: (request) => acquireLease(leases, request),
          leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
        },
        dispose: () => folder.remove(),
      };
    });
  });

  it('in memory behave as a simple model says', async () => {
    await checkAgainstModel((now) =>
      Promise.resolve({
        history: createMemoryHistory({ now }),
        dispose: () => Promise.resolve(),
      }),
    );
  });

  it('end exactly when their time is over', async () => {
    const folder = await temporaryFolder();
    let time = Date.parse('2026-03-01T00:00:00Z');
    const now = () => time;
    const stores = [
      await openSqliteHistory(join(folder.path, 'history.db'), { now }),
      createMemoryHistory({ now }),
    ];
    for (const history of stores) {
      const request = { pipeline: PIPELINE, table: 'orders', ttlMs: TTL_MS };
      const lease = await history.acquireLease({ ...request, owner: 'a' });
      time += TTL_MS - 1;
      await lease?.assertHeld();
      assert.strictEqual(await history.acquireLease({ ...request, owner: 'b' }), undefined);
      time += 1;
      await assert.rejects(async () => lease?.assertHeld());
      assert.ok(await history.acquireLease({ ...request, owner: 'b' }));
      await history.close();
    }
    await folder.remove();
  });

  it('begin with the seconds of the clock, and never at nothing', () => {
    assert.strictEqual(firstFence(1_772_323_200_999), 1_772_323_200);
    assert.strictEqual(firstFence(0), 1);
    assert.strictEqual(firstFence(-5_000), 1);
  });
});
