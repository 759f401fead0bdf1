import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { createConnection } from 'mysql2/promise';
import { Client as PostgresClient } from 'pg';
import { freePort } from '../../scripts/services/network';
import { entityName } from '../../src/pipeline/entity';
import { openSqliteHistory } from '../../src/history/sqlite';
import { parseTableId, tableId } from '../../src/sources/table-id';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  type ControllerInput,
} from '../../src/workflows/api';
import { startClientProcess } from '../support/client-process';
import { eventually } from '../support/eventually';
import { readCurrent } from '../support/lake';
import { sharedMariadb, sharedPostgres, sharedTemporal, uniqueName } from '../support/servers';
import { connectClient } from '../support/workflow-worker';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

/** Names of a table and of a column in it. Each has broken some program once. */
const NAMES = [
  'with space',
  'do.t',
  'quo"te',
  "apos'trophe",
  'back`tick',
  'back\\slash',
  'semi; DROP TABLE x; --',
  'new\nline',
  'ta\tb',
  '100%s %_ ?1 $1 :a {b,c} [d] *',
  '../up/../../..',
  '<script>alert(1)</script>&amp;',
  '$(touch x) `y`',
  'ñandú 漢字',
  '__proto__',
  'constructor',
  'toString',
  'select',
  'CASED',
  'cased',
  'l'.repeat(63),
];
const BROKEN = '<b>broken</b> & "it\'s"';
const SCHEMA = 'a."b\';c';

const quotes = {
  mysql: (name: string) => `\`${name.replaceAll('`', '``')}\``,
  postgres: (name: string) => `"${name.replaceAll('"', '""')}"`,
};

