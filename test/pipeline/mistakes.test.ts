import assert from 'node:assert/strict';
import { loadProject } from '../../src/pipeline/load';
import { nearest, ProjectInvalid } from '../../src/pipeline/mistakes';
import { CONNECTIONS, mistakesOf, places, restOfFiles, SALES, type Files } from './project-folder';

const HEAD = 'pipeline: sales\nsource: { connection: shop }\ndestination: { connection: lake }\n';

/** What, the lines after a valid head, and each mistake as `line:column path: problem`. */
type Case = readonly [what: string, lines: string, ...expected: string[]];

const PIPELINE_CASES: readonly Case[] = [
  ['unknown key', 'domian: x', '4:1 domian: unknown key'],
  [
    'unknown nested key',
    'defaults:\n  detection:\n    margin: 5s',
    '6:5 defaults.detection.margin: unknown key',
  ],
  ['two unknown keys', 'a1: 1\nb1: 2', '4:1 a1: unknown key', '5:1 b1: unknown key'],
  ['wrong type', 'tables:\n  exclude: tmp_*', '5:12 tables.exclude: must be a list, not text'],
  ['wrong type of a section', 'defaults: 5', '4:11 defaults: must be a mapping, not a number'],
  [
    'wrong type of an item',
    'tables: { include: [1] }',
    '4:21 tables.include[0]: must be a pattern',
  ],
  ['empty section', 'defaults:', '4:1 defaults: has no value'],
  [
    'truth as text',
    'schedule: { cron: "0 3 * * *", paused: "no" }',
    '4:40 schedule.paused: must be true or false, not text',
  ],
  ['missing nested key', 'schedule: {}', '4:1 schedule.cron: is missing'],
  ['nobody to tell', 'notify: { to: [] }', '4:15 notify.to: is an empty list'],
  [
    'telling a database',
    'notify: { to: [shop, nobody] }',
    '4:16 notify.to[0]: connection shop is of type mysql',
    '4:22 notify.to[1]: connection nobody is not in connections.yaml',
  ],
  [
    'engine without a platform',
    'overrides: { "orders": { engine: dataproc } }',
    '4:34 overrides.orders.engine: engine dataproc needs a platform',
  ],
  [
    'engine on a connection that is no platform',
    'defaults: { platform: lake }\noverrides: { "orders": { engine: glue } }',
    '4:23 defaults.platform: connection lake is of type file',
    '5:34 overrides.orders.engine: connection lake is of type file',
  ],
  [
    'engine on a platform that is not there',
    'defaults: { engine: glue, platform: gleu }',
    '4:37 defaults.platform: connection gleu is not in connections.yaml',
  ],
  [
    'bad word',
    'defaults: { mode: increment }',
    '4:19 defaults.mode: must be one of full, incremental, append',
  ],
  [
    'bad word for dates',
    'defaults: { invalidDates: keep }',
    '4:27 defaults.invalidDates: must be one of null, text, fail',
  ],
  [
    'bad mask',
    'defaults: { columns: { mask: { email: { method: md5 } } } }',
    '4:49 defaults.columns.mask.email.method: must be one of sha256, hmac, partial, redact',
  ],
  [
    'mask without method',
    'defaults: { columns: { mask: { email: {} } } }',
    '4:32 defaults.columns.mask.email.method: is missing',
  ],
  ['bad duration', 'defaults: { timeout: 2 hours }', '4:22 defaults.timeout: is not a duration'],
  [
    'duration without unit',
    'defaults: { timeout: 30 }',
    '4:22 defaults.timeout: is not a duration',
  ],
  [
    'margin below the resolution',
    'defaults: { detection: { settleMargin: 500ms } }',
    '4:40 defaults.detection.settleMargin: must be from 1s to 36500d',
  ],
  [
    'bad look-back',
    'defaults: { cursor: { column: id, lookBack: soon } }',
    '4:45 defaults.cursor.lookBack: must be a duration or a number',
  ],
  [
    'negative look-back',
    'defaults: { cursor: { column: id, lookBack: -1 } }',
    '4:45 defaults.cursor.lookBack: must not be negative',
  ],
  [
    'number out of range',
    'concurrency: 0',
    '4:14 concurrency: must be a whole number from 1 to 500',
  ],
  [
    'part of a number',
    'defaults: { attempts: 1.5 }',
    '4:23 defaults.attempts: must be a whole number from 1 to 100',
  ],
  [
    'share out of range',
    'defaults: { guard: { maxDropShare: 50 } }',
    '4:36 defaults.guard.maxDropShare: must be a share from 0 to 1',
  ],
  [
    'empty pattern',
    'tables: { include: [""] }',
    '4:21 tables.include[0]: is an empty pattern, which no table matches',
  ],
  [
    'empty override pattern',
    'overrides:\n  "": {}',
    '5:3 overrides[""]: is an empty pattern, which no table matches',
  ],
  [
    'no pattern',
    'tables: { include: [] }',
    '4:20 tables.include: is an empty list, so no table would be loaded',
  ],
  [
    'invalid cron',
    'schedule: { cron: "0 3 * *" }',
    '4:19 schedule.cron: is not a cron expression: it has 4 fields instead of 5',
  ],
  [
    'invalid cron in a list',
    'schedule:\n  cron:\n    - "0 3 * * *"\n    - "0 25 * * *"',
    '7:7 schedule.cron[1]: is not a cron expression: its hour must be 0 to 23',
  ],
  [
    'cron of a wrong type',
    'schedule: { cron: 5 }',
    '4:19 schedule.cron: must be a cron expression or a list of them',
  ],
  [
    'unknown time zone',
    'schedule: { cron: "0 3 * * *", timeZone: Sao_Paulo }',
    '4:42 schedule.timeZone: is not a known time zone',
  ],
  [
    'catch-up below the least',
    'schedule: { cron: "0 3 * * *", catchUp: 5s }',
    '4:41 schedule.catchUp: must be from 10s to 365d',
  ],
  ['duplicate key', 'concurrency: 1\nconcurrency: 2', '5:1 concurrency: the key is written twice'],
  [
    'duplicate override',
    'overrides:\n  a: {}\n  b: {}\n  a: {}',
    '7:3 overrides.a: the key is written twice',
  ],
  [
    'a key of the language',
    'overrides:\n  __proto__: {}',
    '5:3 overrides.__proto__: this name cannot be used as a key',
  ],
  ['a list as a key', '? [a]\n: 1', '4:3 : a key must be plain text'],
  [
    'incremental without cursor',
    'overrides:\n  orders: { mode: incremental }',
    '5:19 overrides.orders.mode: mode incremental needs a cursor',
  ],
  [
    'append without cursor',
    'defaults: { mode: append }',
    '4:19 defaults.mode: mode append needs a cursor',
  ],
  [
    'strategy without cursor',
    'defaults: { detection: { strategy: cursor } }',
    '4:36 defaults.detection.strategy: strategy cursor needs a cursor',
  ],
  [
    'incremental after an override that was full',
    'overrides:\n  "*": { mode: full }\n  a: { mode: incremental }',
    '6:14 overrides.a.mode: mode incremental needs a cursor',
  ],
  [
    'cursor of other tables only',
    'overrides:\n  a*: { mode: append }\n  ab: { cursor: { column: id } }',
    '5:15 overrides["a*"].mode: mode append needs a cursor',
  ],
  [
    'append that looks back without a key',
    'overrides:\n  a: { mode: append, cursor: { column: id, lookBack: 10 } }',
    '5:54 overrides.a.cursor.lookBack: mode append cannot look back without a key: it would add the same rows twice',
  ],
  [
    'append that looks back by its defaults',
    'defaults: { cursor: { column: id, lookBack: 10 } }\noverrides:\n  a: { mode: append }\n  b: { mode: append, key: [id] }',
    '6:14 overrides.a.mode: mode append cannot look back without a key: it would add the same rows twice',
  ],
  [
    'mask on an excluded column',
    'overrides:\n  a:\n    columns:\n      exclude: [email]\n      mask: { email: { method: redact } }',
    '8:15 overrides.a.columns.mask.email: the column is excluded, so there is nothing to mask',
  ],
  [
    'mask on a column excluded everywhere',
    'defaults: { columns: { exclude: [x] } }\noverrides:\n  a: { columns: { mask: { x: { method: redact } } } }',
    '6:27 overrides.a.columns.mask.x: the column is excluded, so there is nothing to mask',
  ],
  [
    'key on an excluded column',
    'overrides:\n  a: { key: [id], columns: { exclude: [id] } }',
    '5:14 overrides.a.key[0]: the key column is excluded',
  ],
  [
    'key that masks make equal',
    'overrides:\n  a: { key: [id], columns: { mask: { id: { method: redact } } } }',
    '5:14 overrides.a.key[0]: the key column is masked by redact, which makes different rows look the same',
  ],
  [
    'plain text for a secret',
    'defaults: { columns: { mask: { a: { method: hmac, key: hunter2 } } } }',
    '4:56 defaults.columns.mask.a.key: must be a reference to a secret, never the secret itself',
  ],
];

