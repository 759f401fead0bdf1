import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { makeCertificates, type Certificates } from '../../scripts/services/certificates';
import { ComportaError, type ErrorCode } from '../../src/errors';
import type { DatabaseConnection, TlsSettings } from '../../src/pipeline/pipeline';
import { createPostgresSource } from '../../src/sources/postgres/postgres-source';
import type { Finding } from '../../src/sources/source';
import { readTable, tableOf } from '../sources/postgres/reading';
import { startServer, VERSIONS, type TestServer } from '../sources/postgres/server';

const PLANTED = 'pl4nted-s3cret';

for (const version of VERSIONS) {
  describe(`checking PostgreSQL ${version}`, () => {
    let server: TestServer;
    let certificates: Certificates;
    let directory: string;

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'comporta-check-'));
      certificates = await makeCertificates(directory);
      server = await startServer({
        version,
        tls: certificates,
        settings: { listen_addresses: '127.0.0.1,127.0.0.2' },
      });
      await server.sql(`
        CREATE SCHEMA sales; CREATE TABLE sales."or ders" (id int, secret text); INSERT INTO sales."or ders" VALUES (1);
        CREATE TABLE sales.secured (id int); ALTER TABLE sales.secured ENABLE ROW LEVEL SECURITY;
        CREATE ROLE "we""ak" LOGIN PASSWORD '${server.service.password}'`);
    });
    after(async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    });

    const weak = () => server.source({ schemas: ['sales'], user: 'we"ak' });
    const lines = (findings: readonly Finding[], severity?: Finding['severity']) =>
      findings
        .filter((finding) => severity === undefined || finding.severity === severity)
        .map(({ subject, problem, remedy }) => `${subject}: ${problem} — ${remedy}`);

    it('finds nothing wrong for a superuser on a good server', async () => {
      const source = server.source({ schemas: ['sales'] });
      const findings = await source.check(await source.listTables());
      assert.deepEqual(lines(findings, 'error'), []);
      assert.equal(findings.length, version >= 15 ? 0 : 1);
    });

    it('names each right that is missing with the statement that gives it, and these statements do', async () => {
      const tables = await server.source({ schemas: ['sales'] }).listTables();
      const findings = await weak().check(tables);
      assert.deepEqual(lines(findings, 'error'), [
        `schema sales: we"ak may not look into it — GRANT USAGE ON SCHEMA "sales" TO "we""ak"`,
        `table sales.or ders: we"ak may not read it — GRANT SELECT ON "sales"."or ders" TO "we""ak"`,
        `table sales.secured: we"ak may not read it — GRANT SELECT ON "sales"."secured" TO "we""ak"`,
        `table sales.secured: row-level security would hide rows from we"ak — ALTER ROLE "we""ak" BYPASSRLS, or sign in as another role`,
      ]);
      assert.ok(
        lines(findings, 'warning').some((line) =>
          line.includes('GRANT pg_read_all_stats TO "we""ak"'),
        ),
      );
      await assert.rejects(readTable(weak(), 'sales.or ders'), (error: ComportaError) => {
        assert.equal(error.code, 'PermissionDenied');
        assert.match(
          error.message,
          /sales.or ders: permission denied for schema sales — GRANT USAGE ON SCHEMA "sales" TO "we""ak"/,
        );
        return true;
      });

      for (const { remedy } of findings) {
        if (/^(GRANT|ALTER ROLE)/.test(remedy)) await server.sql(remedy.replace(/, or .*/, ''));
      }
      const left = await weak().check(tables);
      assert.deepEqual(
        lines(left),
        lines(left).filter((line) => line.includes('before PostgreSQL 15')),
      );
      assert.deepEqual((await readTable(weak(), 'sales.or ders')).rows, [[1, null]]);
      assert.equal((await readTable(weak(), 'sales.secured')).count, 0);
    });

    it('warns of a table of which some columns are readable', async () => {
      await server.sql(`CREATE ROLE half LOGIN PASSWORD '${server.service.password}'; GRANT USAGE ON SCHEMA sales TO half;
        GRANT SELECT (id) ON sales."or ders" TO half`);
      const half = server.source({ schemas: ['sales'], user: 'half' });
      const findings = await half.check([await tableOf(half, 'sales.or ders')]);
      assert.ok(
        lines(findings, 'warning').some((line) =>
          /some of its columns only — GRANT SELECT ON/.test(line),
        ),
      );
      assert.deepEqual(lines(findings, 'error'), []);
    });

    it('names a schema and a table that are not there', async () => {
      const source = server.source({ schemas: ['sales', 'sa les'] });
      const table = { id: 'sales.gone', schema: 'sales', name: 'gone', kind: 'table' } as const;
      const errors = lines(await source.check([table]), 'error');
      assert.equal(errors.length, 2);
      assert.match(errors[0] ?? '', /schema sa les: database comporta has no such schema/);
      assert.match(errors[1] ?? '', /table sales.gone: there is no such table/);
    });

    it('warns where changes are not counted', async () => {
      await server.sql('ALTER SYSTEM SET track_counts = off');
      await server.sql('SELECT pg_reload_conf()');
      try {
        const warnings = lines(await server.source().check([]), 'warning');
        assert.ok(
          warnings.some((line) => /track_counts is off.*ALTER SYSTEM SET track_counts/.test(line)),
        );
      } finally {
        await server.sql('ALTER SYSTEM RESET track_counts');
        await server.sql('SELECT pg_reload_conf()');
      }
    });

    describe('connections', () => {
      const source = (changes: Partial<DatabaseConnection>, password = PLANTED) =>
        createPostgresSource({ ...server.connection, ...changes }, ['public'], {
          read: () => Promise.resolve(password),
        });
      const right = (changes: Partial<DatabaseConnection>) =>
        source(changes, server.service.password);
      const tls = (settings: TlsSettings, changes: Partial<DatabaseConnection> = {}) =>
        right({ host: 'localhost', tls: settings, ...changes });

      const fails = async (
        attempt: ReturnType<typeof source>,
        code: ErrorCode,
        message: RegExp,
      ) => {
        await assert.rejects(attempt.listTables(), (error) => {
          assert.ok(error instanceof ComportaError);
          assert.equal(error.code, code, error.message);
          assert.match(error.message, message);
          const shown = inspect(error, { depth: 20, showHidden: true });
          assert.ok(!shown.includes(PLANTED), shown);
          return true;
        });
        const [finding, ...others] = await attempt.check([]);
        assert.deepEqual(others, []);
        assert.equal(finding?.severity, 'error');
        assert.equal(finding.subject, 'connection shop');
        assert.ok(!finding.problem.includes(finding.remedy));
        assert.ok(!inspect([finding, attempt]).includes(PLANTED));
      };

      it('fail for a wrong password, without showing it', () =>
        fails(source({}), 'AuthenticationFailed', /refused the sign-in/));
      it('fail for an unknown role', () =>
        fails(source({ user: 'nobody' }), 'AuthenticationFailed', /user nobody/));
      it('fail without a password', () => {
        const connection = { ...server.connection, password: undefined };
        const secrets = { read: () => Promise.reject(new Error('not asked for')) };
        return fails(
          createPostgresSource(connection, [], secrets),
          'AuthenticationFailed',
          /password/,
        );
      });
      it('fail for an unknown database', () =>
        fails(right({ database: 'nowhere' }), 'ConfigurationInvalid', /no database nowhere/));
      it('fail for an unknown host', () =>
        fails(source({ host: 'host.invalid' }), 'ConnectionFailed', /host.invalid/));
      it('fail for a closed port', () =>
        fails(source({ port: 1 }), 'ConnectionFailed', /ECONNREFUSED/));
      it('fail in time for a server that says nothing', async () => {
        const silent = createServer(() => undefined).listen(0, '127.0.0.1');
        await new Promise((resolve) => silent.once('listening', resolve));
        const { port } = silent.address() as { port: number };
        const sockets: { destroy(): void }[] = [];
        silent.on('connection', (socket) => sockets.push(socket));
        await fails(source({ port, connectTimeoutMs: 200 }), 'ConnectionFailed', /timeout/);
        sockets.forEach((socket) => socket.destroy());
        silent.close();
      });

      it('use TLS as the mode says', async () => {
        const isEncrypted = async (settings: TlsSettings) => {
          const waiting = tls(settings);
          await server.sql(
            'DROP VIEW IF EXISTS me; CREATE VIEW me AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
          );
          return (await readTable(waiting, 'public.me')).rows[0]?.[0];
        };
        const ca = certificates.authorityFile;
        assert.equal(await isEncrypted({ mode: 'disable' }), false);
        assert.equal(await isEncrypted({ mode: 'prefer' }), true);
        assert.equal(await isEncrypted({ mode: 'require' }), true);
        assert.equal(await isEncrypted({ mode: 'verify-ca', ca }), true);
        assert.equal(await isEncrypted({ mode: 'verify-full', ca }), true);
      });
      it('verify the authority', async () => {
        await fails(tls({ mode: 'verify-ca' }), 'ConfigurationInvalid', /TLS .* failed.*tls.ca/);
        const other = await makeCertificates(join(directory, 'other'));
        await fails(
          tls({ mode: 'verify-full', ca: other.authorityFile }),
          'ConfigurationInvalid',
          /TLS .* failed/,
        );
      });
      it('verify the host, but not with verify-ca', async () => {
        const ca = certificates.authorityFile;
        const host = { host: '127.0.0.2' };
        await fails(tls({ mode: 'verify-full', ca }, host), 'ConfigurationInvalid', /127.0.0.2/);
        await tls({ mode: 'verify-ca', ca }, host).listTables();
        await tls({ mode: 'verify-full', ca }, { host: '127.0.0.1' }).listTables();
      });

      it('can be cancelled over TLS', async () => {
        await server.sql('CREATE VIEW asleep AS SELECT pg_sleep(600)::text AS v');
        const source = tls({ mode: 'require' });
        const stop = new AbortController();
        const snapshot = await source.openSnapshot(
          await tableOf(source, 'public.asleep'),
          stop.signal,
        );
        const counting = snapshot.count({ where: "v <> 'x'" });
        setTimeout(() => stop.abort(), 200);
        await assert.rejects(counting, { code: 'SourceInterrupted' });
        await snapshot.close();
        const left = await server.sql(
          `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%asleep%' AND state = 'active' AND pid <> pg_backend_pid()`,
        );
        assert.deepEqual(left, []);
      });

      describe('to a server without TLS', () => {
        let plain: TestServer;
        before(async () => {
          plain = await startServer({ version });
        });
        after(() => plain.stop());
        const to = (mode: TlsSettings['mode']) =>
          right({ port: plain.service.port, tls: { mode } });

        it('fall back with prefer and fail with require', async () => {
          await to('prefer').listTables();
          await to('disable').listTables();
          await fails(to('require'), 'ConfigurationInvalid', /does not offer TLS/);
        });
      });
    });
  });
}
