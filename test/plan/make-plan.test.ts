import assert from 'node:assert/strict';
import type { Destination } from '../../src/destinations/destination';
import { ComportaError } from '../../src/errors';
import type { History, HistoryEvent } from '../../src/history/history';
import type { Pipeline } from '../../src/pipeline/pipeline';
import { makePlan } from '../../src/plan/make-plan';
import type { Plan } from '../../src/plan/plan';
import { settingsFingerprint } from '../../src/plan/settings-fingerprint';
import { summarize } from '../../src/plan/summarize';
import type { PlanLoadRequest } from '../../src/workflows/api';
import { fakeSource, ID_COLUMN, type FakeTable } from '../support/fake-source';
import { createMemoryHistory } from '../support/memory-history';
import { FULL_LOAD } from '../support/table-settings';

const PIPELINE: Pipeline = {
  name: 'sales',
  file: 'sales.yaml',
  domain: 'sales',
  source: { connection: 'shop', schemas: [] },
  tables: { include: ['*'], exclude: ['tmp_*'] },
  defaults: FULL_LOAD,
  overrides: [],
  destination: {
    type: 'parquet',
    connection: 'lake',
    compression: 'zstd',
    zstdLevel: 1,
    retention: { runs: 3, days: 0 },
  },
  concurrency: 4,
};

/** A lake that has every table but those named `lost_…`. */
const DESTINATION = {
  description: 'file:/lake',
  publishedEntities: () => Promise.resolve({ has: (name: string) => !name.startsWith('lost_') }),
} as unknown as Destination;

function tableWith(token: string): FakeTable {
  return { ids: [], columns: [ID_COLUMN], token };
}

async function planOf(
  tables: Readonly<Record<string, string>>,
  history: History,
  request: Partial<PlanLoadRequest> = {},
  pipeline = PIPELINE,
): Promise<Plan> {
  const fakes = Object.entries(tables).map(([id, token]) => [id, tableWith(token)] as const);
  return makePlan(
    {
      pipeline,
      source: fakeSource(new Map(fakes)),
      destination: DESTINATION,
      history,
      now: () => new Date('2026-01-01T03:00:00Z'),
    },
    { pipeline: 'sales', batch: 'today', ...request },
  );
}

/** The event that a load of `table` at token `version` leaves. */
function success(table: string, version: string, more: Partial<HistoryEvent> = {}): HistoryEvent {
  return {
    id: `${table}/${version}/${more.kind ?? 'SUCCEEDED'}`,
    kind: 'SUCCEEDED',
    recordedAt: '2026-01-01T00:00:00.000Z',
    pipeline: 'sales',
    table,
    batch: 'before',
    run: `run-${version}`,
    token: {
      sourceTime: '2026-01-01T00:00:00.000000Z',
      evidence: [{ strategy: 'token', identity: { server: 'fake' }, values: { version } }],
      settings: settingsFingerprint(PIPELINE, FULL_LOAD, DESTINATION),
    },
    ...more,
  };
}

async function historyOf(...events: HistoryEvent[]): Promise<History> {
  const history = createMemoryHistory();
  await history.append(events);
  return history;
}

const ids = (plan: Plan) => plan.loads.map(({ table }) => table);