const CONNECTION_CASES: readonly Case[] = [
  [
    'plain text for a password',
    '  x: { type: mysql, host: h, user: u, database: d, password: hunter2 }',
    '5:62 connections.x.password: must be a reference to a secret, never the secret itself',
  ],
  [
    'number for a password',
    '  x: { type: mysql, host: h, user: u, database: d, password: 12345 }',
    '5:62 connections.x.password: must be a reference to a secret, never the secret itself',
  ],
  [
    'malformed secret reference',
    '  x: { type: mysql, host: h, user: u, database: d, password: "env:hunter 2" }',
    '5:62 connections.x.password: must be a reference to a secret, never the secret itself',
  ],
  [
    'secret of Google without a project',
    '  x: { type: mysql, host: h, user: u, database: d, password: "gsm:hunter2" }',
    '5:62 connections.x.password: must be a reference to a secret, never the secret itself',
  ],
  [
    'secret of AWS without a name',
    '  x: { type: mysql, host: h, user: u, database: d, password: "asm:#hunter2" }',
    '5:62 connections.x.password: must be a reference to a secret, never the secret itself',
  ],
  [
    'unknown type',
    '  x: { type: oracle }',
    '5:14 connections.x.type: must be one of mysql, postgres, file, s3, dataproc, glue, gcs, bigquery, slack, smtp',
  ],
  ['no type', '  x: { host: h }', '5:3 connections.x.type: is missing'],
  [
    'missing keys',
    '  x: { type: postgres, host: h }',
    '5:3 connections.x.database: is missing',
    '5:3 connections.x.user: is missing',
  ],
  [
    'key of another type',
    '  x: { type: file, path: p, bucket: b }',
    '5:29 connections.x.bucket: unknown key',
  ],
  ['name', '  1x: { type: file, path: p }', '5:3 connections["1x"]: is not a valid name'],
  [
    'port',
    '  x: { type: mysql, host: h, user: u, database: d, port: 70000 }',
    '5:58 connections.x.port: must be a port',
  ],
  [
    'port as text',
    '  x: { type: mysql, host: h, user: u, database: d, port: "3306" }',
    '5:58 connections.x.port: must be a port',
  ],
  [
    'absent variable',
    '  x: { type: file, path: env:NOWHERE }',
    '5:26 connections.x.path: the environment variable NOWHERE is not set',
  ],
  [
    'empty variable',
    '  x: { type: file, path: env:BLANK }',
    '5:26 connections.x.path: the environment variable BLANK is empty',
  ],
  [
    'variable without a port',
    '  x: { type: mysql, host: h, user: u, database: d, port: env:WORD }',
    '5:58 connections.x.port: the environment variable WORD does not hold a port',
  ],
  [
    'malformed variable',
    '  x: { type: file, path: "env:NO WHERE" }',
    '5:26 connections.x.path: must be text, or env:NAME to take it from an environment variable',
  ],
  [
    'authority that nobody asks',
    '  x: { type: mysql, host: h, user: u, database: d, tls: { ca: ca.pem } }',
    '5:59 connections.x.tls.ca: has no effect with mode prefer, which verifies nothing',
  ],
  [
    'certificate without key',
    '  x: { type: mysql, host: h, user: u, database: d, tls: { mode: require, certificate: c.pem } }',
    '5:74 connections.x.tls.certificate: is of no use without `key`',
  ],
  [
    'certificate without TLS',
    '  x: { type: mysql, host: h, user: u, database: d, tls: { mode: disable, certificate: c.pem, key: k.pem } }',
    '5:74 connections.x.tls.certificate: has no effect with mode disable',
    '5:94 connections.x.tls.key: has no effect with mode disable',
  ],
  [
    'key pasted',
    '  x: { type: mysql, host: h, user: u, database: d, tls: { mode: require, key: "-----BEGIN hunter2", certificate: c } }',
    '5:79 connections.x.tls.key: must be the path of a file',
  ],
  ['no region', '  x: { type: s3, bucket: b }', '5:3 connections.x.region: is missing'],
  [
    'half of the keys',
    '  x: { type: s3, bucket: b, region: r, accessKeyId: env:A }',
    '5:40 connections.x.accessKeyId: is of no use without `secretAccessKey`',
  ],
  [
    'certificates of a storage',
    '  x: { type: s3, bucket: b, endpoint: "http://host:9000", tls: { certificate: c.pem } }',
    '5:59 connections.x.tls: has no effect with an endpoint of http',
    '5:66 connections.x.tls.certificate: is of no use without `key`',
  ],
  [
    'endpoint',
    '  x: { type: s3, bucket: b, endpoint: "host:9000" }',
    '5:29 connections.x.endpoint: is not an http or https URL',
  ],
  [
    'endpoint with credentials',
    '  x: { type: s3, bucket: b, endpoint: "http://u:hunter2@host" }',
    '5:29 connections.x.endpoint: holds credentials',
  ],
  [
    'endpoint with a path',
    '  x: { type: s3, bucket: b, endpoint: "http://host/bucket" }',
    '5:29 connections.x.endpoint: has a path',
  ],
  [
    'key of Cloud KMS without its ring',
    '  x: { type: gcs, bucket: b, kmsKey: lake }',
    '5:30 connections.x.kmsKey: is not the name of a key of Cloud KMS',
  ],
  [
    'credentials that would be sent in the open',
    '  x: { type: gcs, bucket: b, endpoint: "http://host:4443", credentials: env:A }',
    '5:60 connections.x.credentials: are sent to no endpoint of http',
  ],
  [
    'endpoint of Google with credentials',
    '  x: { type: gcs, bucket: b, endpoint: "https://u:hunter2@host" }',
    '5:30 connections.x.endpoint: holds credentials',
  ],
  [
    'platform that does not say where',
    '  x: { type: dataproc, project: p, region: r }',
    '5:6 connections.x: does not say where jobs run',
  ],
  [
    'platform that says it twice',
    '  x: { type: dataproc, project: p, region: r, cluster: c, serverless: {} }',
    '5:59 connections.x.serverless: cannot stand beside `cluster`',
  ],
  [
    'batch that ends too soon',
    '  x: { type: dataproc, project: p, region: r, serverless: { ttl: 5m } }',
    '5:66 connections.x.serverless.ttl: must be from 10m to 14d',
  ],
  [
    'cluster of one worker',
    '  x: { type: dataproc, project: p, region: r, ephemeralCluster: { workers: 1 } }',
    '5:67 connections.x.ephemeralCluster.workers: cannot be 1',
  ],
  [
    'cluster in a zone elsewhere',
    '  x: { type: dataproc, project: p, region: r, ephemeralCluster: { zone: s-a } }',
    '5:67 connections.x.ephemeralCluster.zone: is no zone of the region',
  ],
  [
    'cluster with a key of something else',
    '  x: { type: dataproc, project: p, region: r, ephemeralCluster: { kmsKey: k } }',
    '5:67 connections.x.ephemeralCluster.kmsKey: is not the name of a key of Cloud KMS',
  ],
  [
    'cluster that goes before it is idle',
    '  x: { type: dataproc, project: p, region: r, ephemeralCluster: { idleTtl: 4m } }',
    '5:76 connections.x.ephemeralCluster.idleTtl: must be from 5m to 14d',
  ],
  [
    'property of no file',
    '  x: { type: dataproc, project: p, region: r, ephemeralCluster: { properties: { a.b: c } } }',
    '5:81 connections.x.ephemeralCluster.properties["a.b"]: is not a valid name',
  ],
  [
    'Dataproc behind TLS of its own',
    '  x: { type: dataproc, project: p, region: r, cluster: c, endpoint: "https://h:1" }',
    '5:59 connections.x.endpoint: is not the address of a local server',
  ],
  [
    'arguments of Glue that Comporta sets',
    '  x: { type: glue, region: r, job: j, arguments: { --attempt: "1" } }',
    '5:52 connections.x.arguments["--attempt"]: is set by Comporta',
  ],
  [
    'argument of Glue without hyphens',
    '  x: { type: glue, region: r, job: j, arguments: { jars: x } }',
    '5:52 connections.x.arguments.jars: is not a valid name',
  ],
  [
    'half of the credentials of Glue',
    '  x: { type: glue, region: r, job: j, accessKeyId: env:K }',
    '5:39 connections.x.accessKeyId: is of no use without `secretAccessKey`',
  ],
  [
    'webhook in the file',
    '  x: { type: slack, webhook: "https://hooks.example.com/hunter2" }',
    '5:30 connections.x.webhook: must be a reference to a secret, never the secret itself',
  ],
  [
    'mail addresses',
    '  x: { type: smtp, host: h, from: ops, to: [] }',
    '5:35 connections.x.from: must be an e-mail address',
    '5:44 connections.x.to: is an empty list',
  ],
  [
    'recipient that brings another header',
    '  x: { type: smtp, host: h, from: a@b.org, to: ["a@b.org\\r\\nBcc: c@d.org"] }',
    '5:49 connections.x.to[0]: must be an e-mail address',
  ],
  [
    'login without a password',
    '  x: { type: smtp, host: h, user: u, from: a@b.org, to: [a@b.org] }',
    '5:29 connections.x.user: is of no use without `password`',
  ],
  [
    'history type',
    'history: { type: mysql }',
    '5:18 history.type: must be one of sqlite, postgres, bigquery',
  ],
  [
    'history on a MySQL connection',
    'history: { type: postgres, connection: shop }',
    '5:40 history.connection: connection shop is of type mysql',
  ],
  [
    'history on no connection',
    'history: { type: postgres, connection: bokos }',
    '5:40 history.connection: connection bokos is not in connections.yaml',
  ],
  [
    'history in BigQuery without leases',
    'history: { type: bigquery, project: p, dataset: d }',
    '5:1 history.leases: is missing',
  ],
  [
    'leases in no lake',
    'history: { type: bigquery, project: p, dataset: d, leases: shop }',
    '5:60 history.leases: connection shop is of type mysql',
  ],
  [
    'history in a dataset with a strange name',
    'history: { type: bigquery, project: p, dataset: a-b, leases: lake }',
    '5:49 history.dataset: is not a valid name',
  ],
  [
    "history at an emulator's address with a path",
    "history: { type: bigquery, project: p, dataset: d, leases: lake, endpoint: 'http://h/x' }",
    '5:66 history.endpoint: has a path',
  ],
];

