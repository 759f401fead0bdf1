import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { createConnection } from 'mysql2/promise';
import type { DatabaseService } from '../scripts/services/service';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
  type ControllerProgress,
} from '../src/workflows/api';
import type { controller } from '../src/workflows';
import { serverCpuSeconds } from './load/server-cpu';
import { median, peakMemoryMiB, timed } from './measure';
import { withServiceWorld, withWorker } from './service-world';

/** One batch that loads every table. Milliseconds are medians over the tables. */
export interface SmallFigure {
  readonly run: number;
  readonly batchSeconds: number;
  /** From the start of the controller until its plan stands. */
  readonly planSeconds: number;
  /** What the activity takes that moves, publishes and records one table. */
  readonly loadMs: number;
  /** What that activity waits for a place in the worker. */
  readonly waitMs: number;
  /** The rest of the table's own workflow. */
  readonly workflowMs: number;
  readonly workerCpuSeconds: number;
  readonly temporalCpuSeconds: number;
  readonly databaseCpuSeconds: number;
  readonly workerPeakMiB: number;
}

const PIPELINE = 'bench';

const PIPELINE_FILE = `
pipeline: ${PIPELINE}
source: { connection: source }
destination: { connection: lake }
`;

/**
 * Many small tables through the whole service: plan, child workflow, load, publication, record. The
 * first run finds an empty lake; before each of the others every table changes.
 */
export function benchSmall(
  tables: number,
  rows: number,
  runs: number,
): Promise<readonly SmallFigure[]> {
  return withServiceWorld(PIPELINE_FILE, async (world) => {
    const { database, temporal } = world;
    await makeTables(database, tables, rows);
    return withWorker(world, async (client, worker) => {
      const pids = { worker: worker.pid!, temporal: temporal.pid!, database: database.pid! };
      const figures: SmallFigure[] = [];
      for (let run = 0; run < runs; run++) {
        if (run > 0) await touch(database, tables);
        figures.push(await measureBatch(client, pids, tables, run));
      }
      return figures;
    });
  });
}

async function withSql(
  { host, port, user, password }: DatabaseService,
  statements: Iterable<string>,
): Promise<void> {
  const sql = await createConnection({ host, port, user, password });
  // One flush per second instead of one per statement: this is the set-up, not what is measured.
  await sql.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 0');
  for (const statement of statements) await sql.query(statement);
  await sql.end();
}

function makeTables(database: DatabaseService, tables: number, rows: number): Promise<void> {
  return withSql(database, [
    'CREATE DATABASE bench',
    'USE bench',
    ...Array.from({ length: tables }, (_, index) => [
      `CREATE TABLE bench.table_${index} (id BIGINT PRIMARY KEY, name VARCHAR(100), email VARCHAR(200), amount DECIMAL(12,2), at DATETIME(6), note TEXT, kind INT, flag TINYINT)`,
      `INSERT INTO bench.table_${index} SELECT seq, CONCAT('customer ', seq), CONCAT('user', seq, '@example.com'), seq * 7919 % 100000 / 100, '2026-01-01' + INTERVAL seq MINUTE, IF(seq % 3 = 0, NULL, CONCAT('note number ', seq)), seq % 17, seq % 2 FROM seq_1_to_${rows}`,
    ]).flat(),
  ]);
}

function touch(database: DatabaseService, tables: number): Promise<void> {
  return withSql(
    database,
    Array.from(
      { length: tables },
      (_, index) => `UPDATE bench.table_${index} SET kind = kind + 1 WHERE id = 1`,
    ),
  );
}

interface Pids {
  readonly worker: number;
  readonly temporal: number;
  readonly database: number;
}

async function measureBatch(
  client: Client,
  pids: Pids,
  tables: number,
  run: number,
): Promise<SmallFigure> {
  const batch = `run-${run}`;
  const cpu = () => ({
    worker: serverCpuSeconds(pids.worker),
    temporal: serverCpuSeconds(pids.temporal),
    database: serverCpuSeconds(pids.database),
  });
  const before = cpu();
  const { seconds: batchSeconds, result: planSeconds } = await timed(async () => {
    const handle = await client.workflow.start<typeof controller>('controller', {
      workflowId: controllerWorkflowId(PIPELINE, batch),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: PIPELINE, batch }],
    });
    const planned = timed(() => untilPlanned(() => handle.query<ControllerProgress>('progress')));
    const summary = await handle.result();
    if (summary.loaded !== tables)
      throw new Error(`${summary.loaded} of ${tables} tables were loaded`);
    return (await planned).seconds;
  });
  const after = cpu();
  const spans: Spans[] = [];
  for (let index = 0; index < tables; index++)
    spans.push(await spansOf(client, ingestWorkflowId(PIPELINE, `table_${index}`, batch)));
  return {
    run,
    batchSeconds,
    planSeconds,
    loadMs: median(spans.map(({ load }) => load)),
    waitMs: median(spans.map(({ wait }) => wait)),
    workflowMs: median(spans.map(({ all, load, wait }) => all - load - wait)),
    workerCpuSeconds: after.worker - before.worker,
    temporalCpuSeconds: after.temporal - before.temporal,
    databaseCpuSeconds: after.database - before.database,
    workerPeakMiB: peakMemoryMiB(pids.worker),
  };
}

async function untilPlanned(progress: () => Promise<ControllerProgress>): Promise<void> {
  const ASK_EVERY_MS = 50;
  while ((await progress()).phase === 'planning') await delay(ASK_EVERY_MS);
}

/** Milliseconds of one table's workflow. */
interface Spans {
  readonly all: number;
  readonly wait: number;
  readonly load: number;
}

/** From the moments that the server wrote into the workflow's history. */
async function spansOf(client: Client, workflowId: string): Promise<Spans> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const times = new Map<string, number>();
  for (const event of events ?? []) {
    const kind = kinds.find((candidate) => event[candidate] != null);
    if (kind !== undefined) times.set(kind, millisecondsOf(event.eventTime));
  }
  const between = (from: Kind, to: Kind) =>
    (times.get(to) ?? Number.NaN) - (times.get(from) ?? Number.NaN);
  return {
    all: between(
      'workflowExecutionStartedEventAttributes',
      'workflowExecutionCompletedEventAttributes',
    ),
    wait: between('activityTaskScheduledEventAttributes', 'activityTaskStartedEventAttributes'),
    load: between('activityTaskStartedEventAttributes', 'activityTaskCompletedEventAttributes'),
  };
}

const kinds = [
  'workflowExecutionStartedEventAttributes',
  'activityTaskScheduledEventAttributes',
  'activityTaskStartedEventAttributes',
  'activityTaskCompletedEventAttributes',
  'workflowExecutionCompletedEventAttributes',
] as const;

type Kind = (typeof kinds)[number];

type WorkflowHistory = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Timestamp = NonNullable<WorkflowHistory['events']>[number]['eventTime'];

function millisecondsOf(time: Timestamp): number {
  return Number(time?.seconds ?? Number.NaN) * 1000 + (time?.nanos ?? 0) / 1e6;
}