describe('makePlan', () => {
  it('loads what changed and what is new, and skips the rest with its proof', async () => {
    const history = await historyOf(success('orders', '1'), success('customers', '1'));
    const plan = await planOf({ orders: '2', customers: '1', coupons: '1', tmp_x: '1' }, history);
    assert.deepEqual(ids(plan).sort(), ['coupons', 'orders']);
    assert.deepEqual(
      plan.skips.map(({ table, decision }) => [table, decision.verdict]),
      [['customers', 'unchanged']],
    );
    assert.match(plan.skips[0]?.decision.reason ?? '', /same token/);
  });

  it('loads what the source says is unchanged and the lake no longer has', async () => {
    const history = await historyOf(success('lost_orders', '1'), success('customers', '1'));
    const plan = await planOf({ lost_orders: '1', customers: '1' }, history);
    assert.deepEqual(ids(plan), ['lost_orders']);
    assert.match(plan.loads[0]?.decision.reason ?? '', /the lake has no state of it/);
  });

  it('starts what took longest first', async () => {
    const history = await historyOf(
      success('quick', '1', { durationMs: 10 }),
      success('slow', '1', { durationMs: 9_000 }),
    );
    assert.deepEqual(ids(await planOf({ quick: '2', slow: '2' }, history)), ['slow', 'quick']);
  });

  it('takes a failed load for no load', async () => {
    const history = await historyOf(
      success('orders', '1'),
      success('orders', '2', { kind: 'FAILED' }),
    );
    assert.deepEqual(ids(await planOf({ orders: '2' }, history)), ['orders']);
  });

  it('forces what it is told to, and only among the tables asked for', async () => {
    const history = await historyOf(success('orders', '1'), success('customers', '1'));
    const plan = await planOf({ orders: '1', customers: '1' }, history, {
      tables: ['orders'],
      force: true,
    });
    assert.deepEqual(ids(plan), ['orders']);
    assert.equal(plan.loads[0]?.decision.verdict, 'forced');
    assert.equal(plan.skips.length, 0);
  });

  it('repeats what failed in a batch, and what began and never ended', async () => {
    const history = await historyOf(
      success('good', '1', { batch: 'night' }),
      success('bad', '1', { batch: 'night', kind: 'FAILED' }),
      success('lost', '1', { batch: 'night', kind: 'STARTED' }),
    );
    const plan = await planOf({ good: '1', bad: '1', lost: '1', other: '1' }, history, {
      failedOf: 'night',
    });
    assert.deepEqual(ids(plan).sort(), ['bad', 'lost']);
    await assert.rejects(
      planOf({ good: '1' }, history, { failedOf: 'no-such-batch' }),
      /no batch "no-such-batch"/,
    );
  });

  it('names an unknown table and the one that was probably meant', async () => {
    const history = createMemoryHistory();
    await assert.rejects(
      planOf({ orders: '1' }, history, { tables: ['ordres'] }),
      (error) =>
        error instanceof ComportaError &&
        error.code === 'TableNotFound' &&
        /no table "ordres" — did you mean "orders"/.test(error.message),
    );
  });

  it('warns of a table that vanished and of a pattern that matches nothing', async () => {
    const history = await historyOf(success('gone', '1'));
    const pipeline = { ...PIPELINE, overrides: [{ pattern: 'ordrs', settings: {} }] };
    const { warnings } = await planOf({ orders: '1' }, history, {}, pipeline);
    assert.equal(warnings.length, 2);
    assert.match(warnings.join('\n'), /gone was loaded before/);
    assert.match(warnings.join('\n'), /"ordrs" matches no table/);
  });

  it('loads again when the settings that shape the data changed, and only then', async () => {
    const history = await historyOf(success('orders', '1'));
    const masked = { ...PIPELINE, defaults: { ...FULL_LOAD, excludeColumns: ['email'] } };
    assert.deepEqual(ids(await planOf({ orders: '1' }, history, {}, masked)), ['orders']);
    const slower = { ...PIPELINE, defaults: { ...FULL_LOAD, timeoutMs: 1, maximumAttempts: 9 } };
    assert.deepEqual(ids(await planOf({ orders: '1' }, history, {}, slower)), []);
  });
});

describe('summarize', () => {
  const planned = (table: string): Plan['loads'][number] => ({
    table,
    mode: 'full',
    decision: { verdict: 'changed', reason: 'x' },
    load: { taskQueue: 'q', timeoutMs: 1, maximumAttempts: 1 },
  });

  it('counts by the history: what was reset and loaded since is loaded', async () => {
    const plan: Plan = {
      ...(await planOf({}, createMemoryHistory())),
      loads: ['good', 'reset', 'bad', 'lost', 'never'].map(planned),
    };
    const outcomes = new Map([
      ['good', success('good', '1', { rowsRead: 2, bytes: 10 })],
      ['reset', success('reset', '1', { rowsRead: 3, bytes: 5 })],
      ['bad', success('bad', '1', { kind: 'FAILED', error: 'no SELECT' })],
      ['lost', success('lost', '1', { kind: 'STARTED' })],
    ]);
    const summary = summarize(plan, 'plan.json', outcomes);
    assert.equal(summary.loaded, 2);
    assert.equal(summary.failed, 3);
    assert.equal(summary.rows, 5);
    assert.equal(summary.bytes, 15);
    assert.deepEqual(
      summary.failures.map(({ error }) => error.split(':')[0]),
      ['no SELECT', 'began and did not end', 'did not run'],
    );
  });
});
