import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { currentPath, symlinkPath, viewPath } from '../../src/destinations/parquet/layout';
import type { PublishedState } from '../../src/destinations/destination';
import { entityOf } from '../../src/pipeline/entity';
import { eventually } from '../support/eventually';
import {
  allFiles,
  pendingLoad,
  ROWS,
  startProcessWorld,
  type Load,
  type ProcessWorld,
} from '../support/process-world';
import { startFaultyProxy } from '../support/faulty-proxy';
import { watchTable } from '../support/watched-table';
import type { WorkerProcess } from '../support/worker-process';

/** How soon rows flow again when a worker has come back. */
const RETURNED_RESUMES_MS = 5_000;
/** Temporal must notice first: 4.5 seconds, and what a busy machine adds. */
const SURVIVOR_RESUMES_MS = 8_000;

describe('a worker that dies, freezes or is cut off in mid-load', function () {
  this.timeout(120_000);

  let world: ProcessWorld;
  let control: WorkerProcess;

  before(async () => {
    world = await startProcessWorld();
    control = await world.startWorker('control');
  });
  afterEach(() => world.gate.open());
  after(() => world?.close());

  /** A table that was loaded once and changed since, with a reader who watches it. */
  async function changedTable() {
    const table = await world.createTable();
    await (await world.begin(table, 'first')).result();
    await world.change(table, 2);
    const entity = entityOf(table, 'postgres');
    const reader = watchTable(createFileStore(world.lake), 'shop', entity);
    return { table, entity, reader };
  }

  /** Starts the load of a changed table, which then stands at the gate, half read. */
  async function halfLoaded() {
    const changed = await changedTable();
    await world.gate.close();
    const load = await world.begin(changed.table, 'second');
    await world.gate.reachedBy(1);
    await eventually(async () => {
      const { progress } = await pendingLoad(load);
      assert.ok((progress?.rows ?? 0) > 0, JSON.stringify(progress));
    });
    return { ...changed, load };
  }

  type HalfLoaded = Awaited<ReturnType<typeof halfLoaded>>;

  const currentOf = async (entity: string) =>
    JSON.parse(
      await readFile(join(world.lake, currentPath('shop', entity)), 'utf8'),
    ) as PublishedState;

  /** What must hold after every fault, when the load is done. */
  async function assertSound(
    { table, entity, reader, load }: HalfLoaded,
    { attempts }: { readonly attempts?: number } = {},
  ) {
    const result = await load.result();
    assert.equal(result.rows, ROWS);
    // The state before, whole, and the state after, whole.
    assert.deepEqual(await reader.stop(), [
      [ROWS, 1, 1],
      [ROWS, 2, 2],
    ]);
    const history = await world.history();
    const recorded = (
      await history.events({ pipeline: 'shop', table, kinds: ['SUCCEEDED'] })
    ).filter(({ run }) => run === result.run);
    assert.equal(recorded.length, 1);
    const [event] = recorded;
    assert.deepEqual(
      [event?.rowsAtSource, event?.rowsRead, event?.rowsWritten, event?.rowsPublished],
      [ROWS, ROWS, ROWS, ROWS],
    );
    if (attempts !== undefined) assert.equal(event?.attempts, attempts);
    const failed = await history.events({ pipeline: 'shop', table, kinds: ['FAILED'] });
    assert.deepEqual(failed, []);
    await assertNothingLeft(entity);
  }

  const isUnfinished = (path: string) => path.startsWith('_staging/') || path.includes('/.');

  /** Files that no state of the table names, hidden ones, and connections. */
  async function assertNothingLeft(entity: string) {
    const named = new Set((await currentOf(entity)).files.map(({ path }) => path));
    const files = await allFiles(world.lake);
    assert.deepEqual(files.filter(isUnfinished), []);
    const present = files.filter((path) => path.startsWith(`raw/shop/${entity}/`));
    const first = present.filter((path) => path.includes('run_id=first-'));
    assert.equal(first.length, 1, present.join());
    assert.deepEqual(
      present.filter((path) => !named.has(path)),
      first,
    );
    await world.gate.noSessions();
  }

  /** What readers go by repeats the present state, and no document is on its way. */
  async function assertReadersFollow(entity: string) {
    const { run, files } = await currentOf(entity);
    const read = (path: string) => readFile(join(world.lake, path), 'utf8');
    assert.ok((await read(viewPath('shop', entity))).includes(run));
    const symlinks = await read(symlinkPath('shop', entity));
    assert.ok(files.every(({ path }) => symlinks.includes(path)));
    assert.deepEqual((await allFiles(world.lake)).filter(isUnfinished), []);
  }

  const engines = new Set<WorkerProcess>();

  /** So many workers of the role `embedded`, those that are there first. */
  async function engineWorkers(count: number): Promise<WorkerProcess[]> {
    for (const worker of [...engines].slice(count)) await killed(worker);
    const missing = Array.from({ length: count - engines.size }, () =>
      world.startWorker('embedded'),
    );
    for (const worker of await Promise.all(missing)) engines.add(worker);
    return [...engines];
  }

  async function killed(worker: WorkerProcess) {
    engines.delete(worker);
    await worker.kill9();
  }

  /** The one of two workers that has the load, and the other. */
  async function ownerOf(load: Load) {
    const { worker } = await pendingLoad(load);
    const [owner] = [...engines].filter(({ pid }) => worker.startsWith(`${pid}@`));
    const [other] = [...engines].filter((engine) => engine !== owner);
    assert.ok(owner !== undefined && other !== undefined, worker);
    return { owner, other };
  }

  async function within(milliseconds: number, work: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await work();
    const took = Math.round(performance.now() - began);
    assert.ok(took < milliseconds, `it took ${took} ms`);
  }

  it('kill -9 of every worker: the load goes on as soon as they are back', async () => {
    await engineWorkers(1);
    const half = await halfLoaded();
    await Promise.all([...engines, control].map(killed));
    control = await world.startWorker('control');
    await engineWorkers(1);
    // The killed worker's session still stands at the gate.
    await within(RETURNED_RESUMES_MS, () => world.gate.reachedBy(2));
    await world.gate.open();
    await assertSound(half, { attempts: 2 });
  });

  it('kill -9 of one of two workers: the other one goes on', async () => {
    await engineWorkers(2);
    const half = await halfLoaded();
    const { owner } = await ownerOf(half.load);
    await killed(owner);
    await within(SURVIVOR_RESUMES_MS, () => world.gate.reachedBy(2));
    await world.gate.open();
    await assertSound(half, { attempts: 2 });
  });

  it('kill -9 between publication and record: the next attempt only records', async () => {
    await engineWorkers(2);
    const half = await halfLoaded();
    const { owner } = await ownerOf(half.load);
    const before = await currentOf(half.entity);
    // Nobody can write into the history now; who reads it is not held up (SQLite's write-ahead log).
    const history = new Database(join(world.lake, '../.comporta/history.db'));
    history.exec('BEGIN IMMEDIATE');
    await world.gate.open();
    // A kill while documents are on their way is test/destinations/crash.test.ts's.
    await eventually(async () => {
      assert.notEqual((await currentOf(half.entity)).run, before.run);
      await assertReadersFollow(half.entity);
    });
    const published = await currentOf(half.entity);
    await killed(owner);
    history.exec('ROLLBACK');
    history.close();
    await assertSound(half, { attempts: 2 });
    assert.deepEqual(await currentOf(half.entity), published);
  });

  it('frozen until its successor has published: it changes nothing', async () => {
    await engineWorkers(2);
    const half = await halfLoaded();
    const { owner } = await ownerOf(half.load);
    owner.signal('SIGSTOP');
    await world.gate.reachedBy(2);
    await world.gate.open();
    await half.load.result();
    const published = await currentOf(half.entity);
    owner.signal('SIGCONT');
    await assertSound(half);
    assert.deepEqual(await currentOf(half.entity), published);
  });

  it('cut off from Temporal: it reads on, and is refused when it would publish', async () => {
    await engineWorkers(0);
    const line = await startFaultyProxy(Number(world.temporal.address.split(':')[1]));
    const stale = await world.startWorker('embedded', {
      TEMPORAL_ADDRESS: `${line.host}:${line.port}`,
    });
    const half = await halfLoaded();
    await engineWorkers(1);
    await line.refuse();
    await world.gate.reachedBy(2);
    // The successor holds still, for less than its heartbeat timeout.
    const [successor] = engines;
    successor?.signal('SIGSTOP');
    await world.gate.open();
    await eventually(() => assert.match(stale.log(), /is lost; .* holds it until/));
    successor?.signal('SIGCONT');
    await assertSound(half, { attempts: 2 });
    await line.heal();
    await stale.kill9();
    await line.close();
  });

  it('Temporal killed and started again: the load goes on', async () => {
    await engineWorkers(1);
    const half = await halfLoaded();
    const killedAt = Date.now();
    await world.temporal.kill9();
    await world.temporal.restart();
    await within(RETURNED_RESUMES_MS, () =>
      eventually(async () => {
        const { lastHeartbeatAt, progress } = await pendingLoad(half.load);
        assert.ok(lastHeartbeatAt > killedAt && (progress?.rows ?? 0) > 0);
      }),
    );
    await world.gate.open();
    await assertSound(half);
  });

  it('SIGTERM: what does not end in a moment is handed over', async () => {
    await engineWorkers(2);
    const half = await halfLoaded();
    const { owner, other } = await ownerOf(half.load);
    engines.delete(owner);
    const stopped = owner.stop();
    await within(SURVIVOR_RESUMES_MS, () =>
      eventually(async () => {
        const { attempt, worker } = await pendingLoad(half.load);
        assert.deepEqual([attempt, worker.split('@')[0]], [2, String(other.pid)]);
      }),
    );
    assert.equal(await stopped, 0, owner.log());
    await world.gate.reachedBy(2);
    await world.gate.open();
    await assertSound(half, { attempts: 2 });
  });
});
