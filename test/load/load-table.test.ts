import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Destination } from '../../src/destinations/destination';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { Engine } from '../../src/engines/engine';
import { ComportaError } from '../../src/errors';
import type { History } from '../../src/history/history';
import { loadTable, type LoadDependencies } from '../../src/load/load-table';
import type { Pipeline, TableSettings } from '../../src/pipeline/pipeline';
import { NO_TRACING } from '../../src/tracing/tracing';
import { fakeSource, ID_COLUMN, type FakeTable } from '../support/fake-source';
import { inlineEngine } from '../support/inline-engine';
import { createMemoryHistory } from '../support/memory-history';
import { moveRequest } from '../support/move-request';
import { FULL_LOAD } from '../support/table-settings';

interface Bench {
  /** Of the lake. */
  readonly root: string;
  readonly table: FakeTable;
  readonly history: History;
  readonly destination: Destination;
  load(run: string, attempt?: number, overrides?: Partial<LoadDependencies>): Promise<unknown>;
  published(): ReturnType<Destination['published']>;
  kinds(): Promise<string[]>;
}

async function withTable(
  settings: Partial<TableSettings>,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'comporta-load-'));
  const table: FakeTable = { ids: [1n, 2n, 3n], columns: [ID_COLUMN], token: 'a' };
  const history = createMemoryHistory();
  const pipeline = pipelineWith(settings);
  const destination = createParquetDestination(createFileStore(root), pipeline.destination);
  const source = fakeSource(new Map([['orders', table]]));
  const deps: LoadDependencies = {
    pipeline,
    source,
    destination,
    // The engine has its ends in hand and looks at no address.
    endpoints: moveRequest('orders'),
    history,
    engine: inlineEngine({ source, staging: destination }),
    now: () => new Date(),
    report: () => undefined,
    warn: (message) => assert.fail(message),
    tracer: NO_TRACING,
    signal: new AbortController().signal,
  };
  try {
    await body({
      root,
      table,
      history,
      destination,
      load: (run, attempt = 1, overrides = {}) =>
        loadTable(
          { ...deps, ...overrides },
          {
            identity: {
              pipeline: 'sales',
              domain: 'sales',
              entity: 'orders',
              table: 'orders',
              batch: 'batch',
              run,
              attempt,
              ingestionDate: '2026-01-01',
            },
            decision: { verdict: 'changed', reason: 'the test says so' },
            workflowId: 'workflow',
            workflowRunId: run,
          },
        ),
      published: () => destination.published('sales', 'orders'),
      kinds: async () =>
        (await history.events({ pipeline: 'sales' })).map(({ kind }) => kind).reverse(),
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function pipelineWith(settings: Partial<TableSettings>): Pipeline {
  return {
    name: 'sales',
    file: 'sales.yaml',
    domain: 'sales',
    source: { connection: 'shop', schemas: [] },
    tables: { include: ['*'], exclude: [] },
    defaults: { ...FULL_LOAD, ...settings },
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
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof ComportaError && error.code === code;
}

describe('loadTable', () => {
  it('publishes the rows and records them with the token that was read before', async () => {
    await withTable({}, async ({ load, published, history, kinds }) => {
      await load('run-1');
      assert.equal((await published())?.rows, 3);
      assert.deepEqual(await kinds(), ['STARTED', 'SUCCEEDED']);
      const { lastSuccess } = (await history.states('sales')).get('orders') ?? {};
      assert.equal(lastSuccess?.rowsAtSource, 3);
      assert.equal(lastSuccess?.rowsRead, 3);
      assert.equal(lastSuccess?.rowsWritten, 3);
      assert.deepEqual(lastSuccess?.token?.evidence[0]?.values, { version: 'a' });
      assert.ok(lastSuccess?.token?.settings);
    });
  });

  it('loads the table it was asked for, although the source lists more', async () => {
    await withTable({}, async ({ table, load, published }) => {
      const other: FakeTable = { ids: [7n], columns: [ID_COLUMN], token: 'b' };
      const source = fakeSource(
        new Map([
          ['a_table_before', other],
          ['orders', table],
        ]),
      );
      const listsAll = { ...source, listTables: () => source.listTables() };
      await load('run-1', 1, { source: listsAll });
      assert.equal((await published())?.rows, 3);
    });
  });

  it('publishes nothing when the counts differ', async () => {
    await withTable({}, async ({ table, load, published, kinds }) => {
      table.sent = () => 4;
      await assert.rejects(load('run-1'), hasCode('RowCountMismatch'));
      assert.equal(await published(), undefined);
      assert.deepEqual(await kinds(), ['STARTED']);
    });
  });

  it('removes what an engine that broke down left behind', async () => {
    await withTable({}, async ({ load, destination, root }) => {
      const broken: Engine = {
        name: 'embedded',
        streams: 1,
        async move({ identity }) {
          const writer = await destination.stage(identity, [ID_COLUMN]);
          await writer.finish();
          throw new ComportaError('EngineFailed', 'the thread broke down');
        },
        close: () => Promise.resolve(),
      };
      await assert.rejects(load('run-1', 1, { engine: broken }), hasCode('EngineFailed'));
      assert.deepEqual(await readdir(join(root, '_staging/sales/orders')), []);
    });
  });

  it('does not empty a table on the word of one reading', async () => {
    await withTable({}, async ({ table, load, published }) => {
      await load('run-1');
      table.ids = [];
      table.count = () => 3;
      await assert.rejects(load('run-2'), hasCode('EmptyingRefused'));
      assert.equal((await published())?.rows, 3);
    });
  });

  it('does not cut a table beyond its guard on the word of one reading', async () => {
    await withTable({ guard: { maxDropShare: 0.5 } }, async ({ table, load, published }) => {
      await load('run-1');
      table.ids = [1n];
      table.count = () => 3;
      await assert.rejects(load('run-2'), hasCode('EmptyingRefused'));
      assert.equal((await published())?.rows, 3);
    });
  });

  it('empties a table that a second count confirms to be empty', async () => {
    await withTable({}, async ({ table, load, published }) => {
      await load('run-1');
      table.ids = [];
      await load('run-2');
      assert.equal((await published())?.rows, 0);
    });
  });

  it('only records what an attempt killed after the swap had published', async () => {
    await withTable({}, async ({ table, load, history, kinds, published }) => {
      const dying: History = {
        ...history,
        append: (events) =>
          events.some(({ kind }) => kind === 'SUCCEEDED')
            ? Promise.reject(new Error('killed'))
            : history.append(events),
      };
      await assert.rejects(load('run-1', 1, { history: dying }), /killed/);
      assert.deepEqual(await kinds(), ['STARTED']);

      table.ids = [1n, 2n, 3n, 4n];
      await load('run-1', 2);
      assert.deepEqual(await kinds(), ['STARTED', 'SUCCEEDED']);
      assert.equal((await published())?.rows, 3, 'not loaded a second time');
      const { lastSuccess } = (await history.states('sales')).get('orders') ?? {};
      assert.equal(lastSuccess?.rowsAtSource, 3);
      assert.deepEqual(lastSuccess?.token?.evidence[0]?.values, { version: 'a' });
    });
  });

  it('repeats an attempt killed in mid-load, beside what it left', async () => {
    await withTable({}, async ({ table, load, published }) => {
      table.afterBatch = () => Promise.reject(new Error('killed'));
      await assert.rejects(load('run-1', 1), /killed/);
      assert.equal(await published(), undefined);
      table.afterBatch = () => undefined;
      await load('run-1', 2);
      assert.equal((await published())?.rows, 3);
    });
  });

  it('lets a second run wait until the first has let go of the table', async () => {
    await withTable({}, async ({ table, load, published }) => {
      let letGo = () => undefined as void;
      const held = new Promise<void>((resolve) => (letGo = resolve));
      let reading = () => undefined as void;
      const started = new Promise<void>((resolve) => (reading = resolve));
      table.afterBatch = () => {
        reading();
        return held;
      };
      const first = load('run-1');
      await started;
      const phases: string[] = [];
      const waiting = new Promise<void>((resolve) => {
        void load('run-2', 1, {
          report: ({ phase }) => {
            phases.push(phase);
            if (phase === 'waiting') resolve();
          },
        }).then(
          () => phases.push('done'),
          (error: unknown) => phases.push(String(error)),
        );
      });
      await waiting;
      letGo();
      await first;
      assert.equal((await published())?.run, 'run-1');
      while (phases.at(-1) !== 'done') await new Promise((resolve) => setImmediate(resolve));
      assert.equal((await published())?.run, 'run-2');
    });
  });

  it('asks nothing of the source before it has a place there, and gives it back before it publishes', async () => {
    await withTable({}, async ({ table, load, destination }) => {
      const done: string[] = [];
      const source = fakeSource(new Map([['orders', table]]));
      const noted =
        <Args extends unknown[], Result>(name: string, work: (...args: Args) => Result) =>
        (...args: Args): Result => {
          done.push(name);
          return work(...args);
        };
      await load('run-1', 1, {
        source: { ...source, listTables: noted('listTables', source.listTables) },
        destination: { ...destination, publish: noted('publish', destination.publish) },
        report: ({ phase, waitingFor }) => {
          if (waitingFor !== undefined) done.push(`${phase} for ${waitingFor}`);
        },
        places: {
          take: (_signal, onWait) => {
            onWait('its place');
            done.push('taken');
            const { signal } = new AbortController();
            return Promise.resolve({ signal, release: () => void done.push('released') });
          },
          close: () => Promise.resolve(),
        },
      });
      assert.deepEqual(done, [
        'waiting for its place',
        'taken',
        'listTables',
        'released',
        'publish',
      ]);
    });
  });

  it('ends with its place, and gives it back when it fails', async () => {
    await withTable({}, async ({ table, load, published, kinds }) => {
      const lost = new AbortController();
      table.afterBatch = () => lost.abort(new ComportaError('LeaseLost', 'the place is lost'));
      let released = 0;
      const places = {
        take: () => Promise.resolve({ signal: lost.signal, release: () => void (released += 1) }),
        close: () => Promise.resolve(),
      };
      await assert.rejects(load('run-1', 1, { places }), hasCode('LeaseLost'));
      assert.equal(await published(), undefined);
      assert.deepEqual(await kinds(), ['STARTED']);
      assert.equal(released, 1);
    });
  });

  it('publishes nothing once another owner has the table', async () => {
    await withTable({}, async ({ table, load, history, published }) => {
      table.afterBatch = async () => {
        // The same owner, as a later attempt of this run would: its lease gets a new fence.
        await history.acquireLease({
          pipeline: 'sales',
          table: 'orders',
          owner: 'run-1',
          ttlMs: 60_000,
        });
      };
      await assert.rejects(load('run-1'), hasCode('LeaseLost'));
      assert.equal(await published(), undefined);
    });
  });

  it('records a changed schema, and refuses it where the pipeline says so', async () => {
    await withTable({}, async ({ table, load, history }) => {
      await load('run-1');
      table.columns = [ID_COLUMN, { ...ID_COLUMN, name: 'extra' }];
      await load('run-2');
      const { lastSuccess } = (await history.states('sales')).get('orders') ?? {};
      assert.deepEqual(lastSuccess?.schemaChanges, ['added extra int64']);
    });
    await withTable({ onSchemaChange: 'fail' }, async ({ table, load, published }) => {
      await load('run-1');
      table.columns = [ID_COLUMN, { ...ID_COLUMN, name: 'extra' }];
      await assert.rejects(load('run-2'), hasCode('SchemaChanged'));
      assert.equal((await published())?.run, 'run-1');
    });
  });

  it('goes on from the cursor, merges by key, and starts over when the history was reset', async () => {
    const settings = { mode: 'incremental', cursor: { column: 'id', lookBack: 0 } } as const;
    await withTable(settings, async ({ table, load, published, history }) => {
      await load('run-1');
      table.ids = [2n, 3n, 4n, 5n];
      await load('run-2');
      const second = (await history.states('sales')).get('orders')?.lastSuccess;
      assert.equal(second?.rowsRead, 3, 'from 3 on');
      assert.equal((await published())?.rows, 5, '1 and 2 stay');

      await history.append([
        {
          id: 'reset',
          kind: 'RESET',
          recordedAt: new Date().toISOString(),
          pipeline: 'sales',
          table: 'orders',
          batch: '',
          run: '',
        },
      ]);
      await load('run-3');
      assert.equal((await published())?.rows, 4, 'the whole table as it is now');
    });
  });
});
