import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client as PostgresClient } from 'pg';
import { makeCertificates, type Certificates } from '../../scripts/services/certificates';
import { startMariadb } from '../../scripts/services/mariadb';
import { startPostgres } from '../../scripts/services/postgres';
import type { NativeDatabaseService } from '../../scripts/services/service';
import { ComportaError } from '../../src/errors';
import { connectClient, loadTemporalOptions } from '../../src/temporal/connection';
import { startClientProcess } from '../support/client-process';
import { sharedS3, sharedTemporal, uniqueName } from '../support/servers';
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy';
import { startWorkerProcess } from '../support/worker-process';

/** Every server asks for a certificate of one authority, and has one of the same. */
describe('mutual TLS with a private authority, everywhere at once', function () {
  this.timeout(120_000);

  let folder: string;
  let own: Certificates;
  let stranger: Certificates;
  let mariadb: NativeDatabaseService;
  let postgres: NativeDatabaseService;
  let temporal: TlsProxy;
  let storage: TlsProxy;
  let bucket: { readonly name: string; readonly prefix: string };
  let environment: NodeJS.ProcessEnv;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-mtls-'));
    [own, stranger] = await Promise.all([
      makeCertificates(join(folder, 'own')),
      makeCertificates(join(folder, 'stranger')),
    ]);
    const [startedMariadb, startedPostgres, server, s3] = await Promise.all([
      startMariadb({
        extraArgs: [
          `--ssl-ca=${own.authorityFile}`,
          `--ssl-cert=${own.certificateFile}`,
          `--ssl-key=${own.keyFile}`,
        ],
      }),
      startPostgres({ tls: { ...own, clientAuthorityFile: own.authorityFile } }),
      sharedTemporal(),
      sharedS3(),
    ]);
    mariadb = startedMariadb;
    postgres = startedPostgres;
    const store = s3.endpoint.replace('http://', '');
    temporal = await startTlsProxy({
      target: server.address,
      certificates: own,
      protocols: ['h2'],
    });
    storage = await startTlsProxy({ target: store, certificates: own });
    await demandCertificates();

    bucket = { name: s3.bucket, prefix: uniqueName('mtls') };
    environment = {
      ...temporalVariables(own),
      COMPORTA_PIPELINES: await writeFiles({ own: fileOf(own) }),
      DB_PASSWORD: mariadb.password,
      S3_KEY: s3.accessKeyId,
      S3_SECRET: s3.secretAccessKey,
    };
  });
  after(async () => {
    await Promise.all([temporal?.close(), storage?.close()]);
    await Promise.all([mariadb?.stop(), postgres?.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Accounts and tables, made by administrators who are let in without a certificate. */
  async function demandCertificates(): Promise<void> {
    const { host, user, password } = mariadb;
    const sql = await createConnection({ host, port: mariadb.port, user, password });
    await sql.query(`CREATE USER guarded IDENTIFIED BY '${password}' REQUIRE X509`);
    await sql.query(`GRANT ALL ON ${mariadb.database}.* TO guarded`);
    await sql.query(`CREATE TABLE ${mariadb.database}.orders (id INT PRIMARY KEY)`);
    await sql.query(`INSERT INTO ${mariadb.database}.orders VALUES (1), (2)`);
    await sql.end();
    const { database } = postgres;
    const admin = new PostgresClient({ host, port: postgres.port, user, password, database });
    await admin.connect();
    await admin.query('CREATE TABLE accounts AS SELECT generate_series(1, 3) AS id');
    await admin.query(`CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '${password}'`);
    const { rows } = await admin.query<{ hba_file: string }>('SHOW hba_file');
    const rules = await readFile(rows[0]!.hba_file, 'utf8');
    const rule = 'hostssl all guarded 127.0.0.1/32 scram-sha-256 clientcert=verify-ca';
    await writeFile(rows[0]!.hba_file, `${rule}\nhost all guarded all reject\n${rules}`);
    await admin.query('SELECT pg_reload_conf()');
    await admin.end();
  }

  const temporalVariables = (certificates: Certificates): NodeJS.ProcessEnv => ({
    TEMPORAL_CONFIG_FILE: join(folder, 'no-such.toml'),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: own.authorityFile,
    TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.certificateFile,
    TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.keyFile,
  });

  const fileOf = (client: Certificates | undefined, authority = own): string =>
    [
      `ca: ${authority.authorityFile}`,
      ...(client ? [`certificate: ${client.certificateFile}, key: ${client.keyFile}`] : []),
    ].join(', ');

  /** A folder of pipeline files: for each name, `shop-<name>` and `finance-<name>` with these certificates. */
  async function writeFiles(cases: Readonly<Record<string, string>>): Promise<string> {
    const pipelines = await mkdtemp(join(folder, 'pipelines-'));
    const account = 'user: guarded, password: env:DB_PASSWORD';
    const lines = Object.entries(cases).flatMap(([name, files]) => {
      const tls = `tls: { mode: verify-full, ${files} }`;
      return [
        `shop_${name}: { type: mysql, host: localhost, port: ${mariadb.port}, ${account}, database: ${mariadb.database}, ${tls} }`,
        `finance_${name}: { type: postgres, host: 127.0.0.1, port: ${postgres.port}, ${account}, database: ${postgres.database}, ${tls} }`,
        `lake_${name}: { type: s3, bucket: ${bucket.name}, prefix: ${bucket.prefix}, endpoint: "https://${storage.address}", forcePathStyle: true, accessKeyId: env:S3_KEY, secretAccessKey: env:S3_SECRET, tls: { ${files} } }`,
      ];
    });
    const history = `history: { type: postgres, connection: finance_${Object.keys(cases)[0]} }`;
    const text = ['connections:', ...lines.map((line) => `  ${line}`), history].join('\n');
    await writeFile(join(pipelines, 'connections.yaml'), text);
    for (const name of Object.keys(cases)) {
      for (const source of ['shop', 'finance']) {
        await writeFile(
          join(pipelines, `${source}-${name}.yaml`),
          `pipeline: ${source}-${name}\nsource: { connection: ${source}_${name} }\ndestination: { connection: lake_${name} }\n`,
        );
      }
    }
    return pipelines;
  }

  it('lets worker and commands load from MariaDB and PostgreSQL into S3', async () => {
    const worker = startWorkerProcess([], environment);
    const load = async (pipeline: string) => {
      const line = ['trigger', pipeline, '--wait', '--json'];
      const { code, stdout, stderr } = await startClientProcess(line, environment).ended;
      assert.equal(code, 0, `${stderr}\n${worker.log()}`);
      const { summary } = JSON.parse(stdout) as { summary: { loaded: number; rows: number } };
      return [summary.loaded, summary.rows];
    };
    try {
      const loads = await Promise.all([load('shop-own'), load('finance-own')]);
      assert.deepEqual(loads, [
        [1, 2],
        [1, 3],
      ]);
    } finally {
      assert.equal(await worker.stop(), 0);
    }
  });

  it('says of each connection what is wrong with its certificates, and what to do', async () => {
    const pipelines = await writeFiles({
      none: fileOf(undefined),
      foreign: fileOf(stranger),
      untrusted: fileOf(own, stranger),
    });
    const line = ['check', '--json', '--pipelines', pipelines];
    const { code, stdout } = await startClientProcess(line, environment).ended;
    assert.equal(code, 1);
    const { groups } = JSON.parse(stdout) as {
      groups: { subject: string; findings: { problem: string; remedy: string }[] }[];
    };
    const found = (name: string) =>
      groups
        .filter(({ subject }) => subject.includes(`_${name}`) || subject.includes(`-${name}`))
        .flatMap((group) => group.findings)
        .map(({ problem, remedy }) => `${problem} → ${remedy}`);
    assertEach(found('none'), [
      /PostgreSQL .* wants a client certificate .* → set tls.certificate and tls.key of .* finance/,
      // MariaDB calls it a refused sign-in and says no more.
      /MySQL .* refused the sign-in.* → .* its tls \(mode, certificate\)/,
      /s3:.*: the (server wants a certificate|connection was cut).* → .*tls.certificate/,
      /history .*: PostgreSQL .* wants a client certificate .* set tls.certificate/,
    ]);
    assertEach(found('foreign'), [
      /PostgreSQL .* wants a client certificate .* → set tls.certificate and tls.key of .* finance/,
      /MySQL .* wants a client certificate .* → set tls.certificate and tls.key of .* shop/,
      /s3:.*: the (server wants a certificate|connection was cut).* → .*tls.certificate/,
    ]);
    assertEach(found('untrusted'), [
      /TLS with PostgreSQL .* failed.* → set tls.ca of connection finance/,
      /TLS with MySQL .* failed.* → set tls.ca of connection shop/,
      /s3:.* certificate is not trusted .* → set tls.ca of connection "lake/,
    ]);
  });

  /** Every text is of one of these kinds, every kind is there, and no text quotes a key. */
  function assertEach(texts: readonly string[], kinds: readonly RegExp[]): void {
    for (const text of texts) {
      assert.ok(
        kinds.some((kind) => kind.test(text)),
        text,
      );
      assert.doesNotMatch(text, /PRIVATE KEY|comporta-secret/);
    }
    for (const kind of kinds)
      assert.ok(
        texts.some((text) => kind.test(text)),
        String(kind),
      );
  }

  it('says the same of Temporal', async () => {
    const failureOf = async (more: NodeJS.ProcessEnv): Promise<string> => {
      const options = loadTemporalOptions({ ...temporalVariables(own), ...more });
      const outcome = await connectClient(options).catch((error: unknown) => error);
      assert(outcome instanceof ComportaError, 'it connected');
      assert.equal(outcome.code, 'ConnectionFailed');
      return outcome.message;
    };
    const [none, foreign, untrusted, misnamed] = await Promise.all([
      failureOf({ TEMPORAL_TLS_CLIENT_CERT_PATH: '', TEMPORAL_TLS_CLIENT_KEY_PATH: '' }),
      failureOf(temporalVariables(stranger)),
      failureOf({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: stranger.authorityFile }),
      failureOf({ TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' }),
    ]);
    const refused = /breaks off after the TLS handshake .* check TEMPORAL_TLS_CLIENT_CERT_PATH/;
    assertEach([none, foreign], [refused]);
    assertEach([untrusted], [/not trusted .* name the authority .* TEMPORAL_TLS_SERVER_CA_CERT/]);
    assertEach([misnamed], [/not trusted .*ALTNAME.* issued for in TEMPORAL_TLS_SERVER_NAME/]);
  });
});
