import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { HistoryEvent } from '../../src/history/history';
import { planPath, type Plan } from '../../src/plan/plan';
import { controllerWorkflowId, ingestWorkflowId, type BatchSummary } from '../../src/workflows/api';
import { eventually } from '../support/eventually';
import {
  LAKE_FINGERPRINT,
  noConnectionLeft,
  READER_PASSWORD,
  startFaultyMariadb,
  startFaultyPostgres,
  type FaultyDatabase,
} from '../support/faulty-databases';
import { noFileLeft, watchTable } from '../support/lake-watch';
import { uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

/** Attempts enough for a slow machine to start a server again. */
const DEFAULTS = 'defaults: { attempts: 6, detection: { settleMargin: 1s } }\n';

/** In the midst of the 16 MB of `big`. */
const MIDST = 2_000_000;

/** What a pending activity showed while its batch ran. */
interface Glimpse {
  readonly at: number;
  readonly attempt: number;
  readonly heartbeat: number;
  readonly failure: string;
}

describe('faults of the source, through the whole load', function () {
  this.timeout(120_000);

  let databases: readonly FaultyDatabase[];
  let world: World;
  /** How far the worker's clock is ahead of the servers', milliseconds. */
  let clockAhead = 0;

  before(async () => {
    databases = await Promise.all([startFaultyMariadb(), startFaultyPostgres()]);
    const connections = databases.flatMap(({ name, connection }) => [
      `  ${name}: ${connection}\n`,
      `  ${name}-lake: { type: file, path: ../lake/${name} }\n`,
    ]);
    world = await startWorld({
      environment: { READER_PASSWORD },
      now: () => new Date(Date.now() + clockAhead),
      files: {
        'connections.yaml': `connections:\n${connections.join('')}`,
        ...Object.fromEntries(
          databases.map(({ name }) => [
            `${name}.yaml`,
            `pipeline: ${name}\nsource: { connection: ${name} }\ndestination: { connection: ${name}-lake }\n${DEFAULTS}`,
          ]),
        ),
      },
    });
    await onEach((database) => load(database, 'big').result);
  });

  // What a failed test leaves would fail the next.
  afterEach(() => onEach(({ proxy }) => proxy.heal()));

  after(async () => {
    await world?.close();
    await Promise.all((databases ?? []).map((database) => database.stop()));
  });

  /** Both at the same time: most of such a test is waiting. */
  async function onEach(test: (database: FaultyDatabase) => Promise<unknown>): Promise<void> {
    await Promise.all(
      databases.map(async (database) => {
        try {
          await test(database);
        } catch (error) {
          if (error instanceof Error) error.message = `${database.name}: ${error.message}`;
          throw error;
        }
      }),
    );
  }

  const lakeOf = ({ name }: FaultyDatabase) => join(world.lake, name);

  /** Starts a batch that loads one table. */
  function load({ name, id }: FaultyDatabase, table: string) {
    const batch = uniqueName('batch');
    return {
      batch,
      result: world.run({ pipeline: name, batch, tables: [id(table)], force: true }),
      workflow: world.client.workflow.getHandle(ingestWorkflowId(name, id(table), batch)),
    };
  }

  const change = (database: FaultyDatabase) =>
    database.run(`UPDATE big SET label = '${uniqueName('changed')}' WHERE id = 7`);

  /** Changes `big`, and loads it before the eyes of a reader of the lake. */
  async function loadChanged(database: FaultyDatabase) {
    const before = await database.fingerprint('big');
    await change(database);
    const states = [before, await database.fingerprint('big')];
    const readers = watchTable(lakeOf(database), database.name, 'big', LAKE_FINGERPRINT);
    return { ...load(database, 'big'), readers, states };
  }

  /** The same, stopped in the midst of the rows. */
  async function inTheMidst(database: FaultyDatabase) {
    const held = database.proxy.holdAt(MIDST);
    const started = await loadChanged(database);
    return { ...started, connection: await held };
  }

  type ChangedLoad = Awaited<ReturnType<typeof loadChanged>>;

  /** The load came to its end in so many attempts, and nothing shows what happened on the way. */
  async function assertLoaded(
    database: FaultyDatabase,
    { batch, result, workflow, readers, states }: ChangedLoad,
    attempts: number | 'several',
    failure?: RegExp,
  ): Promise<void> {
    assert.equal((await result).loaded, 1);
    assert.deepEqual(await readers.stop(), states, 'what readers of the lake saw');
    const [success, ...others] = await eventsOf(database, batch);
    assert.deepEqual([success?.kind, ...others.map(({ kind }) => kind)], ['SUCCEEDED', 'STARTED']);
    const [rows] = (await database.run('SELECT count(*) FROM big')).map(([count]) => Number(count));
    const counts = [success?.rowsAtSource, success?.rowsRead, success?.rowsWritten];
    assert.deepEqual(counts, [rows, rows, rows]);
    if (attempts === 'several') assert.ok((success?.attempts ?? 0) > 1);
    else assert.equal(success?.attempts, attempts);
    const last = await lastFailure(workflow);
    if (failure === undefined) assert.equal(last, undefined);
    else assertTellsWhatToDo(last, failure);
    await noFileLeft(lakeOf(database));
    await noConnectionLeft(database);
  }

  /** Newest first. */
  async function eventsOf(
    { name }: FaultyDatabase,
    batch: string,
  ): Promise<readonly HistoryEvent[]> {
    return (await world.history()).events({ pipeline: name, batch });
  }

  it('a connection that is cut in mid-stream', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      midst.connection.cut();
      await assertLoaded(database, midst, 2, /SourceInterrupted: .*big: .* broke off: /);
    }));

  it('a connection that is forgotten on the way, while others pass', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      const frozenAt = Date.now();
      const glimpses = await glimpsesUntil(midst.workflow, ({ attempt }) => attempt === 2);
      const noticed = (glimpses.at(-1)?.at ?? 0) - frozenAt;
      assert.ok(noticed < 6_000, `noticed after ${noticed} ms`);
      assertBeats(glimpses, 2);
      await midst.result;
      // Nothing passes yet: the server is told by another way.
      await eventually(async () => assert.equal(await database.sessions(), 0), 5_000);
      await database.proxy.heal();
      await assertLoaded(
        database,
        midst,
        2,
        /SourceInterrupted: .*big: .* sent nothing for 1 s, although it is sending/,
      );
    }));

  it('a way to the server that is frozen altogether', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      database.proxy.freeze();
      const glimpses = await glimpsesUntil(midst.workflow, ({ attempt }) => attempt === 2);
      assertBeats(glimpses, 2);
      await database.proxy.heal();
      const healedAt = Date.now();
      await midst.result;
      const resumed = Date.now() - healedAt;
      assert.ok(resumed < 10_000, `loaded ${resumed} ms after the way was free again`);
      await assertLoaded(
        database,
        midst,
        'several',
        /big: .* sent nothing for 1 s, and it does not answer on another connection either/,
      );
    }));

  it('a slow way to the server: the load takes its time', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      await database.proxy.heal();
      database.proxy.slow(8_000_000);
      await assertLoaded(database, midst, 1);
      await database.proxy.heal();
    }));

  it('a statement that an administrator kills', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      await database.killReading();
      await database.proxy.heal();
      await assertLoaded(
        database,
        midst,
        2,
        /SourceInterrupted: .*big: .* broke off: .*(interrupted|canceling)/,
      );
    }));

  it('a table that somebody holds locked, silently: the load waits', () =>
    onEach(async (database) => {
      const readable = await database.fingerprint('calm');
      const unlock = await database.lock('calm');
      const started = load(database, 'calm');
      const beats = new Set<number>();
      // Longer than a connection may be silent without being asked about.
      await glimpsesUntil(started.workflow, ({ heartbeat }) => beats.add(heartbeat).size > 3);
      await unlock();
      assert.equal((await started.result).loaded, 1);
      assert.equal(await lastFailure(started.workflow), undefined);
      const readers = watchTable(lakeOf(database), database.name, 'calm', LAKE_FINGERPRINT);
      assert.deepEqual(await readers.stop(), [readable]);
      await noConnectionLeft(database);
    }));

  it('an error of the server in mid-stream', () =>
    onEach(async (database) => {
      await database.makeBrokenView('broken');
      const readers = watchTable(lakeOf(database), database.name, 'broken', LAKE_FINGERPRINT);
      const { batch, result, workflow } = load(database, 'broken');
      await assert.rejects(result);
      assert.deepEqual(await readers.stop(), []);
      const [failure, ...others] = await eventsOf(database, batch);
      assert.deepEqual([failure?.kind, ...others.map(({ kind }) => kind)], ['FAILED', 'STARTED']);
      assert.equal(failure?.errorCode, 'SourceRejected');
      assertTellsWhatToDo(failure?.error, /broken: .*(division by zero|more than 1 row)/);
      assert.equal(await lastFailure(workflow), undefined, 'not tried again');
      await noFileLeft(lakeOf(database));
      await noConnectionLeft(database);
      await database.run('DROP VIEW broken');
    }));

  it('a server that dies and is started again', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      await database.service.kill9();
      await database.proxy.heal();
      await database.service.restart();
      await assertLoaded(
        database,
        midst,
        'several',
        /(SourceInterrupted: .*big: .* broke off|ConnectionFailed: .*cannot connect)/,
      );
    }));

  it('a server that takes no more connections for a while', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      const release = await database.takeAllConnections();
      midst.connection.cut();
      await glimpsesUntil(midst.workflow, ({ failure }) => /takes no connection/.test(failure));
      await release();
      await assertLoaded(
        database,
        midst,
        'several',
        /ConnectionFailed: .* takes no connection: .* — raise /,
      );
    }));

  /** Runs a batch of all tables on what the detection says, and returns its plan. */
  async function planned(database: FaultyDatabase, batch: string, result: Promise<BatchSummary>) {
    await result;
    const plan = JSON.parse(
      await readFile(join(lakeOf(database), planPath(database.name, batch)), 'utf8'),
    ) as Plan;
    const loads = plan.loads.map(({ table, decision: { verdict } }) => [table, verdict]);
    return { plan, loads };
  }

  function detect(database: FaultyDatabase) {
    const batch = uniqueName('batch');
    return planned(database, batch, world.run({ pipeline: database.name, batch }));
  }

  /** Runs batches until nothing is left to load: a token right after a write is not trusted. */
  const settled = (database: FaultyDatabase) =>
    eventually(async () => assert.deepEqual((await detect(database)).loads, []));

  const FAULTS_OF_PLANNING = [
    {
      fault: 'a source that is down',
      begin: (database: FaultyDatabase) => database.proxy.refuse(),
      says: /ConnectionFailed: cannot connect to .* — check host and port/,
    },
    {
      fault: 'a source that falls silent',
      // After the sign-in, in an answer.
      begin: (database: FaultyDatabase) => Promise.resolve(void database.proxy.holdAt(1_200)),
      says: /SourceInterrupted: .* sent nothing for 1 s, and .* — /,
    },
  ];
  for (const { fault, begin, says } of FAULTS_OF_PLANNING) {
    it(`${fault} while a batch is planned`, () =>
      onEach(async (database) => {
        await settled(database);
        await change(database);
        await begin(database);
        const batch = uniqueName('batch');
        const result = world.run({ pipeline: database.name, batch });
        const controller = world.client.workflow.getHandle(
          controllerWorkflowId(database.name, batch),
        );
        await glimpsesUntil(controller, ({ failure }) => says.test(failure));
        await database.proxy.heal();
        const { plan, loads } = await planned(database, batch, result);
        assert.deepEqual(loads, [[database.id('big'), 'changed']]);
        assert.ok(plan.skips.some(({ table }) => table === database.id('calm')));
        for (const { decision } of plan.skips) assert.equal(decision.verdict, 'unchanged');
        await noConnectionLeft(database);
      }));
  }

  it('a failover in mid-stream to a replica that takes no writes', () =>
    onEach(async (database) => {
      const midst = await inTheMidst(database);
      midst.connection.cut();
      await database.demote();
      await assertLoaded(database, midst, 'several', /broke off|cannot connect/);
      const { plan } = await detect(database);
      assert.deepEqual(plan.skips, [], 'a replica vouches for nothing');
      for (const { decision } of plan.loads) assert.match(decision.reason, /replica/);
      await database.promote();
      await settled(database);
    }));

  for (const [hour, milliseconds] of [
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ] as const) {
    it(`a worker whose clock is ${hour}`, () => {
      clockAhead = milliseconds;
      return onEach(async (database) => {
        await settled(database);
        const quiet = await detect(database);
        assert.deepEqual(quiet.loads, []);
        await change(database);
        assert.deepEqual((await detect(database)).loads, [[database.id('big'), 'changed']]);
      }).finally(() => (clockAhead = 0));
    });
  }
});