const SYNTAX_CASES: readonly (readonly [what: string, text: string, expected: string])[] = [
  [
    'unquoted star',
    'schedule: { cron: * 3 * * * }',
    '4:19 : a plain value cannot begin with * or &',
  ],
  [
    'unquoted secret with a star',
    'description: *hunter2',
    '4:14 description: a value that begins with * refers to an anchor (&), and there is none of that name',
  ],
  [
    'reserved character',
    'description: @hunter2',
    '4:14 : a plain value cannot begin with this character',
  ],
  [
    'colon in a value',
    'description: hunter2: x',
    '4:14 : a plain value cannot hold ": ", and a nested mapping cannot begin here',
  ],
  ['tab', 'tables:\n\tinclude: [a]', '5:1 : a tab is used as indentation'],
  ['open quote', 'description: "hunter2', '5:1 : a quote, bracket, comma or colon is missing'],
  ['no colon', 'hunter2\ndomain: x', '4:1 : a key must be on one line and end with a colon'],
  ['tag', 'description: !hunter2 x', '4:14 : YAML tags (!…) mean nothing here'],
  ['two documents', '---\npipeline: other', '4:1 : the file holds several documents'],
  [
    'endless alias',
    'defaults: &d { columns: *d }',
    '4:25 defaults.columns: this alias lies inside its own anchor',
  ],
  ['text after a value', 'description: "x" hunter2', '4:18 : this is not valid YAML'],
];

