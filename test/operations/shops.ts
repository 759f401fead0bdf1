import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client as PostgresClient, Pool } from 'pg';
import { WorkflowFailedError } from '@temporalio/client';
import { planPath, type Plan } from '../../src/plan/plan';
import type { controller } from '../../src/workflows';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
} from '../../src/workflows/api';
import { eventually } from '../support/eventually';
import { readCurrent } from '../support/lake';
import { sharedPostgres, uniqueName } from '../support/servers';
import { webUi, type Run, type WebUi } from '../support/web-ui';
import { startWorld, type World } from '../support/world';

/** Two tables of one row each, on a real server, and the pipeline that loads them every time. */
export interface Shop {
  readonly name: string;
  /** The table's id in plans and in the history. */
  id(table: Table): string;
  /** Starts a batch; resolves with the run of its controller. */
  start(batch: string): Promise<Run>;
  /** The latest run of a table's workflow, once there is one. */
  child(batch: string, table: Table): Promise<Run>;
  /** Takes the right to read from the pipeline's user, or gives it back. */
  forbid(table: Table): Promise<void>;
  permit(table: Table): Promise<void>;
  /** Lets the pipeline's user in no more, or again: a failure that another attempt can mend. */
  close(): Promise<void>;
  open(): Promise<void>;
  /** Cuts the loads under way off from the server. */
  cut(): Promise<void>;
  /** Locks a table, so that loads of it hang. Resolves with how to give it free. */
  lock(table: Table): Promise<() => Promise<void>>;
  /** Resolves when just so many loads hang at the lock, with their sessions at the server. */
  hanging(table: Table, loads: number): Promise<readonly number[]>;
  add(table: Table, id: number): Promise<void>;
  /** What the history says of the table, oldest first: `FAILED day1 PermissionDenied`. */
  rows(table: Table): Promise<readonly string[]>;
  /** The ids that readers of the lake see; undefined: nothing is published. */
  published(table: Table): Promise<readonly unknown[] | undefined>;
  plan(batch: string): Promise<Plan>;
  /** Resolves when the table's last row is this one. */
  until(table: Table, row: string): Promise<void>;
}

export type Table = 'orders' | 'customers';
const TABLES: readonly Table[] = ['orders', 'customers'];

export interface Shops {
  readonly world: World;
  readonly ui: WebUi;
  readonly shop: (name: string) => Shop;
  /** How a run ended: `completed`, or the message of its failure. */
  end(run: Run): Promise<string>;
  close(): Promise<void>;
}

/**
 * A worker and a shop for every name.
 * @param names to the lines that its pipeline file has besides the usual ones.
 */
