import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ComportaError, type ErrorCode } from '../../src/errors';
import type {
  BriefState,
  History,
  HistoryEvent,
  HistoryEventKind,
  Lease,
} from '../../src/history/history';
import { event, FULL_EVENT, HOSTILE_NAMES } from './events';

/** One empty store. */
export interface HistoryStore {
  /** Another connection to the store, as another process would have. */
  open(): Promise<History>;
  /** Makes leases as much older. */
  elapse(milliseconds: number): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * What every History does; registered as tests under `name`.
 * @param scenarios how many are made up for the comparison with a plain reading.
 */
export function historyContract(
  name: string,
  newStore: () => Promise<HistoryStore>,
  scenarios = 60,
): void {
  describe(`history contract: ${name}`, () => {
    let store: HistoryStore;
    let history: History;

    beforeEach(async () => {
      store = await newStore();
      history = await store.open();
    });

    afterEach(async () => {
      await history.close();
      await store.dispose();
    });

    describe('events', () => {
      it('come back as they were recorded, every field', async () => {
        await history.append([FULL_EVENT]);
        assert.deepStrictEqual(await history.events({ pipeline: 'sales' }), [FULL_EVENT]);
      });

      it('have no field that was not given', async () => {
        const skipped = event('SKIPPED', 'orders', 'b1');
        await history.append([skipped]);
        const [found] = await history.events({ pipeline: 'sales' });
        assert.deepStrictEqual(Object.keys(found ?? {}).sort(), Object.keys(skipped).sort());
      });

      it('are seen by every other connection once the append is done', async () => {
        const other = await store.open();
        await history.append([event('SUCCEEDED', 'orders', 'b1')]);
        assert.strictEqual((await other.events({ pipeline: 'sales' })).length, 1);
        await other.close();
      });

      it('of an id that is there already change nothing', async () => {
        const first = event('FAILED', 'orders', 'b1', { error: 'first' });
        const second = { ...first, error: 'second', batch: 'b2' };
        await history.append([first, second]);
        await history.append([second, event('SUCCEEDED', 'orders', 'b2')]);
        const found = await history.events({ pipeline: 'sales', kinds: ['FAILED'] });
        assert.deepStrictEqual(found, [first]);
        assert.strictEqual((await history.events({ pipeline: 'sales' })).length, 2);
      });

      it('of one append are recorded all or not at all', async () => {
        const broken = event('SUCCEEDED', 'b', 'b1', { rowsRead: 1.5 });
        await rejectsWith(
          'HistoryFailed',
          /rowsRead/,
          history.append([event('STARTED', 'a', 'b1'), broken]),
        );
        const timeless = event('SUCCEEDED', 'b', 'b1', { endedAt: 'yesterday' });
        await rejectsWith(
          'HistoryFailed',
          /endedAt/,
          history.append([event('STARTED', 'a', 'b1'), timeless]),
        );
        assert.deepStrictEqual(await history.events({ pipeline: 'sales' }), []);
      });

      it('may be none', async () => {
        await history.append([]);
        assert.deepStrictEqual(await history.events({ pipeline: 'sales' }), []);
      });

      it('keep hostile names apart', async () => {
        await history.append(
          HOSTILE_NAMES.map((table) => event('SUCCEEDED', table, 'b1', { pipeline: `p ${table}` })),
        );
        for (const table of HOSTILE_NAMES) {
          const pipeline = `p ${table}`;
          const states = await history.states(pipeline);
          assert.deepStrictEqual([...states.keys()], [table]);
          assert.strictEqual((await history.states(pipeline, [table])).size, 1);
          assert.strictEqual((await history.events({ pipeline, table })).length, 1);
        }
      });

      it('replace what no store can keep in a text', async () => {
        const error = 'a\u0000b\ud800c\udc00d😀';
        const files = ['a\u0000b\\u0000c\ud800'];
        await history.append([event('FAILED', 'orders', 'b1', { error, files })]);
        const [found] = await history.events({ pipeline: 'sales' });
        assert.strictEqual(found?.error, 'a\ufffdb\ufffdc\ufffdd😀');
        assert.deepStrictEqual(found.files, ['a\ufffdb\\u0000c\ufffd']);
      });

      it('are found newest first, a hundred unless more are asked for', async () => {
        const many = Array.from({ length: 120 }, (_, i) => event('SKIPPED', 'orders', `b${i}`));
        await history.append(many);
        const newestFirst = many.toReversed();
        assert.deepStrictEqual(
          await history.events({ pipeline: 'sales' }),
          newestFirst.slice(0, 100),
        );
        assert.deepStrictEqual(
          await history.events({ pipeline: 'sales', limit: 1000 }),
          newestFirst,
        );
        assert.deepStrictEqual(await history.events({ pipeline: 'sales', limit: 0 }), []);
      });

      it('are not asked for by a limit that is no number of events', async () => {
        for (const limit of [-1, 1.5, NaN]) {
          await rejectsWith(
            'ConfigurationInvalid',
            /number of events/,
            history.events({ pipeline: 'sales', limit }),
          );
        }
      });

      it('are found by table, batch and kinds', async () => {
        const orders = event('SUCCEEDED', 'orders', 'b1');
        const items = event('FAILED', 'items', 'b1');
        const later = event('SKIPPED', 'orders', 'b2');
        const other = event('SUCCEEDED', 'orders', 'b1', { pipeline: 'finance' });
        await history.append([orders, items, later, other]);
        const find = (query: object) => history.events({ pipeline: 'sales', ...query });
        assert.deepStrictEqual(await find({ table: 'orders' }), [later, orders]);
        assert.deepStrictEqual(await find({ batch: 'b1' }), [items, orders]);
        assert.deepStrictEqual(await find({ table: 'orders', batch: 'b1' }), [orders]);
        assert.deepStrictEqual(await find({ kinds: ['SUCCEEDED', 'FAILED'] }), [items, orders]);
        assert.deepStrictEqual(await find({ kinds: ['SKIPPED'], batch: 'b2' }), [later]);
        assert.deepStrictEqual(await find({ kinds: [] }), []);
      });
    });

    describe('states', () => {
      it('are the last event and the last success', async () => {
        const success = event('SUCCEEDED', 'orders', 'b1');
        const failure = event('FAILED', 'orders', 'b2');
        const never = event('FAILED', 'items', 'b2');
        await history.append([success, failure, never]);
        assert.deepStrictEqual(
          await history.states('sales'),
          new Map([
            ['items', { table: 'items', last: never }],
            ['orders', { table: 'orders', lastSuccess: success, last: failure }],
          ]),
        );
      });

      it('forget the successes before a reset', async () => {
        const reset = event('RESET', 'orders', 'r1');
        await history.append([event('SUCCEEDED', 'orders', 'b1'), reset]);
        assert.deepStrictEqual((await history.states('sales')).get('orders'), {
          table: 'orders',
          last: reset,
        });
        const again = event('SUCCEEDED', 'orders', 'b2');
        await history.append([again]);
        const states = await history.states('sales');
        assert.deepStrictEqual(states.get('orders')?.lastSuccess, again);
      });

      it('follow the order of recording and not the clocks', async () => {
        const early = event('SUCCEEDED', 'orders', 'b1', {
          recordedAt: '2026-03-09T00:00:00.000Z',
        });
        const late = event('SUCCEEDED', 'orders', 'b2', { recordedAt: '2026-03-01T00:00:00.000Z' });
        await history.append([early]);
        await history.append([late]);
        assert.deepStrictEqual((await history.states('sales')).get('orders')?.last, late);
      });

      it('are also given in brief: when tables were loaded, and what was last heard of them', async () => {
        const skipped = event('SKIPPED', 'orders', 'b2', {
          recordedAt: '2026-03-02T02:00:00.000Z',
          verdict: 'unchanged',
        });
        await history.append([FULL_EVENT, skipped, event('FAILED', 'items', 'b2')]);
        const brief = await history.briefStates('sales');
        assert.deepStrictEqual(inBrief(brief), inBrief(await history.states('sales')));
        assert.strictEqual(brief.get('orders')?.lastSuccess?.startedAt, FULL_EVENT.startedAt);
        assert.strictEqual(brief.get('orders')?.last?.verdict, 'unchanged');
        assert.strictEqual((await history.briefStates('finance')).size, 0);
      });

      it('are given for the named tables only', async () => {
        await history.append(['a', 'b', 'c'].map((table) => event('SUCCEEDED', table, 'b1')));
        const states = await history.states('sales', ['a', 'c', 'a', 'unknown']);
        assert.deepStrictEqual([...states.keys()].sort(), ['a', 'c']);
        assert.strictEqual((await history.states('sales', [])).size, 0);
        assert.strictEqual((await history.states('finance')).size, 0);
      });
    });

    describe('outcomes', () => {
      const batch = 'b1';

      it('are what weighs most of each table', async () => {
        const loaded = event('SUCCEEDED', 'orders', 'run-2', { batch });
        const skipped = event('SKIPPED', 'items', batch);
        await history.append([
          event('STARTED', 'orders', 'run-1', { batch }),
          loaded,
          event('FAILED', 'orders', 'run-3', { batch }),
          skipped,
          event('SUCCEEDED', 'items', 'b2'),
        ]);
        assert.deepStrictEqual(
          await history.outcomes('sales', batch),
          new Map([
            ['orders', loaded],
            ['items', skipped],
          ]),
        );
      });

      it('are the later of two that weigh the same', async () => {
        const later = event('FAILED', 'orders', 'run-2', { batch });
        await history.append([event('FAILED', 'orders', 'run-1', { batch }), later]);
        assert.deepStrictEqual((await history.outcomes('sales', batch)).get('orders'), later);
      });

      it('are none of an unknown batch', async () => {
        await history.append([event('RESET', 'orders', 'r1')]);
        assert.strictEqual((await history.outcomes('sales', 'nowhere')).size, 0);
        assert.strictEqual((await history.outcomes('sales', '')).size, 0);
      });
    });

    it('answers as a plain reading of all events would', async () => {
      let scenario = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyEvent, { maxLength: 6 }), { maxLength: 6 }),
          async (appends) => {
            // Apart from the other runs of this property in the same store.
            const named = (pipeline: string) => `${pipeline}-${scenario}`;
            scenario += 1;
            const recorded = appends.map((batch) =>
              batch.map(({ pipeline, ...rest }) =>
                event(rest.kind, rest.table, rest.scope, { pipeline: named(pipeline) }),
              ),
            );
            for (const batch of recorded) await history.append(batch);
            const all = firstOfEachId(recorded.flat());
            for (const pipeline of ['p', 'q'].map(named)) {
              const own = all.filter((one) => one.pipeline === pipeline);
              assert.deepStrictEqual(await history.events({ pipeline }), own.toReversed());
              assert.deepStrictEqual(sorted(await history.states(pipeline)), statesByReading(own));
              assert.deepStrictEqual(
                inBrief(await history.briefStates(pipeline)),
                inBrief(await history.states(pipeline)),
              );
              for (const batch of SCOPES) {
                const outcomes = await history.outcomes(pipeline, batch);
                assert.deepStrictEqual(sorted(outcomes), outcomesByReading(own, batch));
              }
            }
          },
        ),
        { seed: 20260301, numRuns: scenarios },
      );
    });

    describe('leases', () => {
      const request = { pipeline: 'sales', table: 'orders', ttlMs: 60_000 };

      async function acquire(owner: string, from = history): Promise<Lease> {
        const lease = await from.acquireLease({ ...request, owner });
        assert.ok(lease !== undefined, `${owner} got no lease`);
        return lease;
      }

      it('belong to one owner at a time', async () => {
        const other = await store.open();
        const lease = await acquire('a');
        assert.strictEqual(await other.acquireLease({ ...request, owner: 'b' }), undefined);
        await lease.assertHeld();
        const holder = await other.leaseHolder('sales', 'orders');
        assert.strictEqual(holder?.owner, 'a');
        assert.strictEqual(new Date(holder.until).toISOString(), holder.until);
        assert.strictEqual(await other.leaseHolder('sales', 'items'), undefined);
        assert.ok(await other.acquireLease({ ...request, table: 'items', owner: 'b' }));
        assert.ok(await other.acquireLease({ ...request, pipeline: 'finance', owner: 'c' }));
        const items = await other.leaseHolder('sales', 'items');
        assert.deepStrictEqual(
          sorted(await history.leaseHolders('sales')),
          Object.entries({ items, orders: holder }),
        );
        await lease.release();
        assert.deepStrictEqual([...(await history.leaseHolders('sales')).keys()], ['items']);
        await store.elapse(60_001);
        assert.strictEqual((await history.leaseHolders('sales')).size, 0);
        await other.close();
      });

      it('go to exactly one of many who ask at once', async () => {
        const others = await Promise.all([store.open(), store.open(), store.open()]);
        for (let round = 0; round < 5; round++) {
          const leases = await Promise.all(
            Array.from({ length: 12 }, (_, i) =>
              (others[i % 3] ?? history).acquireLease({ ...request, owner: `${round}-${i}` }),
            ),
          );
          const winners = leases.filter((lease) => lease !== undefined);
          assert.strictEqual(winners.length, 1);
          await winners[0]?.release();
        }
        await Promise.all(others.map((other) => other.close()));
      });

      it('come with an event on record, and refused ones without', async () => {
        const started = (run: string) => event('STARTED', 'orders', run);
        const ask = (owner: string) =>
          history.acquireLease({ ...request, owner, event: started(owner) });
        assert.ok(await ask('a'));
        assert.strictEqual(await ask('b'), undefined);
        assert.ok(await ask('a'), 'a later attempt of the same run');
        const recorded = await history.events({ pipeline: 'sales', kinds: ['STARTED'] });
        assert.deepStrictEqual(recorded, [started('a')]);
      });

      it('run out, and then another owner may take them', async () => {
        const first = await acquire('a');
        await store.elapse(60_001);
        await rejectsWith('LeaseLost', /nobody holds it/, first.assertHeld());
        assert.strictEqual(await history.leaseHolder('sales', 'orders'), undefined);
        const second = await acquire('b');
        assert.ok(second.fence > first.fence);
        await rejectsWith('LeaseLost', /sales \/ orders: .*b holds it/, first.assertHeld());
        await rejectsWith('LeaseLost', /b holds it/, first.renew());
        await first.release();
        await second.assertHeld();
      });

      it('last longer when renewed', async () => {
        const lease = await acquire('a');
        await store.elapse(40_000);
        await lease.renew();
        await store.elapse(40_000);
        await lease.assertHeld();
        assert.strictEqual(await history.acquireLease({ ...request, owner: 'b' }), undefined);
      });

      it('that ran out can be renewed while nobody took them', async () => {
        const lease = await acquire('a');
        await store.elapse(60_001);
        await lease.renew();
        await lease.assertHeld();
      });

      it('are taken over by a later attempt of the same owner at once', async () => {
        const first = await acquire('a');
        const second = await acquire('a');
        assert.ok(second.fence > first.fence);
        await second.assertHeld();
        await rejectsWith('LeaseLost', /fence/, first.assertHeld());
        await rejectsWith('LeaseLost', /fence/, first.renew());
        await first.release();
        await second.assertHeld();
      });

      it('are free after release, and their fence still grows', async () => {
        const first = await acquire('a');
        await first.release();
        await first.release();
        assert.strictEqual(await history.leaseHolder('sales', 'orders'), undefined);
        await rejectsWith('LeaseLost', /nobody/, first.assertHeld());
        await rejectsWith('LeaseLost', /nobody/, first.renew());
        const second = await acquire('b');
        assert.ok(second.fence > first.fence);
      });

      it('begin above the fences of a store that was lost', async () => {
        const lease = await acquire('a');
        // Within one real clock's reach of this test: a store made later begins later.
        assert.ok(lease.fence > Date.parse('2025-01-01') / 1000);
      });

      it('need a time to live', async () => {
        for (const ttlMs of [0, -1, NaN, Infinity]) {
          const acquired = history.acquireLease({ ...request, owner: 'a', ttlMs });
          await rejectsWith('ConfigurationInvalid', /lease/, acquired);
        }
      });
    });
  });
}

