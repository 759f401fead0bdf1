import assert from 'node:assert/strict';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { loadProject } from '../../src/pipeline/load';
import { ProjectInvalid } from '../../src/pipeline/mistakes';
import type { Pipeline, Project } from '../../src/pipeline/pipeline';
import { settingsFor } from '../../src/pipeline/settings';
import { CONNECTIONS, load, SALES, withFolder } from './project-folder';

function only(project: Project): Pipeline {
  const [pipeline] = project.pipelines.values();
  assert.ok(pipeline);
  return pipeline;
}

async function pipelineOf(lines: string, head = SALES): Promise<Pipeline> {
  return only(await load({ 'connections.yaml': CONNECTIONS, 'sales.yaml': `${head}${lines}\n` }));
}

describe('a pipeline file', () => {
  it('that says only what it must gets every documented default', async () => {
    const { file, ...pipeline } = await pipelineOf('');
    assert.equal(path.basename(file), 'sales.yaml');
    assert.deepEqual(pipeline, {
      name: 'sales',
      domain: 'sales',
      source: { connection: 'shop', schemas: [] },
      tables: { include: ['*'], exclude: [] },
      defaults: {
        engine: 'embedded',
        mode: 'full',
        detection: { strategy: 'auto', settleMarginMs: 5_000, maxSkipAgeMs: 86_400_000 },
        timeoutMs: 7_200_000,
        maximumAttempts: 3,
        excludeColumns: [],
        textColumns: [],
        masks: {},
        invalidDates: 'null',
        onSchemaChange: 'accept',
        chunkBytes: 268_435_456,
        guard: { maxDropShare: 0.5 },
      },
      overrides: [],
      destination: {
        type: 'parquet',
        connection: 'lake',
        compression: 'zstd',
        zstdLevel: 1,
        retention: { runs: 3, days: 0 },
      },
      concurrency: 8,
    });
  });

  it('that says everything is read whole', async () => {
    const { file, ...pipeline } = await pipelineOf(
      `
description: Everything.
domain: retail
tables: { include: ["*"], exclude: ["tmp_*"] }
defaults:
  engine: embedded
  mode: incremental
  detection: { strategy: token, settleMargin: 10s, maxSkipAge: 7d }
  cursor: { column: updated_at, lookBack: 1h }
  key: [id]
  timeout: 30m
  attempts: 5
  columns: { exclude: [blob], text: [odd], mask: { phone: { method: partial, keepEnd: 2 } } }
  where: deleted = 0
  invalidDates: text
  onSchemaChange: fail
  chunkSize: 1GiB
  guard: { maxDropShare: 1 }
overrides:
  "log_*":
    mode: append
    cursor: { column: id, lookBack: 1000 }
    detection: { settleMargin: 2s }
    guard: {}
    columns:
      mask:
        a: { method: sha256, salt: file:secrets/salt }
        b: { method: hmac, key: env:KEY }
        c: { method: redact }
  plain: { mode: full }
schedule:
  cron: ["0 3 * * *", "0 15 * * MON-FRI"]
  timeZone: America/Sao_Paulo
  overlap: bufferOne
  catchUp: 10m
  paused: true
concurrency: 8`,
      `pipeline: all
source: { connection: books, schemas: [a, b] }
destination: { connection: lake, compression: none, zstdLevel: 9, retention: { runs: 1, days: 7 } }
`,
    );
    const directory = path.dirname(file);
    assert.deepEqual(pipeline, {
      name: 'all',
      description: 'Everything.',
      domain: 'retail',
      source: { connection: 'books', schemas: ['a', 'b'] },
      tables: { include: ['*'], exclude: ['tmp_*'] },
      defaults: {
        engine: 'embedded',
        mode: 'incremental',
        detection: { strategy: 'token', settleMarginMs: 10_000, maxSkipAgeMs: 604_800_000 },
        cursor: { column: 'updated_at', lookBack: 3_600_000 },
        key: ['id'],
        timeoutMs: 1_800_000,
        maximumAttempts: 5,
        excludeColumns: ['blob'],
        textColumns: ['odd'],
        masks: { phone: { method: 'partial', keepStart: 0, keepEnd: 2 } },
        where: 'deleted = 0',
        invalidDates: 'text',
        onSchemaChange: 'fail',
        chunkBytes: 1_073_741_824,
        guard: { maxDropShare: 1 },
      },
      overrides: [
        {
          pattern: 'log_*',
          settings: {
            mode: 'append',
            cursor: { column: 'id', lookBack: 1_000 },
            detection: { settleMarginMs: 2_000 },
            guard: {},
            masks: {
              a: {
                method: 'sha256',
                salt: { from: 'file', path: path.join(directory, 'secrets/salt') },
              },
              b: { method: 'hmac', key: { from: 'env', name: 'KEY' } },
              c: { method: 'redact', text: '***' },
            },
          },
        },
        { pattern: 'plain', settings: { mode: 'full' } },
      ],
      destination: {
        type: 'parquet',
        connection: 'lake',
        compression: 'none',
        zstdLevel: 9,
        retention: { runs: 1, days: 7 },
      },
      schedule: {
        cron: ['0 3 * * *', '0 15 * * MON-FRI'],
        timeZone: 'America/Sao_Paulo',
        overlap: 'bufferOne',
        catchUpMs: 600_000,
        paused: true,
      },
      concurrency: 8,
    });
  });

  it('takes a schedule of one expression with the defaults', async () => {
    assert.deepEqual((await pipelineOf('schedule: { cron: "0 3 * * *" }')).schedule, {
      cron: ['0 3 * * *'],
      timeZone: 'UTC',
      overlap: 'skip',
      catchUpMs: 3_600_000,
      paused: false,
    });
  });

  for (const word of ['null', '"null"', '~']) {
    it(`takes invalidDates: ${word} for the word null`, async () => {
      const pipeline = await pipelineOf(`defaults: { invalidDates: ${word} }`);
      assert.equal(pipeline.defaults.invalidDates, 'null');
    });
  }

  it('keeps overrides in the order of the file, numbers included', async () => {
    const { overrides } = await pipelineOf(
      'overrides:\n  zebra: {}\n  2024: { attempts: 1 }\n  0x10: {}\n  "10": {}\n  constructor: {}',
    );
    assert.deepEqual(
      overrides.map(({ pattern }) => pattern),
      ['zebra', '2024', '0x10', '10', 'constructor'],
    );
    assert.deepEqual(overrides[1]?.settings, { maximumAttempts: 1 });
  });

  it('may use anchors', async () => {
    const { overrides } = await pipelineOf(
      'overrides:\n  a: &log { mode: append, cursor: { column: id } }\n  b: *log',
    );
    assert.deepEqual(overrides[1]?.settings, overrides[0]?.settings);
  });

  it('may take cursor and key from defaults or from an override that covers it', async () => {
    for (const lines of [
      'overrides:\n  a: { mode: append, cursor: { column: id, lookBack: 0s } }',
      'defaults: { key: [id] }\noverrides:\n  a: { mode: append, cursor: { column: id, lookBack: 5 } }',
      'defaults: { cursor: { column: id } }\noverrides:\n  a: { mode: append }',
      'overrides:\n  "*": { cursor: { column: id } }\n  "a*": { mode: append }',
      'overrides:\n  "a*": { mode: append }\n  "*": { cursor: { column: id } }',
      'defaults: { mode: append }\ntables: { include: [a, b] }\noverrides:\n  a: { cursor: { column: id } }\n  b: { mode: full }',
      'overrides:\n  a: { detection: { strategy: cursor } }\n  "*": { detection: { strategy: token } }',
    ]) {
      await pipelineOf(lines);
    }
  });

  it('is read with CRLF and a byte order mark', async () => {
    const text = `\uFEFF${SALES.replaceAll('\n', '\r\n')}`;
    const project = await load({ 'connections.yaml': CONNECTIONS, 'sales.yml': text });
    assert.equal(only(project).name, 'sales');
  });
});