describe('hostile names of tables and columns', function () {
  this.timeout(180_000);

  let folder: string;
  let worker: WorkerProcess;
  let client: Client;
  let channel: Server;
  const told: string[] = [];
  let metricsPort: number;
  let environment: NodeJS.ProcessEnv;
  let drop: () => Promise<void>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-hostile-'));
    channel = createServer((request, response) => {
      request.on('data', (data: Buffer) => told.push(data.toString()));
      request.on('end', () => response.end('ok'));
    });
    await new Promise<void>((resolve) => channel.listen(0, '127.0.0.1', resolve));
    const [mariadb, postgres] = await Promise.all([sharedMariadb(), sharedPostgres()]);
    const database = uniqueName('hostile');

    const mysql = await createConnection({ ...connectionOf(mariadb), charset: 'utf8mb4' });
    await mysql.query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
    await mysql.query(`USE ${database}`);
    const admin = new PostgresClient({ ...connectionOf(postgres), database: postgres.database });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${database}`);
    await admin.end();
    const sql = new PostgresClient({ ...connectionOf(postgres), database });
    await sql.connect();
    await sql.query(`CREATE SCHEMA ${quotes.postgres(SCHEMA)}`);
    await sql.query(`SET search_path = ${quotes.postgres(SCHEMA)}`);
    for (const name of NAMES) {
      const mine = quotes.mysql(name);
      await mysql.query(`CREATE TABLE ${mine} (id int PRIMARY KEY, ${mine} varchar(99))`);
      await mysql.query(`INSERT INTO ${mine} VALUES (1, ?)`, [name]);
      const its = quotes.postgres(name);
      await sql.query(`CREATE TABLE ${its} (id int PRIMARY KEY, ${its} text)`);
      await sql.query(`INSERT INTO ${its} VALUES (1, $1)`, [name]);
    }
    await sql.query(`CREATE TABLE ${quotes.postgres(BROKEN)} (id int)`);
    await mysql.end();
    await sql.end();
    drop = async () => {
      const again = new PostgresClient({ ...connectionOf(postgres), database: postgres.database });
      await again.connect();
      await again.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await again.end();
    };

    await mkdir(join(folder, 'pipelines'));
    const account = 'password: env:DB_PASSWORD';
    const files = {
      connections: `connections:
  shop: { type: mysql, host: ${mariadb.host}, port: ${mariadb.port}, user: ${mariadb.user}, ${account}, database: ${database} }
  finance: { type: postgres, host: ${postgres.host}, port: ${postgres.port}, user: ${postgres.user}, ${account}, database: ${database} }
  lake: { type: file, path: ../lake }
  ops: { type: slack, webhook: env:OPS_WEBHOOK }
history: { type: sqlite, path: ../history.db }
`,
      shop: 'pipeline: shop\nsource: { connection: shop }\ndestination: { connection: lake }\n',
      finance: `pipeline: finance
source: { connection: finance, schemas: [${JSON.stringify(SCHEMA)}] }
destination: { connection: lake }
notify: { to: [ops] }
overrides:
  '*broken*': { where: no_such_column = 1 }
`,
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, `pipelines/${name}.yaml`), text);
    }
    ({ client } = await connectClient());
    const { address } = await sharedTemporal();
    metricsPort = await freePort();
    environment = {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_CONFIG_FILE: join(folder, 'no-such.toml'),
      COMPORTA_PIPELINES: join(folder, 'pipelines'),
      DB_PASSWORD: mariadb.password,
      OPS_WEBHOOK: `http://127.0.0.1:${(channel.address() as AddressInfo).port}/hook`,
    };
    worker = startWorkerProcess(['--metrics', String(metricsPort)], environment);
    await Promise.all([
      run({ pipeline: 'shop', batch: 'b1' }),
      run({ pipeline: 'finance', batch: 'b1' }),
    ]);
  });
  after(async () => {
    await worker?.stop();
    await new Promise((resolve) => channel?.close(resolve));
    await client?.connection.close();
    await drop?.();
    await rm(folder, { recursive: true, force: true });
  });

  const connectionOf = ({
    host,
    port,
    user,
    password,
  }: Record<'host' | 'user' | 'password', string> & { port: number }) => ({
    host,
    port,
    user,
    password,
  });

  /** One batch to its end; that a table failed in it is in the history. */
  async function run(input: ControllerInput & { batch: string }): Promise<void> {
    await client.workflow
      .execute('controller', {
        workflowId: controllerWorkflowId(input.pipeline, input.batch),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
      })
      .catch(() => undefined);
  }

  const idOf = {
    shop: (name: string) => tableId(undefined, name),
    finance: (name: string) => tableId(SCHEMA, name),
  };
  const PIPELINES = ['shop', 'finance'] as const;
  const entityOf = (pipeline: (typeof PIPELINES)[number], id: string) => {
    const dialect = pipeline === 'shop' ? 'mysql' : 'postgres';
    return entityName(parseTableId(id, dialect), dialect);
  };

  async function withHistory<Result>(
    body: (history: Awaited<ReturnType<typeof openSqliteHistory>>) => Promise<Result>,
  ): Promise<Result> {
    const history = await openSqliteHistory(join(folder, 'history.db'));
    try {
      return await body(history);
    } finally {
      await history.close();
    }
  }

  for (const pipeline of PIPELINES) {
    it(`load from ${pipeline} into the lake, each for itself`, async () => {
      const states = await withHistory((history) => history.states(pipeline));
      for (const name of NAMES) {
        const id = idOf[pipeline](name);
        const success = states.get(id)?.lastSuccess;
        assert.ok(success, `${name}\n${worker.log().slice(-3_000)}`);
        assert.deepEqual(
          success.columns?.map((column) => column.name),
          ['id', name],
        );
        const column = quotes.postgres(name);
        const rows = await readCurrent(
          join(folder, 'lake'),
          pipeline,
          entityOf(pipeline, id),
          `id, ${column}`,
        );
        assert.deepEqual(rows, [[1, name]]);
      }
      assert.equal(states.size, NAMES.length + (pipeline === 'finance' ? 1 : 0));
      const raw = await readdir(join(folder, 'lake/raw', pipeline));
      assert.equal(raw.length, NAMES.length, raw.join('\n'));
    });

    it(`find one table of ${pipeline} by its name, for a batch and in Temporal's lists`, async () => {
      const tables = ['quo"te', 'new\nline', '__proto__', "apos'trophe"].map(idOf[pipeline]);
      await run({ pipeline, batch: 'b2', tables, force: true });
      const loaded = await withHistory(async (history) => {
        const outcomes = await history.outcomes(pipeline, 'b2');
        return [...outcomes.values()].map(({ table, kind }) => [table, kind]);
      });
      assert.deepEqual(loaded.sort(), tables.map((table) => [table, 'SUCCEEDED']).sort());
      await eventually(async () => {
        const listed: unknown[] = [];
        const query = `ComportaPipeline = '${pipeline}' AND ComportaBatch = 'b2' AND WorkflowType = 'ingestTable'`;
        for await (const { searchAttributes } of client.workflow.list({ query })) {
          listed.push(searchAttributes['ComportaTable']?.[0]);
        }
        assert.deepEqual(listed.sort(), [...tables].sort());
      });
    });
  }

  it('keep the labels of metrics apart', async () => {
    const known = async () => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const lines = text.matchAll(/^comporta_table_verified_timestamp_seconds\{(.*)\} \S+$/gm);
      // Prometheus escapes backslash, double quote and line feed in a label's value.
      return [...lines].map(([, labels = '']) => {
        const value = /table="((?:[^"\\]|\\.)*)"/.exec(labels)?.[1] ?? '';
        return JSON.parse(`"${value.replaceAll('\t', '\\t')}"`) as string;
      });
    };
    await eventually(async () => {
      const expected = PIPELINES.flatMap((pipeline) => NAMES.map(idOf[pipeline]));
      assert.deepEqual((await known()).sort(), expected.sort());
    });
  });

  it('reach people as text', async () => {
    const output = join(folder, 'report.html');
    const { code, stderr } = await startClientProcess(['report', '--output', output], environment)
      .ended;
    assert.equal(code, 0, stderr);
    const page = await readFile(output, 'utf8');
    assert.doesNotMatch(page, /<script|<b>broken/);
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;'));
    assert.ok(page.includes('&lt;b&gt;broken&lt;/b&gt; &amp;'));
    const [message, ...more] = told;
    assert.deepEqual(more, []);
    const { blocks } = JSON.parse(message ?? '{}') as { blocks: unknown };
    assert.ok(JSON.stringify(blocks).includes('&lt;b&gt;broken&lt;/b&gt; &amp;'));
    assert.ok(!JSON.stringify(blocks).includes('<b>'));
  });
});
