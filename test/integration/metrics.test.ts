import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Client as PostgresClient } from 'pg';
import { execute } from '../../scripts/services/command';
import { acceptsConnection, freePorts, poll } from '../../scripts/services/network';
import { serverProcess } from '../../scripts/services/process';
import { ensurePrometheus, type PrometheusTool } from '../../scripts/services/prometheus';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { CONTROL_TASK_QUEUE, controllerWorkflowId } from '../../src/workflows/api';
import type { controller } from '../../src/workflows';
import { sharedPostgres, uniqueName } from '../support/servers';
import { eventually } from '../support/eventually';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

const INFRA = join(__dirname, '../../infra');
const RULES = join(INFRA, 'prometheus/comporta.rules.yml');

describe('metrics and health, by a real Prometheus', function () {
  this.timeout(120_000);

  let folder: string;
  let temporal: NativeTemporalService;
  let worker: WorkerProcess;
  let client: Client;
  let sql: PostgresClient;
  let tool: PrometheusTool;
  let prometheus: ReturnType<typeof serverProcess>;
  let ports: { metrics: number; health: number; prometheus: number };

  const path = (name: string) => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-metrics-'));
    const [metrics, health, own] = await freePorts(3);
    ports = { metrics: metrics!, health: health!, prometheus: own! };
    [temporal, tool] = await Promise.all([startTemporal({ headless: true }), ensurePrometheus()]);

    const server = await sharedPostgres();
    const schema = uniqueName('metrics');
    const { host, port, user, password, database } = server;
    sql = new PostgresClient({ host, port, user, password, database });
    await sql.connect();
    await sql.query(`CREATE SCHEMA ${schema}`);
    await sql.query(`CREATE TABLE ${schema}.accounts AS SELECT generate_series(1, 100) AS id`);
    await sql.query(`CREATE TABLE ${schema}.broken (id int, place point)`);
    await mkdir(path('pipelines'));
    await writeFile(
      path('pipelines/connections.yaml'),
      `connections:
  finance: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: env:FINANCE_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
`,
    );
    await writeFile(
      path('pipelines/finance.yaml'),
      `pipeline: finance
source: { connection: finance, schemas: [${schema}] }
destination: { connection: lake }
overrides:
  '*.broken': { where: no_such_column = 1 }
`,
    );
    worker = startWorkerProcess(
      [
        ...['--pipelines', path('pipelines')],
        ...['--metrics', String(ports.metrics), '--health', String(ports.health)],
      ],
      { TEMPORAL_ADDRESS: temporal.address, FINANCE_PASSWORD: password },
    );
    client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    prometheus = await startPrometheus();
  });

  after(async () => {
    await prometheus?.stop();
    await worker?.stop();
    await client?.connection.close();
    await temporal?.stop();
    await sql?.end();
    await rm(folder, { recursive: true, force: true });
  });

  async function startPrometheus() {
    await writeFile(
      path('prometheus.yml'),
      `global: { scrape_interval: 200ms, evaluation_interval: 200ms }
rule_files: ['${RULES}']
scrape_configs:
  - job_name: comporta
    static_configs: [{ targets: ['127.0.0.1:${ports.metrics}'] }]
`,
    );
    const running = serverProcess({
      name: 'prometheus',
      logFile: path('prometheus.log'),
      ready: () => acceptsConnection(ports.prometheus),
      stopSignal: 'SIGTERM',
    });
    await running.start({
      command: tool.prometheus,
      args: [
        `--config.file=${path('prometheus.yml')}`,
        `--storage.tsdb.path=${path('tsdb')}`,
        `--web.listen-address=127.0.0.1:${ports.prometheus}`,
      ],
    });
    return running;
  }

  async function health(endpoint: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${ports.health}${endpoint}`);
    return { status: response.status, text: await response.text() };
  }

  /** The values of an instant query, by their labels' values. */
  async function query(expression: string): Promise<[Record<string, string>, number][]> {
    const url = `http://127.0.0.1:${ports.prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return answer.data.result.map(({ metric, value }) => [metric, Number(value[1])]);
  }

  async function ready(): Promise<void> {
    await poll(async () => assert.equal((await health('/readyz')).status, 200), {
      giveUp: () => undefined,
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${worker.log()}`);
    });
  }

  async function run(batch: string): Promise<void> {
    await client.workflow
      .execute<typeof controller>('controller', {
        workflowId: controllerWorkflowId('finance', batch),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ pipeline: 'finance', batch }],
      })
      .catch(() => undefined);
  }

  it('says ready when it is, with every check', async () => {
    await ready();
    const { text } = await health('/readyz');
    assert.equal(text, 'workers: ok\npolling: ok\ntemporal: ok\npipelines: ok\nhistory: ok\n');
    assert.deepEqual(await health('/livez'), { status: 200, text: 'workers: ok\n' });
    assert.equal((await health('/')).status, 404);
  });

  it('says what is wrong with the pipeline files, and lives on', async () => {
    await ready();
    const file = path('pipelines/finance.yaml');
    const good = await readFile(file, 'utf8');
    await writeFile(file, good.replace('destination:', 'destinatoin:'));
    try {
      await eventually(async () => {
        const { status, text } = await health('/readyz');
        assert.equal(status, 503);
        assert.match(text, /^pipelines: .*destinatoin/ms);
      });
      assert.equal((await health('/livez')).status, 200);
    } finally {
      await writeFile(file, good);
    }
    await ready();
  });

  it('counts loads, skips, failures, rows and bytes, and knows how fresh each table is', async () => {
    await ready();
    const began = Date.now() / 1000;
    await run('b1');
    await eventually(async () => {
      assert.deepEqual(
        (await query('sum by (pipeline, engine) (comporta_tables_loaded_total)')).flat(),
        [{ pipeline: 'finance', engine: 'embedded' }, 1],
      );
      assert.deepEqual(
        (await query('comporta_rows_loaded_total')).map(([, value]) => value),
        [100],
      );
      // The scrape that saw the load may have been before the failure.
      const [failure] = await query('comporta_tables_failed_total');
      assert.equal(failure?.[0]['code'], 'SourceRejected');
      assert.equal(failure?.[1], 1);
    });
    const [bytes] = await query('comporta_bytes_written_total');
    assert.ok(bytes![1] > 100);
    const [duration] = await query('comporta_load_duration_seconds_sum');
    assert.ok(duration![1] > 0 && duration![1] < 60);
    const verified = await query('comporta_table_verified_timestamp_seconds');
    assert.equal(verified.length, 1);
    assert.match(verified[0]![0]['table']!, /\.accounts$/);
    assert.ok(verified[0]![1] >= began - 1 && verified[0]![1] <= Date.now() / 1000);
    const [planned] = await query('comporta_batch_planned_timestamp_seconds');
    assert.ok(planned![1] >= began - 1);
  });

  it('raises the alert of the first failure', async () => {
    await eventually(async () => {
      const [alert] = await query('ALERTS{alertname="ComportaTablesFailed"}');
      assert.deepEqual(
        [alert?.[0]['pipeline'], alert?.[0]['code'], alert?.[0]['alertstate']],
        ['finance', 'SourceRejected', 'firing'],
      );
    });
  });

  it('has every metric that the rules and the dashboard speak of', async () => {
    await ready();
    const scrape = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
    const served = new Set([...scrape.matchAll(/^([a-z_]+)(?:\{| )/gm)].map(([, name]) => name!));
    const texts = [
      await readFile(RULES, 'utf8'),
      await readFile(join(INFRA, 'grafana/comporta.json'), 'utf8'),
    ];
    const spoken = texts.flatMap((text) => text.match(/\b(?:comporta|temporal)_[a-z_]+/g) ?? []);
    assert.ok(new Set(spoken).size >= 10);
    // The lag is known only of a batch that a schedule started.
    const missing = [...new Set(spoken)].filter(
      (name) => !served.has(name) && name !== 'comporta_schedule_lag_seconds',
    );
    assert.deepEqual(missing, []);
  });

  it('names tables in the gauge of their freshness alone, as each name is a series', async () => {
    const scrape = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
    const withTable = scrape.split('\n').filter((line) => line.includes('table="'));
    assert.ok(withTable.length > 0);
    assert.ok(withTable.every((line) => line.startsWith('comporta_table_verified_')));
  });

  it('has rules that promtool finds right, and that do what they say', async () => {
    await execute(tool.promtool, ['check', 'rules', RULES]);
    await execute(tool.promtool, [
      'test',
      'rules',
      join(INFRA, 'prometheus/comporta.rules.test.yml'),
    ]);
    await execute(tool.promtool, ['check', 'config', path('prometheus.yml')]);
  });

  it('is not ready without Temporal, lives on, and is ready again with it', async () => {
    await ready();
    await temporal.kill9();
    await eventually(async () => {
      const { status, text } = await health('/readyz');
      assert.equal(status, 503);
      assert.match(text, /^temporal: (?!ok)/m);
    });
    assert.equal((await health('/livez')).status, 200);
    await temporal.restart();
    await eventually(async () => assert.equal((await health('/readyz')).status, 200));
  });

  it('stops in order when it is asked to', async () => {
    assert.equal(await worker.stop(), 0, worker.log());
  });
});
