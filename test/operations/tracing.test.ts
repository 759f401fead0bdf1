import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { Client as PostgresClient } from 'pg';
import {
  CONTROL_TASK_QUEUE,
  controllerWorkflowId,
  ingestWorkflowId,
} from '../../src/workflows/api';
import { openTracing } from '../../src/tracing/tracing';
import { eventually } from '../support/eventually';
import { sharedPostgres, sharedTemporal, uniqueName } from '../support/servers';
import {
  startTraceCollector,
  type CollectedSpan,
  type TraceCollector,
} from '../support/trace-collector';
import { connectClient } from '../support/workflow-worker';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

const ROW = 'a-value-in-a-row-91c7';
const PASSWORD = 'planted-password-44d0';

describe('traces and the lines of the log', function () {
  this.timeout(120_000);

  let folder: string;
  let collector: TraceCollector;
  let worker: WorkerProcess;
  let client: Client;
  let sql: PostgresClient;
  let role: string;
  let good: string;
  let broken: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-tracing-'));
    collector = await startTraceCollector();
    const { host, port, user, password, database } = await sharedPostgres();
    const schema = uniqueName('traced');
    good = `${schema}.accounts`;
    broken = `${schema}.broken`;
    role = uniqueName('tracer');
    sql = new PostgresClient({ host, port, user, password, database });
    await sql.connect();
    await sql.query(`CREATE SCHEMA ${schema}`);
    await sql.query(
      `CREATE TABLE ${good} AS SELECT '${ROW}' AS v, i FROM generate_series(1, 40) i`,
    );
    await sql.query(`CREATE TABLE ${broken} AS SELECT '${ROW}' AS v`);
    await sql.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
    await mkdir(join(folder, 'pipelines'));
    await writeFile(
      join(folder, 'pipelines/connections.yaml'),
      `connections:
  finance: { type: postgres, host: ${host}, port: ${port}, user: ${role}, password: env:FINANCE_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
`,
    );
    await writeFile(
      join(folder, 'pipelines/finance.yaml'),
      `pipeline: finance
source: { connection: finance, schemas: [${schema}] }
destination: { connection: lake }
overrides:
  ${broken}: { where: "v::int = 1", attempts: 1 }
`,
    );
    ({ client } = await connectClient());
    const { address } = await sharedTemporal();
    worker = startWorkerProcess([], {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_CONFIG_FILE: join(folder, 'no-such.toml'),
      COMPORTA_PIPELINES: join(folder, 'pipelines'),
      FINANCE_PASSWORD: PASSWORD,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    });
    const running = client.workflow.execute('controller', {
      workflowId: controllerWorkflowId('finance', 'b1'),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ pipeline: 'finance', batch: 'b1' }],
    });
    await assert.rejects(running, /Workflow execution failed/);
    await eventually(() => assert.ok(spanOf('RunWorkflow:controller')));
  });
  after(async () => {
    await worker?.stop();
    await collector?.close();
    await sql?.end();
    await client?.connection.close();
    await rm(folder, { recursive: true, force: true });
  });

  const spanOf = (name: string, table?: string) =>
    collector.spans.find(
      (span) =>
        span.name === name && (table === undefined || span.attributes['comporta.table'] === table),
    );
  const ancestors = (span: CollectedSpan): string[] => {
    const parent = collector.spans.find(({ spanId }) => spanId === span.parentId);
    return parent === undefined ? [] : [parent.name, ...ancestors(parent)];
  };

  it('join controller, table and the phases of its load', () => {
    const controllers = collector.spans.filter(({ name }) => name === 'RunWorkflow:controller');
    assert.equal(controllers.length, 1);
    assert.equal(controllers[0]?.parentId, '');
    for (const name of ['lease', 'token', 'move', 'publish', 'record']) {
      const span = spanOf(name, good);
      assert.ok(span, name);
      assert.equal(span.traceId, controllers[0].traceId);
      assert.deepEqual(ancestors(span), [
        'RunActivity:loadTable',
        'StartActivity:loadTable',
        'RunWorkflow:ingestTable',
        'StartChildWorkflow:ingestTable',
        'RunWorkflow:controller',
      ]);
      const { attributes, status, service } = span;
      assert.equal(status, 0);
      assert.equal(service, 'comporta');
      assert.equal(attributes['comporta.pipeline'], 'finance');
      assert.equal(attributes['comporta.batch'], 'b1');
      assert.match(String(attributes['comporta.run']), /^b1-[0-9a-f]{12}$/);
    }
    const { attributes } = spanOf('move', good)!;
    assert.equal(attributes['comporta.rows'], 40);
    assert.ok(Number(attributes['comporta.bytes']) > 0);
  });

  it('show where a load failed', () => {
    const failed = spanOf('move', broken);
    assert.equal(failed?.status, 2);
    assert.equal(spanOf('publish', broken), undefined);
    const activity = collector.spans.find(({ spanId }) => spanId === failed?.parentId);
    assert.deepEqual([activity?.name, activity?.status], ['RunActivity:loadTable', 2]);
    for (const span of [failed, activity]) {
      assert.equal(span?.attributes['comporta.error'], 'SourceRejected');
    }
  });

  it('hold no secret and nothing of a row', () => {
    // PostgreSQL's message quotes the value that the filter stumbles over.
    assert.match(worker.log(), new RegExp(ROW));
    assert.ok(!collector.bytes().includes(ROW));
    assert.ok(!collector.bytes().includes(PASSWORD));
  });

  it('name pipeline, table, batch, workflow, run and trace on every line about a load', () => {
    const lines = worker
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const about = (table: string, message: string) =>
      lines.filter((line) => line['table'] === table && line['msg'] === message);
    for (const [table, message] of [
      [good, 'loaded'],
      [broken, 'Activity failed'],
      [broken, 'Workflow failed'],
    ] as const) {
      const [line, ...more] = about(table, message);
      assert.deepEqual(more, []);
      assert.ok(line, `${table}: ${message}\n${worker.log()}`);
      assert.equal(line['pipeline'], 'finance');
      assert.equal(line['batch'], 'b1');
      assert.equal(line['workflow'], ingestWorkflowId('finance', table, 'b1'));
      assert.equal(line['run'], spanOf('move', table)?.attributes['comporta.run']);
      const isOfActivity = message !== 'Workflow failed';
      if (isOfActivity) assert.equal(line['trace_id'], spanOf('move', table)?.traceId);
    }
    const ready = lines.find((line) => line['msg'] === 'ready');
    assert.deepEqual(Object.keys(ready ?? {}).sort(), [
      ...['level', 'msg', 'namespace', 'pipelines', 'roles', 'service', 'temporal', 'time'],
    ]);
  });
});

describe('tracing that nobody asked for', () => {
  it('stays off, and its libraries unloaded', () => {
    for (const environment of [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' },
    ]) {
      assert.equal(openTracing(environment), undefined);
    }
    const loaded = Object.keys(require.cache).filter((path) => path.includes('otlp-exporter'));
    assert.deepEqual(loaded, []);
  });
});