describe('a pipelines folder', () => {
  it('reads *.yaml and *.yml, not hidden files or folders below', async () => {
    const files = {
      'connections.yml': CONNECTIONS,
      'b.yml': SALES,
      'a.yaml': SALES.replace('sales', 'other'),
      '.hidden.yaml': 'nonsense',
      'notes.txt': 'nonsense',
    };
    const project = await load(files);
    assert.deepEqual([...project.pipelines.keys()], ['other', 'sales']);
  });

  it('resolves connections from the environment it is given, and leaves secrets as references', async () => {
    const connections = `connections:
  shop:
    type: mysql
    host: env:HOST
    port: env:PORT
    user: env:DB_USER
    password: file:shop.secret
    database: env:DB
    tls: { mode: verify-full, ca: ca.pem, certificate: c.pem, key: k.pem }
    connectTimeout: 3s
    maxParallelLoads: 4
    silenceTimeout: 1m
  lake:
    type: s3
    bucket: env:BUCKET
    prefix: env:PREFIX
    region: env:REGION
    endpoint: env:ENDPOINT
    forcePathStyle: true
    accessKeyId: env:ID
    secretAccessKey: env:SECRET
    kmsKey: alias/lake
    tls: { ca: ca.pem, certificate: c.pem, key: k.pem }
history: { type: sqlite, path: env:HISTORY }
`;
    const environment = {
      HOST: 'db.example.com',
      PORT: '3307',
      DB_USER: 'reader',
      DB: 'shop',
      BUCKET: 'b',
      PREFIX: '/a/b/',
      REGION: 'sa-east-1',
      ENDPOINT: 'https://127.0.0.1:9000/',
      HISTORY: 'h.db',
    };
    const project = await load({ 'connections.yaml': connections, 'a.yaml': SALES }, environment);
    const at = (name: string): string => path.join(project.directory, name);
    assert.deepEqual(project.connections.get('shop'), {
      type: 'mysql',
      name: 'shop',
      host: 'db.example.com',
      port: 3307,
      user: 'reader',
      password: { from: 'file', path: at('shop.secret') },
      database: 'shop',
      tls: { mode: 'verify-full', ca: at('ca.pem'), certificate: at('c.pem'), key: at('k.pem') },
      connectTimeoutMs: 3_000,
      maxParallelLoads: 4,
      silenceTimeoutMs: 60_000,
    });
    assert.deepEqual(project.connections.get('lake'), {
      type: 's3',
      name: 'lake',
      bucket: 'b',
      prefix: 'a/b',
      region: 'sa-east-1',
      endpoint: 'https://127.0.0.1:9000',
      forcePathStyle: true,
      accessKeyId: { from: 'env', name: 'ID' },
      secretAccessKey: { from: 'env', name: 'SECRET' },
      kmsKey: 'alias/lake',
      tls: { ca: at('ca.pem'), certificate: at('c.pem'), key: at('k.pem') },
    });
    assert.deepEqual(project.history, { type: 'sqlite', path: at('h.db') });
  });

  it('takes lakes of Google and secrets of both clouds', async () => {
    const kmsKey = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
    const arn = 'arn:aws:secretsmanager:sa-east-1:123456789012:secret:rds!db-1-AbCdEf';
    const database = (password: string): string =>
      `{ type: mysql, host: h, user: u, database: d, password: "${password}" }`;
    const connections = `${CONNECTIONS}
  google: { type: gcs, bucket: b, prefix: a/, credentials: 'gsm:projects/p/secrets/key', kmsKey: ${kmsKey} }
  pinned: ${database('gsm:projects/1/secrets/shop/versions/3')}
  plain: ${database('asm:shop/db')}
  member: ${database(`asm:${arn}#pass#word`)}
`;
    const project = await load({ 'connections.yaml': connections, 'a.yaml': SALES });
    assert.deepEqual(project.connections.get('google'), {
      type: 'gcs',
      name: 'google',
      bucket: 'b',
      prefix: 'a',
      credentials: { from: 'gsm', version: 'projects/p/secrets/key/versions/latest' },
      kmsKey,
    });
    const passwordOf = (name: string): unknown => {
      const connection = project.connections.get(name);
      return connection?.type === 'mysql' ? connection.password : undefined;
    };
    assert.deepEqual(passwordOf('pinned'), {
      from: 'gsm',
      version: 'projects/1/secrets/shop/versions/3',
    });
    assert.deepEqual(passwordOf('plain'), { from: 'asm', id: 'shop/db' });
    assert.deepEqual(passwordOf('member'), { from: 'asm', id: arn, key: 'pass#word' });
  });

  it('takes tables of BigQuery, arranged by settings that add up', async () => {
    const connections = `${CONNECTIONS}
  google: { type: gcs, bucket: b }
  house: { type: bigquery, project: env:PROJECT, dataset: d, location: EU, endpoint: 'http://h:1/', lake: google }
`;
    const pipeline = `${SALES.replace('connection: lake', 'connection: house, tablePrefix: shop_')}
defaults: { bigquery: { labels: { team: a, tier: b }, clusterBy: [x] } }
overrides:
  orders: { bigquery: { partitionBy: { column: day }, labels: { team: c } } }
  items: { bigquery: { partitionBy: { column: at, granularity: hour }, clusterBy: [y, z] } }
`;
    const files = { 'connections.yaml': connections, 'sales.yaml': pipeline };
    const project = await load(files, { PROJECT: 'p' });
    assert.deepEqual(project.connections.get('house'), {
      type: 'bigquery',
      name: 'house',
      project: 'p',
      dataset: 'd',
      location: 'EU',
      endpoint: 'http://h:1',
      lake: 'google',
    });
    const sales = project.pipelines.get('sales');
    assert.ok(sales);
    assert.equal(sales.destination.tablePrefix, 'shop_');
    assert.deepEqual(settingsFor(sales, 'orders').bigquery, {
      labels: { team: 'c', tier: 'b' },
      clusterBy: ['x'],
      partitionBy: { column: 'day', granularity: 'day' },
    });
    assert.deepEqual(settingsFor(sales, 'items').bigquery, {
      labels: { team: 'a', tier: 'b' },
      clusterBy: ['y', 'z'],
      partitionBy: { column: 'at', granularity: 'hour' },
    });
  });

  it('knows whom to tell', async () => {
    const connections = `${CONNECTIONS}
  ops: { type: slack, webhook: env:HOOK }
  mail: { type: smtp, host: env:MAIL, user: u, password: env:P, from: Comporta <c@x.org>, to: [o@x.org] }
`;
    const pipeline = `${SALES}\nnotify: { to: [ops, mail], freshness: 36h }\n`;
    const files = { 'connections.yaml': connections, 'a.yaml': pipeline };
    const project = await load(files, { MAIL: 'mail.x.org' });
    assert.deepEqual(project.connections.get('ops'), {
      ...{ type: 'slack', name: 'ops' },
      webhook: { from: 'env', name: 'HOOK' },
    });
    assert.deepEqual(project.connections.get('mail'), {
      ...{ type: 'smtp', name: 'mail', host: 'mail.x.org', port: 587, user: 'u' },
      password: { from: 'env', name: 'P' },
      ...{ from: 'Comporta <c@x.org>', to: ['o@x.org'], tls: { mode: 'prefer' } },
    });
    const [sales] = project.pipelines.values();
    assert.deepEqual(sales?.notify, { to: ['ops', 'mail'], freshnessMs: 36 * 3_600_000 });
  });

  it('knows the platforms that jobs run on', async () => {
    const connections = `${CONNECTIONS}
  bucket: { type: s3, bucket: b, region: r }
  nightly: { type: dataproc, project: env:PROJECT, region: us-central1, cluster: c }
  labelled: { type: dataproc, project: p, region: r, clusterLabels: { env: prod }, labels: { team: data } }
  batches:
    type: dataproc
    project: p
    region: r
    serverless: { version: "2.2", ttl: 30m, subnetwork: s, serviceAccount: a@p.iam, networkTags: [t], stagingBucket: b }
    properties: { spark.executor.memory: 4g }
    jars: [gs://b/mysql.jar]
    endpoint: http://127.0.0.1:9
  empty: { type: dataproc, project: p, region: r, serverless: {} }
  made: { type: dataproc, project: env:PROJECT, region: us-central1, ephemeralCluster: {} }
  described:
    type: dataproc
    project: p
    region: r
    ephemeralCluster:
      imageVersion: 2.2-debian12
      masterMachineType: n2-standard-4
      workerMachineType: n2-highmem-8
      workers: 0
      secondaryWorkers: 2
      diskGb: 200
      zone: r-b
      subnetwork: s
      networkTags: [t]
      serviceAccount: a@p.iam
      internalIpOnly: true
      autoscalingPolicy: small
      stagingBucket: b
      kmsKey: projects/p/locations/l/keyRings/k/cryptoKeys/c
      properties: { spark:spark.ui.enabled: "false" }
      idleTtl: 5m
      maxAge: 6h
  runs: { type: glue, region: r, job: j }
  sized:
    type: glue
    region: r
    job: j
    workerType: G.1X
    workers: 4
    timeout: 90m
    arguments: { --extra-jars: s3://b/mysql.jar }
    endpoint: http://127.0.0.1:9/
    accessKeyId: env:K
    secretAccessKey: file:s
`;
    const pipeline = `${SALES.replace('lake', 'bucket')}
defaults: { platform: nightly }
overrides:
  orders: { engine: dataproc }
  items: { engine: glue, platform: runs }
`;
    const files = { 'connections.yaml': connections, 'a.yaml': pipeline };
    const project = await load(files, { PROJECT: 'lake-project' });
    const bare = { labels: {}, properties: {}, jars: [] };
    const dataproc = { type: 'dataproc', project: 'p', region: 'r', ...bare };
    assert.deepEqual(project.connections.get('nightly'), {
      ...{ ...dataproc, name: 'nightly', project: 'lake-project', region: 'us-central1' },
      runOn: { cluster: { name: 'c' } },
    });
    assert.deepEqual(project.connections.get('labelled'), {
      ...{ ...dataproc, name: 'labelled', labels: { team: 'data' } },
      runOn: { cluster: { labels: { env: 'prod' } } },
    });
    assert.deepEqual(project.connections.get('batches'), {
      ...{ ...dataproc, name: 'batches', endpoint: 'http://127.0.0.1:9' },
      runOn: {
        serverless: {
          ...{ version: '2.2', ttlMs: 30 * 60_000, subnetwork: 's', serviceAccount: 'a@p.iam' },
          ...{ networkTags: ['t'], stagingBucket: 'b' },
        },
      },
      properties: { 'spark.executor.memory': '4g' },
      jars: ['gs://b/mysql.jar'],
    });
    assert.deepEqual(project.connections.get('empty'), {
      ...{ ...dataproc, name: 'empty' },
      runOn: { serverless: { ttlMs: 4 * 3_600_000, networkTags: [] } },
    });
    const cluster = {
      ...{ workers: 2, secondaryWorkers: 0, networkTags: [], properties: {} },
      ...{ idleTtlMs: 10 * 60_000, maxAgeMs: 86_400_000 },
    };
    assert.deepEqual(project.connections.get('made'), {
      ...{ ...dataproc, name: 'made', project: 'lake-project', region: 'us-central1' },
      runOn: { ephemeralCluster: cluster },
    });
    assert.deepEqual(project.connections.get('described'), {
      ...{ ...dataproc, name: 'described' },
      runOn: {
        ephemeralCluster: {
          ...{ imageVersion: '2.2-debian12', masterMachineType: 'n2-standard-4' },
          ...{ workerMachineType: 'n2-highmem-8', workers: 0, secondaryWorkers: 2, diskGb: 200 },
          ...{ zone: 'r-b', subnetwork: 's', networkTags: ['t'], serviceAccount: 'a@p.iam' },
          autoscalingPolicy: 'projects/p/regions/r/autoscalingPolicies/small',
          ...{ internalIpOnly: true, stagingBucket: 'b' },
          kmsKey: 'projects/p/locations/l/keyRings/k/cryptoKeys/c',
          properties: { 'spark:spark.ui.enabled': 'false' },
          ...{ idleTtlMs: 5 * 60_000, maxAgeMs: 6 * 3_600_000 },
        },
      },
    });
    const glue = { type: 'glue', region: 'r', job: 'j' };
    assert.deepEqual(project.connections.get('runs'), {
      ...{ ...glue, name: 'runs', timeoutMs: 4 * 3_600_000, arguments: {} },
    });
    assert.deepEqual(project.connections.get('sized'), {
      ...{ ...glue, name: 'sized', workerType: 'G.1X', workers: 4, timeoutMs: 90 * 60_000 },
      arguments: { '--extra-jars': 's3://b/mysql.jar' },
      endpoint: 'http://127.0.0.1:9',
      accessKeyId: { from: 'env', name: 'K' },
      secretAccessKey: { from: 'file', path: path.join(project.directory, 's') },
    });
    const [sales] = project.pipelines.values();
    const of = (table: string) => {
      const { engine, platform } = settingsFor(sales!, table);
      return [engine, platform];
    };
    assert.deepEqual(of('orders'), ['dataproc', 'nightly']);
    assert.deepEqual(of('items'), ['glue', 'runs']);
    assert.deepEqual(of('others'), ['embedded', 'nightly']);
  });

  it('gives connections and history their defaults', async () => {
    const project = await load({ 'connections.yaml': CONNECTIONS, 'a.yaml': SALES });
    const { directory } = project;
    assert.deepEqual(project.connections.get('shop'), {
      type: 'mysql',
      name: 'shop',
      host: 'db',
      port: 3306,
      user: 'reader',
      password: { from: 'env', name: 'SHOP_PASSWORD' },
      database: 'shop',
      tls: { mode: 'prefer' },
      connectTimeoutMs: 10_000,
      silenceTimeoutMs: 15_000,
    });
    const books = project.connections.get('books');
    assert.equal(books?.type === 'postgres' && books.port, 5432);
    assert.deepEqual(project.connections.get('lake'), {
      type: 'file',
      name: 'lake',
      path: path.resolve(directory, '../lake'),
    });
    assert.deepEqual(project.history, {
      type: 'sqlite',
      path: path.resolve(directory, '../.comporta/history.db'),
    });
  });

  it('keeps the history in PostgreSQL if told so', async () => {
    const connections = `${CONNECTIONS}history: { type: postgres, connection: books }\n`;
    const project = await load({ 'connections.yaml': connections, 'a.yaml': SALES });
    assert.deepEqual(project.history, {
      type: 'postgres',
      connection: 'books',
      schema: 'comporta',
    });
  });

  it('keeps the history in BigQuery if told so', async () => {
    const history = `history:
  type: bigquery
  project: env:PROJECT
  dataset: comporta
  location: southamerica-east1
  endpoint: http://127.0.0.1:9050/
  leases: lake
`;
    const files = { 'connections.yaml': `${CONNECTIONS}${history}`, 'a.yaml': SALES };
    const project = await load(files, { PROJECT: 'our-project' });
    assert.deepEqual(project.history, {
      type: 'bigquery',
      project: 'our-project',
      dataset: 'comporta',
      location: 'southamerica-east1',
      endpoint: 'http://127.0.0.1:9050',
      leases: 'lake',
    });
  });

  it('sees through links when two connections are one lake', async () => {
    const files = {
      'connections.yaml': `${CONNECTIONS}  other: { type: file, path: link/lake }\n  real: { type: file, path: target/lake }\n`,
      'a.yaml': SALES.replace('lake', 'other'),
      'b.yaml': SALES.replace('lake', 'real').replace('sales', 'b\ndomain: sales'),
    };
    await withFolder(files, async (directory) => {
      await mkdir(path.join(directory, 'target'));
      await symlink(path.join(directory, 'target'), path.join(directory, 'link'));
      await assert.rejects(loadProject(directory, { environment: {} }), (error) => {
        assert.ok(error instanceof ProjectInvalid);
        assert.deepEqual(
          error.mistakes.map(({ path: at }) => at),
          ['domain'],
        );
        return true;
      });
    });
  });

  it('that ships with the project is valid', async () => {
    const directory = path.resolve(__dirname, '../../pipelines');
    const environment = Object.fromEntries(
      ['SALES', 'FINANCE'].flatMap((database) => [
        [`COMPORTA_${database}_HOST`, '127.0.0.1'],
        [`COMPORTA_${database}_PORT`, '1234'],
        [`COMPORTA_${database}_USER`, 'reader'],
      ]),
    );
    const project = await loadProject(directory, { environment });
    assert.deepEqual([...project.pipelines.keys()], ['finance', 'sales']);
    await assert.rejects(
      loadProject(directory, { environment: {} }),
      (error) => error instanceof ProjectInvalid && error.mistakes.length === 6,
    );
  });

  it('that the manual shows is valid', async () => {
    const manual = await readFile(path.resolve(__dirname, '../../docs/pipelines.md'), 'utf8');
    const blocks = [...manual.matchAll(/```yaml\n([^]*?)```/g)].map(([, block = '']) => block);
    const pipelines = blocks.filter((block) => /^pipeline:/m.test(block));
    const connections = blocks.find((block) => block.startsWith('connections:')) ?? '';
    assert.equal(pipelines.length, 2);
    for (const pipeline of pipelines) {
      await load({ 'connections.yaml': connections, 'sales.yaml': pipeline });
    }
    const parts = blocks.filter((block) => /^(?:defaults|overrides|schedule):/.test(block));
    assert.equal(parts.length, 3);
    for (const part of parts) {
      await load({ 'connections.yaml': connections, 'sales.yaml': `${pipelines[0] ?? ''}${part}` });
    }
  });
});