export async function openShops(names: Readonly<Record<string, string>>): Promise<Shops> {
  const server = await sharedPostgres();
  const { host, port, user, password, database } = server;
  const signIn = { host, port, user, password, database };
  const sql = new Pool({ ...signIn, max: 4 });
  const locks = new Set<PostgresClient>();
  const schemas = new Map<string, string>();
  for (const name of Object.keys(names)) {
    const schema = uniqueName('shop');
    schemas.set(name, schema);
    await sql.query(`CREATE SCHEMA ${schema}`);
    await sql.query(`CREATE ROLE ${schema} LOGIN PASSWORD 'reader'`);
    await sql.query(`GRANT USAGE ON SCHEMA ${schema} TO ${schema}`);
    for (const table of TABLES) {
      await sql.query(`CREATE TABLE ${schema}.${table} (id int PRIMARY KEY)`);
      await sql.query(`INSERT INTO ${schema}.${table} VALUES (1)`);
      await sql.query(`GRANT SELECT ON ${schema}.${table} TO ${schema}`);
    }
  }
  const connections = [...schemas].map(
    ([name, schema]) =>
      `  ${name}: { type: postgres, host: ${host}, port: ${port}, user: ${schema}, password: env:READER_PASSWORD, database: ${database} }`,
  );
  const pipelines = [...schemas].map(([name, schema]) => [
    `${name}.yaml`,
    `pipeline: ${name}
source: { connection: ${name}, schemas: [${schema}] }
destination: { connection: lake }
${names[name] || 'defaults: { detection: { strategy: always } }'}
`,
  ]);
  const world = await startWorld({
    environment: { READER_PASSWORD: 'reader' },
    // Those that hang at a lock must not keep others from loading.
    maxLoads: 20,
    files: {
      'connections.yaml': `connections:\n${connections.join('\n')}\n  lake: { type: file, path: ../lake }\n`,
      ...(Object.fromEntries(pipelines) as Record<string, string>),
    },
  });
  const ui = webUi(world.client);

  return {
    world,
    ui,
    shop: (name) => {
      const schema = schemas.get(name);
      if (schema === undefined) throw new Error(`there is no shop ${name}`);
      return { name, ...createShop(name, schema) };
    },
    async end({ workflowId, runId }) {
      try {
        await world.client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
        return 'completed';
      } catch (error) {
        if (error instanceof WorkflowFailedError) return error.cause?.message ?? error.message;
        throw error;
      }
    },
    async close() {
      await Promise.all([...locks].map((session) => session.end()));
      await world.close();
      await sql.end();
    },
  };

  function createShop(name: string, schema: string): Omit<Shop, 'name'> {
    const id = (table: Table) => `${schema}.${table}`;
    const rows = async (table: Table) => {
      const events = await (await world.history()).events({ pipeline: name, table: id(table) });
      return events
        .map(({ kind, batch, errorCode }) => [kind, batch, errorCode].filter(Boolean).join(' '))
        .reverse();
    };
    return {
      id,
      async start(batch) {
        const { workflowId, firstExecutionRunId } = await world.client.workflow.start<
          typeof controller
        >('controller', {
          workflowId: controllerWorkflowId(name, batch),
          taskQueue: CONTROL_TASK_QUEUE,
          args: [{ pipeline: name, batch }],
        });
        return { workflowId, runId: firstExecutionRunId };
      },
      async child(batch, table) {
        const workflowId = ingestWorkflowId(name, id(table), batch);
        let runId = '';
        await eventually(async () => {
          ({ runId } = await world.client.workflow.getHandle(workflowId).describe());
        });
        return { workflowId, runId };
      },
      forbid: async (table) =>
        void (await sql.query(`REVOKE SELECT ON ${id(table)} FROM ${schema}`)),
      permit: async (table) => void (await sql.query(`GRANT SELECT ON ${id(table)} TO ${schema}`)),
      close: async () => void (await sql.query(`ALTER ROLE ${schema} CONNECTION LIMIT 0`)),
      open: async () => void (await sql.query(`ALTER ROLE ${schema} CONNECTION LIMIT -1`)),
      async lock(table) {
        const session = new PostgresClient(signIn);
        await session.connect();
        locks.add(session);
        await session.query('BEGIN');
        await session.query(`LOCK TABLE ${id(table)} IN ACCESS EXCLUSIVE MODE`);
        return async () => {
          locks.delete(session);
          await session.end();
        };
      },
      cut: async () =>
        void (await sql.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${schema}'`,
        )),
      async hanging(table, loads) {
        let sessions: readonly number[] = [];
        await eventually(async () => {
          const { rows } = await sql.query<{ pid: number }>(
            `SELECT pid FROM pg_locks WHERE relation = '${id(table)}'::regclass AND NOT granted`,
          );
          sessions = rows.map(({ pid }) => pid);
          if (sessions.length !== loads) throw new Error(`${sessions.length} loads hang`);
        });
        return sessions;
      },
      add: async (table, row) => void (await sql.query(`INSERT INTO ${id(table)} VALUES (${row})`)),
      rows,
      until: (table, row) => eventually(async () => assert.equal((await rows(table)).at(-1), row)),
      async published(table) {
        try {
          return (await readCurrent(world.lake, name, id(table), 'id')).flat();
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
          throw error;
        }
      },
      plan: async (batch) =>
        JSON.parse(await readFile(join(world.lake, planPath(name, batch)), 'utf8')) as Plan,
    };
  }
}
