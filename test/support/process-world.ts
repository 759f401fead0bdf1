import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time';
import { Client as PostgresClient } from 'pg';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import type { History } from '../../src/history/history';
import { createResources } from '../../src/resources';
import { createProjectLoader } from '../../src/worker/project-loader';
import type { Role } from '../../src/worker/options';
import type { EngineName } from '../../src/pipeline/pipeline';
import {
  CONTROL_TASK_QUEUE,
  engineTaskQueue,
  ingestWorkflowId,
  type LoadProgress,
} from '../../src/workflows/api';
import type { ingestTable } from '../../src/workflows';
import { eventually } from './eventually';
import { sharedPostgres, uniqueName } from './servers';
import { startWorkerProcess, type WorkerProcess } from './worker-process';

/** Rows of each table of the source. */
export const ROWS = 100_000;
/** Where the gate stands: so many rows come before it. */
export const ROWS_BEFORE_GATE = 60_000;

/**
 * Comporta in processes of its own, on a Temporal of its own: for tests that kill, freeze and
 * restart. Its source is a PostgreSQL schema whose tables are read through a gate, which a test can
 * close: reads then stand still at `ROWS_BEFORE_GATE` rows.
 */
export interface ProcessWorld {
  readonly client: Client;
  readonly temporal: NativeTemporalService;
  /** Root of the connection `lake`. */
  readonly lake: string;
  readonly gate: Gate;
  history(): Promise<History>;
  /** Makes a table of `ROWS` rows whose column `v` is 1, and returns its id. */
  createTable(): Promise<string>;
  /** Sets `v` in every row. */
  change(table: string, v: number): Promise<void>;
  /** Starts a worker of one role or several, with further flags, and waits until it is ready. */
  startWorker(
    roles: Role | readonly Role[],
    environment?: NodeJS.ProcessEnv,
    flags?: readonly string[],
  ): Promise<WorkerProcess>;
  /** Starts the load of a table. Default: by the pipeline `shop`. */
  begin(table: string, batch: string, pipeline?: string): Promise<Load>;
  /** Stops everything; workers that still run are killed. */
  close(): Promise<void>;
}

export type Load = WorkflowHandle<typeof ingestTable>;

export interface Gate {
  close(): Promise<void>;
  open(): Promise<void>;
  /** Resolves when so many reads have come to the gate since it was closed, dead ones included. */
  reachedBy(reads: number): Promise<void>;
  /** Resolves when no session of a worker is left at the source. */
  noSessions(): Promise<void>;
}

export interface ProcessWorldOptions {
  /** Further lines of `connections.yaml`, the first of them under `connections`. */
  readonly connections?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** By name. Default: `shop`, to the folder `lake`. */
  readonly pipelines?: Readonly<Record<string, ProcessPipeline>>;
}

export interface ProcessPipeline {
  /** The connection of its lake. */
  readonly destination: string;
  /** Default: `embedded`. */
  readonly engine?: EngineName;
  /** The connection of the platform that its jobs run on. */
  readonly platform?: string;
}