async function assertPlaces(
  files: Files,
  file: string,
  expected: readonly string[],
): Promise<void> {
  const found = await places(files, { BLANK: ' ', WORD: 'hunter2' });
  assert.deepEqual([...found].sort(), expected.map((one) => `${file}:${one}`).sort());
}

describe('mistakes in pipeline files', () => {
  for (const [what, lines, ...expected] of PIPELINE_CASES) {
    it(what, () =>
      assertPlaces(
        { 'connections.yaml': CONNECTIONS, 'sales.yaml': `${HEAD}${lines}\n` },
        'sales.yaml',
        expected,
      ),
    );
  }
});

describe('mistakes in connections.yaml', () => {
  for (const [what, lines, ...expected] of CONNECTION_CASES) {
    it(what, () =>
      assertPlaces(
        { 'connections.yaml': `${CONNECTIONS}${lines}\n`, 'sales.yaml': SALES },
        'connections.yaml',
        expected,
      ),
    );
  }
});

describe('mistakes in YAML', () => {
  for (const [what, lines, expected] of SYNTAX_CASES) {
    it(what, async () => {
      const files = { 'connections.yaml': CONNECTIONS, 'sales.yaml': `${HEAD}${lines}\n` };
      const found = await places(files);
      assert.equal(found[0], `sales.yaml:${expected}`);
      const onLines = found.map((one) => one.split(':')[1]);
      assert.equal(new Set(onLines).size, onLines.length, 'one syntax error per line');
    });
  }
});

