import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CancelledFailure } from '@temporalio/common';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FAST_JAVA } from '../../scripts/services/spark';
import type { Destination } from '../../src/destinations/destination';
import { openDestination, openSource } from '../../src/endpoints';
import type { LoadProgress, MoveRequest } from '../../src/engines/engine';
import { createLocalRunner } from '../../src/engines/spark/local-runner';
import { createSparkEngine } from '../../src/engines/spark/spark-engine';
import { localSecretStore } from '../../src/pipeline/secrets';
import type { Source } from '../../src/sources/source';
import { isCancelRequest } from '../../src/temporal/cancellation';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { eventually } from '../support/eventually';
import { readCurrent } from '../support/lake';
import { moveRequest } from '../support/move-request';
import { FULL_LOAD } from '../support/table-settings';
import { JOBS, sparkOrSkip } from '../support/resident-spark';
import { sharedMariadb, sharedMoto, sharedS3, uniqueName } from '../support/servers';
import { startWorld } from '../support/world';

/** Jobs by the real spark-submit, in processes of their own, into a bucket. */
describe('the engine spark on this machine', function () {
  this.timeout(200_000);
  let database: TestDatabase;
  let folder: string | undefined;
  let request: MoveRequest;
  let source: Source;
  let destination: Destination;
  let submit: string;
  let python: string;
  const environment: NodeJS.ProcessEnv = { ...process.env, MYSQL_PASSWORD: 'comporta' };
  const secrets = localSecretStore(environment);

  before(async function () {
    const spark = await sparkOrSkip(this);
    folder = await mkdtemp(join(tmpdir(), 'comporta-jobs-'));
    database = await createTestDatabase(await sharedMariadb());
    await database.run(
      'CREATE TABLE guarded (id int PRIMARY KEY, secret varchar(20))',
      `INSERT INTO guarded VALUES (1, 'a'), (2, 'b'), (3, NULL)`,
    );
    python = spark.python;
    environment['PYSPARK_PYTHON'] = python;
    environment['SPARK_SUBMIT_OPTS'] = FAST_JAVA;
    submit = `${spark.submit} --master local[1] --conf spark.ui.enabled=false --jars ${spark.jars.join(',')}`;
    const s3 = await sharedS3();
    environment['LAKE_ID'] = s3.accessKeyId;
    environment['LAKE_KEY'] = s3.secretAccessKey;
    request = moveRequest('guarded', {
      source: { connection: database.connection, schemas: [] },
      destination: {
        connection: {
          ...{ type: 's3', name: 'lake', bucket: s3.bucket, prefix: uniqueName('a lake') },
          ...{ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true },
          accessKeyId: { from: 'env', name: 'LAKE_ID' },
          secretAccessKey: { from: 'env', name: 'LAKE_KEY' },
        },
        settings: { compression: 'zstd', zstdLevel: 1 },
      },
      table: await database.table('guarded'),
      // Its reader waits at the gate; a read of no rows, as a plan is made by, does not.
      settings: { ...FULL_LOAD, engine: 'spark', where: `GET_LOCK('gate', 100) = 1` },
    });
    source = openSource(request.source, secrets);
    destination = openDestination(request.destination, secrets);
  });
  after(async () => {
    // Nothing is there where there is no Spark.
    if (folder === undefined) return;
    await source.close();
    await destination.close();
    await endSessions();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A worker's engine: it knows of jobs what lies in the folder. */
  const engine = (command = submit) =>
    createSparkEngine({
      name: 'spark',
      runner: createLocalRunner({
        submit: command,
        environment,
        ...(folder === undefined ? {} : { folder }),
      }),
      source: () => source,
      destination: () => destination,
      script: join(JOBS, 'ingest_table.py'),
      shouldCancel: isCancelRequest,
    });

  const begin = (attempt: number) => {
    const cancellation = new AbortController();
    const heard: LoadProgress[] = [];
    const moved = engine().move(
      { ...request, identity: { ...request.identity, attempt } },
      { signal: cancellation.signal, report: (progress) => heard.push(progress) },
    );
    moved.catch(() => undefined);
    return { cancellation, heard, moved };
  };

  const tries = async () => (await readdir(folder ?? '')).map((name) => name.slice(-1)).toSorted();
  const pidOf = async (number: number) => {
    const name = (await readdir(folder ?? '')).find((found) => found.endsWith(`-${number}`)) ?? '';
    const text = await readFile(join(folder ?? '', name, 'pid'), 'utf8');
    return Number(text.split(' ')[0]);
  };
  const isAlive = (group: number) => {
    try {
      return process.kill(-group, 0);
    } catch {
      return false;
    }
  };
  /** Sessions that stand at the gate. */
  const waiting = async () => {
    const rows = await database.run(
      `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE = 'User lock' AND DB = '${database.name}'`,
    );
    return rows.map(({ id }) => Number(id));
  };
  const someoneWaits = () =>
    eventually(async () => assert.equal((await waiting()).length, 1), 60_000);
  /** A server does not notice that a client is gone while it has nothing to send. */
  const endSessions = async () => {
    for (const id of await waiting()) await database.run(`KILL ${id}`);
    await eventually(async () => assert.deepEqual(await waiting(), []));
  };

  /** What the job's own code makes of references: the values, or why there is none. */
  const readByJob = async (references: readonly string[], variables: NodeJS.ProcessEnv) => {
    const script = `
import json, sys
import ingest_table as job
def read(text):
    try:
        return job.read_secret(job.parse_reference(text))
    except job.JobError as error:
        return f"{error.code}: {error.problem}"
print(json.dumps([read(text) for text in sys.argv[1:]]))`;
    const { stdout } = await promisify(execFile)(python, ['-c', script, ...references], {
      env: { PYTHONPATH: JOBS, ...variables },
    });
    return JSON.parse(stdout) as unknown;
  };

  it('says what to do where there is no Spark', async () => {
    const missing = engine('no-spark-submit --master local');
    const watch = { report: () => undefined, signal: new AbortController().signal };
    await assert.rejects(missing.move(request, watch), {
      code: 'ConfigurationInvalid',
      problem: 'there is no program no-spark-submit on this worker',
    });
    assert.deepEqual(await readdir(folder ?? ''), []);
  });

  it('reads secrets of Google Secret Manager as the machine that it runs on', async () => {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      const { url = '', headers } = incoming;
      asked.push(`${url} ${String(headers['metadata-flavor'] ?? headers.authorization)}`);
      const data = Buffer.from('päss\n').toString('base64');
      outgoing.end(JSON.stringify({ access_token: 'token', payload: { data } }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const read = await readByJob(['gsm:projects/p/secrets/s/versions/2'], {
      GCE_METADATA_HOST: address,
      COMPORTA_SECRET_MANAGER: `http://${address}`,
    });
    server.close();
    assert.deepEqual(read, ['päss']);
    assert.deepEqual(asked, [
      '/computeMetadata/v1/instance/service-accounts/default/token Google',
      '/v1/projects/p/secrets/s/versions/2:access Bearer token',
    ]);
  });

  it('reads secrets of AWS Secrets Manager by the chain of its own SDK', async () => {
    const { endpoint, region } = await sharedMoto();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new SecretsManagerClient({ endpoint, region, credentials });
    const there = new SecretsManagerClient({ endpoint, region: 'eu-west-1', credentials });
    const name = uniqueName('shop/db');
    const SecretString = JSON.stringify({ password: 'pä#ss\n', port: 5432, nothing: null });
    await client.send(new CreateSecretCommand({ Name: name, SecretString }));
    const plain = { Name: `${name}-plain`, SecretBinary: Buffer.from('bytes\n') };
    await client.send(new CreateSecretCommand(plain));
    const far = { Name: `${name}-far`, SecretString: 'far' };
    const { ARN = '' } = await there.send(new CreateSecretCommand(far));
    client.destroy();
    there.destroy();
    const references = ['#password', '#port', '-plain', '#nothing', '#absent', '-absent'];
    const read = await readByJob(
      [...references.map((rest) => `asm:${name}${rest}`), `asm:${ARN}`],
      {
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: region,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      },
    );
    const failed = (id: string, why: string) =>
      `ConfigurationInvalid: the job cannot read the secret asm:${id}: ${why}`;
    assert.deepEqual(read, [
      ...['pä#ss', '5432', 'bytes'],
      failed(name, 'ValueError'),
      failed(name, 'KeyError'),
      failed(`${name}-absent`, 'ResourceNotFoundException'),
      'far',
    ]);
  });

  it('outlives its worker, is found again, cancelled, killed, tried again and published', async () => {
    await database.run(`DO GET_LOCK('gate', 0)`);
    const first = begin(1);
    await someoneWaits();
    const group = await pidOf(1);
    assert.equal(first.heard.at(-1)?.job?.state, 'RUNNING');

    // A worker that shuts down leaves the job alone, and the next attempt takes it up.
    first.cancellation.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await assert.rejects(first.moved, { message: 'WORKER_SHUTDOWN' });
    assert.ok(isAlive(group));
    const second = begin(2);
    await eventually(() => assert.equal(second.heard.at(-1)?.job?.state, 'RUNNING'));
    assert.deepEqual(await tries(), ['1']);

    second.cancellation.abort(new CancelledFailure('CANCELLED'));
    await assert.rejects(second.moved, { message: 'CANCELLED' });
    assert.ok(!isAlive(group));
    await endSessions();

    const third = begin(3);
    await someoneWaits();
    process.kill(-(await pidOf(2)), 'SIGKILL');
    await assert.rejects(third.moved, {
      code: 'EngineFailed',
      problem: /^the Spark job was killed/,
    });

    // A job that an attempt has attached to, and that fails then, is believed what it says of itself.
    await endSessions();
    const fourth = begin(4);
    await someoneWaits();
    fourth.cancellation.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await assert.rejects(fourth.moved, { message: 'WORKER_SHUTDOWN' });
    const fifth = begin(5);
    await eventually(() => assert.equal(fifth.heard.at(-1)?.job?.state, 'RUNNING'));
    for (const id of await waiting()) await database.run(`KILL QUERY ${id}`);
    await assert.rejects(fifth.moved, { code: 'SourceInterrupted' });

    await database.run(`DO RELEASE_LOCK('gate')`);
    const moved = await begin(4).moved;
    assert.deepEqual(await tries(), ['1', '2', '3', '4']);
    assert.deepEqual([moved.rowsAtSource, moved.rowsRead, moved.rowsWritten], [3, 3, 3]);
    // Its outcome is taken as it is, as often as it is asked for.
    const again = await begin(4).moved;
    assert.deepEqual(again.files, moved.files);
    assert.deepEqual(await tries(), ['1', '2', '3', '4']);

    const published = await destination.publish({
      identity: { ...request.identity, attempt: 4 },
      ...{ mode: 'full', key: [], fence: 1, token: { sourceTime: '', evidence: [], settings: '' } },
      ...{ files: moved.files, columns: moved.columns, rowsAtSource: 3, rowsWritten: 3 },
      assertOwner: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
    assert.equal(published.rows, 3);
    const { domain, entity } = request.identity;
    await destination.retain(domain, entity, { runs: 3, days: 0 });
    const { staging } = moved.files[0]!.receipt as { readonly staging: string };
    const [, requests = ''] = /^(.*)-\d+\/[^/]+$/.exec(staging) ?? [];
    assert.match(requests, /^_staging\/shop\/guarded\/run-1\.spark-/);
    assert.equal(await destination.getDocument(`${requests}/request.json`), undefined);
  });

  it('loads a table of a pipeline that says so', async () => {
    await database.run('CREATE TABLE plain (id int PRIMARY KEY)', 'INSERT INTO plain VALUES (7)');
    const { host, port, user } = database.connection;
    const world = await startWorld({
      files: {
        'connections.yaml': `
connections:
  shop: { type: mysql, host: ${host}, port: ${port}, user: ${user}, password: env:MYSQL_PASSWORD, database: ${database.name} }
  lake: { type: file, path: ../lake }`,
        'shop.yaml': `
pipeline: shop
source: { connection: shop }
tables: { include: [plain] }
defaults: { engine: spark }
destination: { connection: lake }`,
      },
      environment: environment as Record<string, string>,
      roles: ['control', 'spark'],
      sparkSubmit: submit,
    });
    try {
      const summary = await world.run({ pipeline: 'shop', batch: 'spark' });
      assert.equal(summary.loaded, 1);
      assert.deepEqual(await readCurrent(world.lake, 'shop', 'plain', 'id'), [[7]]);
      const states = await (await world.history()).states('shop', ['plain']);
      const { engine: name, rowsAtSource } = states.get('plain')?.lastSuccess ?? {};
      assert.deepEqual([name, rowsAtSource], ['spark', 1]);
    } finally {
      await world.close();
    }
  });
});