export async function startProcessWorld(options: ProcessWorldOptions = {}): Promise<ProcessWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'comporta-process-world-'));
  const temporal = await startTemporal({ headless: true, persistent: true });
  const { host, port, user, password, database } = await sharedPostgres();
  const sql = new PostgresClient({ host, port, user, password, database });
  await sql.connect();
  const schema = uniqueName('faults');
  const reader = uniqueName('reader');
  await createSource(sql, schema, reader);

  const pipelines = join(folder, 'pipelines');
  await mkdir(pipelines);
  await writeFile(
    join(pipelines, 'connections.yaml'),
    `connections:
  shop: { type: postgres, host: ${host}, port: ${port}, user: ${reader}, password: env:READER_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
${options.connections ?? ''}`,
  );
  const described = options.pipelines ?? { shop: { destination: 'lake' } };
  for (const [name, { destination, engine = 'embedded', platform }] of Object.entries(described)) {
    const defaults = [
      `where: ${schema}.gate(id), engine: ${engine}`,
      ...(platform === undefined ? [] : [`platform: ${platform}`]),
    ];
    await writeFile(
      join(pipelines, `${name}.yaml`),
      `pipeline: ${name}
source: { connection: shop, schemas: [${schema}] }
destination: { connection: ${destination} }
defaults: { ${defaults.join(', ')} }
`,
    );
  }
  const environment: NodeJS.ProcessEnv = {
    ...options.environment,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_CONFIG_FILE: join(folder, 'no-such.toml'),
    READER_PASSWORD: 'reader-password',
  };
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const resources = createResources(environment);
  const loadProject = createProjectLoader(pipelines, environment);
  const workers: WorkerProcess[] = [];
  let tables = 0;
  const queueOf = (pipeline: string) => engineTaskQueue(described[pipeline]?.engine ?? 'embedded');

  return {
    client,
    temporal,
    lake: join(folder, 'lake'),
    gate: createGate(sql, schema, reader),
    history: async () => resources.history(await loadProject()),
    async createTable() {
      const table = `${schema}.t${(tables += 1)}`;
      await sql.query(
        `CREATE TABLE ${table} AS SELECT id, 1 AS v, md5(id::text) AS note FROM generate_series(1, ${ROWS}) id`,
      );
      await sql.query(`GRANT SELECT ON ${table} TO ${reader}`);
      return table;
    },
    change: async (table, v) => {
      // Rows keep the order of their ids, so that as many as before lie before the gate.
      await sql.query(`CREATE TEMP TABLE changed AS SELECT * FROM ${table} ORDER BY id`);
      await sql.query(`TRUNCATE ${table}`);
      await sql.query(`INSERT INTO ${table} SELECT id, ${v}, note FROM changed ORDER BY id`);
      await sql.query('DROP TABLE changed');
    },
    async startWorker(roles, more, flags = []) {
      const role = [roles].flat().join(',');
      const line = ['--pipelines', pipelines, '--threads', '1', '--roles', role, ...flags];
      const worker = startWorkerProcess(line, { ...environment, ...more });
      workers.push(worker);
      await worker.ready();
      return worker;
    },
    begin: (table, batch, pipeline = 'shop') =>
      client.workflow.start<typeof ingestTable>('ingestTable', {
        workflowId: ingestWorkflowId(pipeline, table, batch),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline, table, batch, load: { taskQueue: queueOf(pipeline) } }],
      }),
    async close() {
      await Promise.all(workers.map((worker) => worker.kill9()));
      await resources.close();
      await connection.close();
      await temporal.stop();
      await sql.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function createSource(sql: PostgresClient, schema: string, reader: string): Promise<void> {
  await sql.query(`CREATE SCHEMA ${schema}`);
  await sql.query(`CREATE ROLE ${reader} LOGIN PASSWORD 'reader-password'`);
  await sql.query(`GRANT USAGE ON SCHEMA ${schema} TO ${reader}`);
  await sql.query(
    `CREATE FUNCTION ${schema}.gate(id int) RETURNS boolean LANGUAGE plpgsql AS $$
     BEGIN
       IF id = ${ROWS_BEFORE_GATE + 1} THEN
         PERFORM pg_advisory_xact_lock_shared(hashtext('${schema}'));
       END IF;
       RETURN true;
     END $$`,
  );
}

/** A frozen worker keeps its lease for 15 s, and a worker process compiles its sources at first. */
const REACHED_WITHIN_MS = 60_000;

function createGate(sql: PostgresClient, schema: string, reader: string): Gate {
  const sessions = async (condition: string) => {
    const { rows } = await sql.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE usename = '${reader}' AND ${condition}`,
    );
    return rows.map(({ pid }) => pid);
  };
  // A killed worker's session goes within 10 seconds, when the server looks for its client.
  const come = new Set<number>();
  return {
    async close() {
      come.clear();
      await sql.query(`SELECT pg_advisory_lock(hashtext('${schema}'))`);
    },
    open: async () => void (await sql.query('SELECT pg_advisory_unlock_all()')),
    reachedBy: (reads) =>
      eventually(async () => {
        for (const pid of await sessions(`wait_event = 'advisory'`)) come.add(pid);
        assert.equal(come.size, reads);
      }, REACHED_WITHIN_MS),
    noSessions: () => eventually(async () => assert.deepEqual(await sessions('true'), [])),
  };
}

/** What Temporal shows of a load under way. */
export interface PendingLoad {
  readonly attempt: number;
  /** How far it came, at its last heartbeat. */
  readonly progress: LoadProgress | undefined;
  /** By Temporal's clock, milliseconds since 1970. */
  readonly lastHeartbeatAt: number;
  /** Who has it: `pid@host`. */
  readonly worker: string;
  /** Why the attempt before failed; empty where none did. */
  readonly lastFailure: string;
}

export async function pendingLoad(load: Load): Promise<PendingLoad> {
  const { raw } = await load.describe();
  const pending = raw.pendingActivities?.[0];
  const details = pending?.heartbeatDetails?.payloads?.[0]?.data;
  return {
    attempt: pending?.attempt ?? 0,
    progress:
      details == null ? undefined : (JSON.parse(Buffer.from(details).toString()) as LoadProgress),
    lastHeartbeatAt: optionalTsToMs(pending?.lastHeartbeatTime) ?? 0,
    worker: pending?.lastWorkerIdentity ?? '',
    lastFailure: pending?.lastFailure?.message ?? '',
  };
}

/** Every file below a folder, hidden ones too, as paths relative to it. */
export async function allFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