describe('no message repeats what might be a secret', () => {
  const all = [
    ...PIPELINE_CASES.map(([what, lines]) => [what, CONNECTIONS, `${HEAD}${lines}\n`] as const),
    ...SYNTAX_CASES.map(([what, lines]) => [what, CONNECTIONS, `${HEAD}${lines}\n`] as const),
    ...CONNECTION_CASES.map(([what, lines]) => [what, `${CONNECTIONS}${lines}\n`, SALES] as const),
  ].filter(([, connections, sales]) => `${connections}${sales}`.includes('hunter'));
  for (const [what, connections, sales] of all) {
    it(what, async () => {
      const files = { 'connections.yaml': connections, 'sales.yaml': sales };
      const { message } = await mistakesOf(files, { WORD: 'hunter2' });
      assert.ok(message !== '' && !message.includes('hunter'), message);
    });
  }
});

describe('mistakes between files', () => {
  it('are a lake in a folder and jobs on machines elsewhere', async () => {
    const platform = 'type: dataproc, project: p, region: r, cluster: c';
    const files = (more: string) => ({
      'connections.yaml': `${CONNECTIONS}  x: { ${platform}${more} }\n`,
      'sales.yaml': `${HEAD}defaults: { engine: dataproc, platform: x }\n`,
    });
    await assertPlaces(files(''), 'sales.yaml', [
      '4:41 defaults.platform: a job of dataproc cannot write to a lake in a folder',
    ]);
    await assertPlaces(files(', endpoint: "http://127.0.0.1:9"'), 'sales.yaml', []);
  });

  const connections = {
    'connections.yaml': `${CONNECTIONS}  same: { type: file, path: ../x/../lake/ }
  cloud: { type: s3, bucket: b, prefix: p/, endpoint: "http://Host:80" }
  cloud2: { type: s3, bucket: b, prefix: /p, endpoint: "http://host/" }
  cloud3: { type: s3, bucket: b, prefix: q, endpoint: "http://host/" }
  google: { type: gcs, bucket: b, prefix: p }
  google2: { type: gcs, bucket: b, prefix: /p/ }
`,
  };
  const pipeline = (name: string, lake: string, more = ''): string =>
    `pipeline: ${name}\nsource: { connection: shop }\ndestination: { connection: ${lake} }\n${more}`;
  const collide = (a: string, b: string): Promise<readonly string[]> =>
    places({ ...connections, 'a.yaml': a, 'b.yml': b });

  it('two pipelines to the same tables of BigQuery, and none with prefixes of their own', async () => {
    const warehouses = {
      'connections.yaml': `${CONNECTIONS}
  google: { type: gcs, bucket: b }
  house: { type: bigquery, project: p, dataset: d, lake: google }
  house2: { type: bigquery, project: p, dataset: d, lake: google }
`,
    };
    const two = (more: string) =>
      places({
        ...warehouses,
        'a.yaml': pipeline('a', 'house'),
        'b.yaml': pipeline('b', `house2${more}`),
      });
    assert.deepEqual(await two(''), [
      'b.yaml:3:28 destination.connection: it would write to the same tables as a.yaml: the same dataset',
    ]);
    assert.deepEqual(await two(', tablePrefix: b_'), []);
    const sameLake = {
      ...warehouses,
      'a.yaml': pipeline('a', 'house'),
      'b.yaml': pipeline('b', 'google', 'domain: a\n'),
    };
    assert.deepEqual(await places(sameLake), [
      'b.yaml:4:9 domain: it would write to the same place as a.yaml: the same lake and the domain a',
    ]);
  });
  it('a table of BigQuery, and what cannot be said of it', async () => {
    const files = (warehouse: string, lines: string) => ({
      'connections.yaml': `${CONNECTIONS}  house: { type: bigquery, project: p, ${warehouse} }\n  google: { type: gcs, bucket: b }\n`,
      'sales.yaml': `${HEAD.replace('lake', 'house')}${lines}`,
    });
    const place = 'dataset: d, lake: google';
    const table =
      'bigquery: { partitionBy: { column: day }, clusterBy: [a, b], labels: { team: x } }';
    assert.deepEqual(await places(files(place, `defaults: { ${table} }\n`)), []);
    await assertPlaces(files('dataset: a-b, lake: lake', ''), 'connections.yaml', [
      '5:49 connections.house.dataset: is not a valid name',
      '5:60 connections.house.lake: connection lake is of type file',
    ]);
    await assertPlaces(files(`${place}, endpoint: "http://h/x"`, ''), 'connections.yaml', [
      '5:66 connections.house.endpoint: has a path',
    ]);
    await assertPlaces(
      files(
        place,
        `overrides:
  a: { bigquery: { partitionBy: { column: day, granularity: week } } }
  b: { bigquery: { clusterBy: [] } }
  c: { bigquery: { clusterBy: [a, b, c, d, e] } }
  d: { bigquery: { labels: { Team: x } } }
  e: { bigquery: { labels: { comporta-x: x } } }
  f: { bigquery: { labels: { team: X } } }
  g: { bigquery: { partitionBy: { column: day }, clusterBy: [at] }, columns: { exclude: [at, day] } }
`,
      ),
      'sales.yaml',
      [
        '5:61 overrides.a.bigquery.partitionBy.granularity: must be one of hour, day, month, year',
        '6:31 overrides.b.bigquery.clusterBy: must be a list of one to four columns',
        '7:31 overrides.c.bigquery.clusterBy: must be a list of one to four columns',
        '8:30 overrides.d.bigquery.labels.Team: is not a valid name',
        '9:30 overrides.e.bigquery.labels.comporta-x: is not a valid name',
        '10:36 overrides.f.bigquery.labels.team: is not the value of a label',
        '11:43 overrides.g.bigquery.partitionBy.column: the column is excluded',
        '11:62 overrides.g.bigquery.clusterBy[0]: the column is excluded',
      ],
    );
    await assertPlaces(
      {
        'connections.yaml': CONNECTIONS,
        'sales.yaml': `${HEAD.replace('lake }', 'lake, tablePrefix: a_ }')}defaults: { ${table} }\n`,
      },
      'sales.yaml',
      [
        '3:34 destination.tablePrefix: means nothing to a destination of type file',
        '4:13 defaults.bigquery: means nothing to a destination of type file',
      ],
    );
  });
  it('two pipelines of one name', async () => {
    assert.deepEqual(await collide(pipeline('a', 'lake'), pipeline('a', 'cloud')), [
      'b.yml:1:11 pipeline: the name a is taken by a.yaml',
    ]);
  });
  it('two pipelines to one folder and domain, by connections of different names', async () => {
    assert.deepEqual(await collide(pipeline('a', 'lake'), pipeline('b', 'same', 'domain: a\n')), [
      'b.yml:4:9 domain: it would write to the same place as a.yaml: the same lake and the domain a',
    ]);
  });
  it('two pipelines to one bucket of Google and prefix', async () => {
    assert.deepEqual(
      await collide(pipeline('a', 'google'), pipeline('b', 'google2', 'domain: a\n')),
      [
        'b.yml:4:9 domain: it would write to the same place as a.yaml: the same lake and the domain a',
      ],
    );
  });
  it('two pipelines to one bucket and prefix', async () => {
    assert.deepEqual(
      await collide(pipeline('a', 'cloud', 'domain: b\n'), pipeline('b', 'cloud2')),
      [
        'b.yml:3:28 destination.connection: it would write to the same place as a.yaml: the same lake and the domain b',
      ],
    );
  });
  it('none for other domains, other prefixes', async () => {
    assert.deepEqual(await collide(pipeline('a', 'lake'), pipeline('b', 'same')), []);
    assert.deepEqual(
      await collide(pipeline('a', 'cloud', 'domain: b\n'), pipeline('b', 'cloud3')),
      [],
    );
  });
  it('names that collide are told even when the files have other mistakes', async () => {
    assert.deepEqual(
      await collide(pipeline('a', 'lake', 'x: 1\n'), pipeline('a', 'cloud', 'y: 1\n')),
      [
        'a.yaml:4:1 x: unknown key',
        'b.yml:1:11 pipeline: the name a is taken by a.yaml',
        'b.yml:4:1 y: unknown key',
      ],
    );
  });
  it('unknown connection, and one of the wrong type', async () => {
    const { mistakes } = await mistakesOf({
      'connections.yaml': CONNECTIONS,
      'a.yaml': 'pipeline: a\nsource: { connection: shp }\ndestination: { connection: books }\n',
    });
    assert.deepEqual(
      mistakes.map(({ line, column, problem, fix }) => `${line}:${column} ${problem} — ${fix}`),
      [
        '2:23 connection shp is not in connections.yaml — did you mean shop? (there are shop, books, lake)',
        '3:28 connection books is of type postgres — name one of type file, s3, gcs or bigquery (such as lake)',
      ],
    );
  });
  it('schemas for a MySQL source', async () => {
    assert.deepEqual(
      await places({
        ...connections,
        'a.yaml':
          'pipeline: a\nsource: { connection: shop, schemas: [x] }\ndestination: { connection: lake }\n',
      }),
      [
        'a.yaml:2:29 source.schemas: means nothing to MySQL, where connection shop names the database',
      ],
    );
  });
});