const SCOPES = ['b1', 'b2', 'b3'];
const KINDS: readonly HistoryEventKind[] = ['STARTED', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'RESET'];

const anyEvent = fc.record({
  kind: fc.constantFrom(...KINDS),
  pipeline: fc.constantFrom('p', 'q'),
  table: fc.constantFrom('a', 'A', 'a.b', 'ä'),
  scope: fc.constantFrom(...SCOPES),
});

function firstOfEachId(events: readonly HistoryEvent[]): HistoryEvent[] {
  return events.filter((one, index) => events.findIndex(({ id }) => id === one.id) === index);
}

/** Nothing but what a brief state has to have. */
function inBrief(states: ReadonlyMap<string, BriefState>) {
  return sorted(
    new Map(
      [...states].map(([name, { table, last, lastSuccess }]) => [
        name,
        {
          ...{ table, kind: last?.kind, recordedAt: last?.recordedAt, verdict: last?.verdict },
          ...{ succeeded: lastSuccess !== undefined, startedAt: lastSuccess?.startedAt },
        },
      ]),
    ),
  );
}

function statesByReading(events: readonly HistoryEvent[]) {
  return tablesOf(events).map((table) => {
    const own = events.filter((one) => one.table === table);
    const sinceReset = own.slice(own.findLastIndex(({ kind }) => kind === 'RESET') + 1);
    const lastSuccess = sinceReset.findLast(({ kind }) => kind === 'SUCCEEDED');
    const state = { table, last: own.at(-1) };
    return [table, lastSuccess === undefined ? state : { ...state, lastSuccess }];
  });
}

function outcomesByReading(events: readonly HistoryEvent[], batch: string) {
  const own = events.filter((one) => one.batch === batch);
  return tablesOf(own).map((table) => {
    const ofTable = own.filter((one) => one.table === table);
    const kinds = ['SUCCEEDED', 'FAILED', 'STARTED', 'SKIPPED'];
    const best = kinds.find((kind) => ofTable.some((one) => one.kind === kind));
    return [table, ofTable.findLast(({ kind }) => kind === best)];
  });
}

function tablesOf(events: readonly HistoryEvent[]): string[] {
  return [...new Set(events.map(({ table }) => table))].sort();
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Asserts that it rejects with a ComportaError of this code, whose message says this. */
export async function rejectsWith(
  code: ErrorCode,
  message: RegExp,
  promise: Promise<unknown>,
): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.strictEqual(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}
