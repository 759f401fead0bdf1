import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { Client as PostgresClient } from 'pg';
import { startTemporal, type NativeTemporalService } from '../../scripts/services/temporal';
import { localSecretStore } from '../../src/pipeline/secrets';
import { loadEncryption } from '../../src/temporal/encryption';
import { controllerWorkflowId, ingestWorkflowId } from '../../src/workflows/api';
import { startClientProcess } from '../support/client-process';
import { sharedPostgres, uniqueName } from '../support/servers';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process';

describe('payloads encrypted from end to end', function () {
  this.timeout(120_000);

  let folder: string;
  let temporal: NativeTemporalService;
  let worker: WorkerProcess;
  let sql: PostgresClient;
  let schema: string;
  let environment: NodeJS.ProcessEnv;
  let connection: Connection;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-encryption-'));
    temporal = await startTemporal({ headless: true });
    const { host, port, user, password, database } = await sharedPostgres();
    schema = uniqueName('vault');
    sql = new PostgresClient({ host, port, user, password, database });
    await sql.connect();
    await sql.query(`CREATE SCHEMA ${schema}`);
    await sql.query(`CREATE TABLE ${schema}.accounts AS SELECT generate_series(1, 10) AS id`);
    await mkdir(join(folder, 'pipelines'));
    await writeFile(
      join(folder, 'pipelines/connections.yaml'),
      `connections:
  finance: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: env:FINANCE_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
`,
    );
    await writeFile(
      join(folder, 'pipelines/finance.yaml'),
      `pipeline: finance
source: { connection: finance, schemas: [${schema}] }
destination: { connection: lake }
`,
    );
    environment = {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_CONFIG_FILE: join(folder, 'no-such.toml'),
      COMPORTA_PIPELINES: join(folder, 'pipelines'),
      FINANCE_PASSWORD: password,
      PAYLOAD_KEY: randomBytes(32).toString('base64'),
      COMPORTA_PAYLOAD_KEYS: 'k1=env:PAYLOAD_KEY',
    };
    worker = startWorkerProcess([], environment);
    connection = await Connection.connect({ address: temporal.address });
  });
  after(async () => {
    await worker?.stop();
    await connection?.close();
    await temporal?.stop();
    await sql?.end();
    await rm(folder, { recursive: true, force: true });
  });

  function trigger(batch: string, more: NodeJS.ProcessEnv = {}) {
    const line = ['trigger', 'finance', '--force', '--wait', '--json', '--batch', batch];
    return startClientProcess(line, { ...environment, ...more }).ended;
  }

  /** Every payload in a workflow's history, as the server keeps it. */
  async function payloadsOf(workflowId: string): Promise<Payload[]> {
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
    });
    const found: Payload[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
      if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) {
        found.push(value as Payload);
      } else if (!('indexedFields' in value)) {
        // Search attributes are what lists and filters need: Temporal encrypts none of them.
        Object.values(value).forEach(collect);
      }
    };
    collect(history);
    return found;
  }

  it('work as ever for those who have the key, and tell nothing to the server', async () => {
    const { code, stdout, stderr } = await trigger('b1');
    assert.equal(code, 0, `${stderr}\n${worker.log()}`);
    const { summary } = JSON.parse(stdout) as { summary: { loaded: number; rows: number } };
    assert.deepEqual([summary.loaded, summary.rows], [1, 10]);

    const kept = [
      ...(await payloadsOf(controllerWorkflowId('finance', 'b1'))),
      ...(await payloadsOf(ingestWorkflowId('finance', `${schema}.accounts`, 'b1'))),
    ];
    assert.ok(kept.length >= 6, `${kept.length} payloads`);
    for (const { metadata, data } of kept) {
      // Summaries, which the Web UI shows in lists, go through the codec as well.
      assert.equal(Buffer.from(metadata?.['encoding'] ?? []).toString(), 'binary/encrypted');
      assert.doesNotMatch(Buffer.from(data ?? []).toString('latin1'), /finance|accounts/);
    }
    const codec = await loadEncryption(environment, localSecretStore(environment));
    const opened = await codec!.decode(kept);
    const texts = opened.map(({ data }) => Buffer.from(data ?? []).toString());
    assert.ok(texts.some((text) => text.includes(`"table":"${schema}.accounts"`)));
  });

  it('say what is missing to a client without the key', async () => {
    const other = { PAYLOAD_KEY: undefined, COMPORTA_PAYLOAD_KEYS: 'k1=env:ABSENT' };
    const { code, stderr } = await trigger('b2', other);
    assert.equal(code, 2);
    assert.match(stderr, /secret env:ABSENT is not set/);
  });
});