describe('mistakes of the folder', () => {
  it('no pipelines', async () => {
    const { mistakes } = await mistakesOf({ 'connections.yaml': CONNECTIONS });
    assert.deepEqual(
      mistakes.map(({ line, problem }) => [line, problem]),
      [[0, 'there is no pipeline file in this folder']],
    );
  });
  it('no connections.yaml', async () => {
    assert.deepEqual(await places({ 'a.yaml': SALES }), [
      'connections.yaml:0:0 : the file is missing',
    ]);
  });
  it('two of them', async () => {
    const files = {
      'connections.yaml': CONNECTIONS,
      'connections.yml': CONNECTIONS,
      'a.yaml': SALES,
    };
    assert.deepEqual(await places(files), [
      'connections.yml:0:0 : there is connections.yaml as well',
    ]);
  });
  it('an empty file, and one with only a comment', async () => {
    const files = {
      'connections.yaml': CONNECTIONS,
      'a.yaml': SALES,
      'b.yaml': '',
      'c.yaml': '# later\n',
    };
    assert.deepEqual(await places(files), [
      'b.yaml:0:0 : the file is empty',
      'c.yaml:0:0 : the file is empty',
    ]);
  });
  it('a file that holds no mapping', async () => {
    const files = { 'connections.yaml': CONNECTIONS, 'a.yaml': SALES, 'b.yaml': '- a\n' };
    assert.deepEqual(await places(files), ['b.yaml:1:1 : must be a mapping, not a list']);
  });
  it('a folder that is not there', async () => {
    await assert.rejects(loadProject('/nowhere/pipelines'), (error) => {
      assert.ok(
        error instanceof ProjectInvalid &&
          error.code === 'ConfigurationInvalid' &&
          !error.retryable,
      );
      assert.match(
        error.message,
        /^1 mistake in the pipeline files:\n\/nowhere\/pipelines: there is no such folder — name the folder/,
      );
      return true;
    });
  });
  it('a file in its place', async () => {
    await assert.rejects(loadProject(__filename), /this is not a folder/);
  });
});

