import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { createConnection, type Connection as MysqlConnection } from 'mysql2/promise';
import type { DatabaseService } from '../scripts/services/service';
import { eventId, type HistoryEvent } from '../src/history/history';
import { loadProject } from '../src/pipeline/load';
import { settingsFor } from '../src/pipeline/settings';
import { tokenRequest } from '../src/plan/make-plan';
import { settingsFingerprint } from '../src/plan/settings-fingerprint';
import { createResources } from '../src/resources';
import type { SourceTable } from '../src/sources/source';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  type ControllerProgress,
} from '../src/workflows/api';
import type { controller } from '../src/workflows';
import { peakMemoryMiB, timed } from './measure';
import { withServiceWorld, withWorker } from './service-world';

export interface PlanFigure {
  readonly tables: number;
  readonly changed: number;
  /** From the start of the controller until its plan stands. */
  readonly planSeconds: number;
  /** Until the changed tables are loaded too. */
  readonly batchSeconds: number;
  readonly workerPeakMiB: number;
}

const PIPELINE = `
pipeline: bench
source: { connection: source }
destination: { connection: lake }
concurrency: 8
`;

/**
 * A database of many small tables that were all loaded before, of which a few changed: how long a
 * real controller takes to find these, and how much memory its worker needs.
 */
export function benchPlan(tables: number, changed: number): Promise<PlanFigure> {
  return withServiceWorld(PIPELINE, async (world) => {
    const sql = await createTables(world.database, tables);
    await pretendLoaded(world.pipelines, world.environment);
    for (let index = 0; index < changed; index++) {
      await sql.query(`INSERT INTO bench.table_${index} (name) VALUES ('changed')`);
    }
    await sql.end();
    return withWorker(world, (client, worker) => measure(client, worker, tables, changed));
  });
}

async function createTables(database: DatabaseService, tables: number): Promise<MysqlConnection> {
  const sql = await createConnection({
    host: database.host,
    port: database.port,
    user: database.user,
    password: database.password,
  });
  await sql.query('CREATE DATABASE bench');
  // One flush per second instead of one per statement: this is the set-up, not what is measured.
  await sql.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 0');
  for (let index = 0; index < tables; index++) {
    await sql.query(
      `CREATE TABLE bench.table_${index} (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), amount DECIMAL(12,2), at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6))`,
    );
    await sql.query(
      `INSERT INTO bench.table_${index} (name, amount) VALUES ('a', 1.5), ('b', 2.5)`,
    );
  }
  return sql;
}

/** Writes the history that loading every table now would leave, without loading them. */
async function pretendLoaded(pipelines: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const project = await loadProject(pipelines, { environment });
  const pipeline = project.pipelines.get('bench');
  if (pipeline === undefined) throw new Error('the benchmark lost its pipeline');
  const resources = createResources(environment);
  const source = resources.source(project, pipeline);
  const destination = resources.destination(project, pipeline);
  const all = await source.listTables();
  const tokens = await source.readTokens(
    all.map((table) =>
      tokenRequest({ table, settings: settingsFor(pipeline, table.id), state: undefined }),
    ),
  );
  const recordedAt = new Date().toISOString();
  const events = all.flatMap((table): HistoryEvent[] => {
    const token = tokens.get(table.id);
    if (token === undefined) return [];
    const settings = settingsFingerprint(pipeline, settingsFor(pipeline, table.id), destination);
    return [
      {
        id: eventId({ kind: 'SUCCEEDED', pipeline: 'bench', table: table.id, scope: 'before' }),
        kind: 'SUCCEEDED',
        recordedAt,
        pipeline: 'bench',
        table: table.id,
        batch: 'before',
        run: 'before',
        token: { ...token, settings },
        durationMs: 20,
      },
    ];
  });
  await (await resources.history(project)).append(events);
  await pretendPublished(join(pipelines, '..', 'lake'), all);
  await resources.close();
}

/** The least that makes a table's present state exist. */
async function pretendPublished(lake: string, tables: readonly SourceTable[]): Promise<void> {
  const folder = join(lake, 'raw', '_current', 'bench');
  await mkdir(folder, { recursive: true });
  for (const { id, name } of tables) {
    const state = {
      pipeline: 'bench',
      table: id,
      run: 'before',
      fence: 0,
      rows: 0,
      files: [],
      columns: [],
    };
    await writeFile(join(folder, `${name}.json`), JSON.stringify(state));
  }
}

async function measure(
  client: Client,
  worker: ChildProcess,
  tables: number,
  changed: number,
): Promise<PlanFigure> {
  const { seconds: batchSeconds, result: planSeconds } = await timed(async () => {
    const handle = await client.workflow.start<typeof controller>('controller', {
      workflowId: controllerWorkflowId('bench', 'measured'),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: 'bench', batch: 'measured' }],
    });
    const planned = timed(() => untilPlanned(() => handle.query<ControllerProgress>('progress')));
    const summary = await handle.result();
    if (summary.loaded !== changed) {
      throw new Error(`${summary.loaded} tables loaded where ${changed} had changed`);
    }
    return (await planned).seconds;
  });
  return {
    tables,
    changed,
    planSeconds,
    batchSeconds,
    workerPeakMiB: peakMemoryMiB(worker.pid ?? 0),
  };
}

async function untilPlanned(progress: () => Promise<ControllerProgress>): Promise<void> {
  const ASK_EVERY_MS = 50;
  while ((await progress()).phase === 'planning') await delay(ASK_EVERY_MS);
}