function assertTellsWhatToDo(failure: string | undefined, expected: RegExp): void {
  assert.match(failure ?? '', expected);
  assert.match(failure ?? '', / — [a-z]/, 'a person must be told what to do');
}

/** Heartbeats went on while an attempt was held up. */
function assertBeats(glimpses: readonly Glimpse[], least: number): void {
  const beats = new Set(glimpses.filter(({ attempt }) => attempt === 1).map((g) => g.heartbeat));
  assert.ok(beats.size >= least, `${beats.size} heartbeats`);
}

/** Looks at the load's activity until it is as wanted. */
async function glimpsesUntil(
  workflow: WorkflowHandle,
  isEnough: (glimpse: Glimpse) => boolean,
): Promise<readonly Glimpse[]> {
  const glimpses: Glimpse[] = [];
  await eventually(async () => {
    const { raw } = await workflow.describe();
    const [activity] = raw.pendingActivities ?? [];
    const { seconds = 0, nanos = 0 } = activity?.lastHeartbeatTime ?? {};
    const glimpse: Glimpse = {
      at: Date.now(),
      attempt: activity?.attempt ?? 0,
      heartbeat: Number(seconds) * 1000 + Number(nanos) / 1e6,
      failure: wordsOf(activity?.lastFailure) ?? '',
    };
    glimpses.push(glimpse);
    assert.ok(isEnough(glimpse));
  });
  return glimpses;
}

interface RawFailure {
  readonly message?: string | null;
  readonly applicationFailureInfo?: { readonly type?: string | null } | null;
}

function wordsOf(failure: RawFailure | null | undefined): string | undefined {
  if (failure === null || failure === undefined) return undefined;
  return `${failure.applicationFailureInfo?.type}: ${failure.message}`;
}

/** Why the last but one attempt of the load failed, as its history has it. */
async function lastFailure(workflow: WorkflowHandle): Promise<string | undefined> {
  const { events } = await workflow.fetchHistory();
  const started = events?.find((event) => event.activityTaskStartedEventAttributes);
  return wordsOf(started?.activityTaskStartedEventAttributes?.lastFailure);
}