describe('the message', () => {
  it('lists every mistake of every file, one per line, in reading order', async () => {
    const { message } = await mistakesOf({
      'connections.yaml': `${CONNECTIONS}hist: 1\n`,
      'b.yaml': `${SALES}concurrency: x\n`,
      'a.yaml': `${HEAD.replace('sales', 'other')}domian: x\ndefaults:\n  mode: ful\n`,
    });
    assert.equal(
      message,
      `4 mistakes in the pipeline files:
a.yaml:4:1 domian: unknown key — did you mean domain? (the keys here are pipeline, description, domain, source, tables, defaults, overrides, destination, schedule, concurrency, notify)
a.yaml:6:9 defaults.mode: must be one of full, incremental, append — did you mean full?
b.yaml:4:14 concurrency: must be a whole number from 1 to 500 — write such a number without quotes
connections.yaml:5:1 hist: unknown key — did you mean history? (the keys here are connections, history)`,
    );
  });

  it('suggests only what is near', () => {
    assert.equal(nearest('lookback', ['column', 'lookBack']), 'lookBack');
    assert.equal(nearest('xyz', ['column', 'lookBack']), undefined);
    assert.equal(nearest('no', ['a', 'b']), undefined);
  });
});

describe('what can run in spite of mistakes', () => {
  const OTHER = SALES.replace('sales', 'other').concat('domain: other\n');
  const runs = async (files: Files) => [...((await restOfFiles(files))?.pipelines.keys() ?? [])];

  it('the pipelines whose own files have none', async () => {
    const broken = { 'b.yaml': `${OTHER}domian: x\n`, 'c.yaml': 'pipeline: "', 'd.yaml': '' };
    assert.deepEqual(await runs({ 'connections.yaml': CONNECTIONS, 'a.yaml': SALES, ...broken }), [
      'sales',
    ]);
  });
  it('nothing when no file is right', async () => {
    const files = { 'connections.yaml': CONNECTIONS, 'b.yaml': `${OTHER}domian: x\n` };
    assert.equal(await restOfFiles(files), undefined);
  });
  it('nothing when the connections have one', async () => {
    const files = { 'connections.yaml': `${CONNECTIONS}hist: 1\n`, 'a.yaml': SALES };
    assert.equal(await restOfFiles(files), undefined);
  });
  it('nothing when two pipelines meet: either may be the wrong one', async () => {
    const files = { 'connections.yaml': CONNECTIONS, 'a.yaml': SALES, 'b.yaml': SALES };
    assert.equal(await restOfFiles({ ...files, 'c.yaml': OTHER }), undefined);
  });
});
