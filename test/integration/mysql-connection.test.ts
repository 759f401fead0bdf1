import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { makeCertificates, type Certificates } from '../../scripts/services/certificates';
import { startMariadb } from '../../scripts/services/mariadb';
import { startMysql } from '../../scripts/services/mysql';
import { freePort } from '../../scripts/services/network';
import type { NativeDatabaseService } from '../../scripts/services/service';
import { ComportaError, type ErrorCode } from '../../src/errors';
import type { DatabaseConnection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import { createMysqlSource } from '../../src/sources/mysql/mysql-source';
import {
  connectionTo,
  createTestDatabase,
  secrets,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { createDocumentedUser } from '../support/documented';
import { uniqueName } from '../support/servers';
import { FULL_LOAD } from '../support/table-settings';

const PLANTED = 'hunter2-secret';

async function failureOf(
  connection: DatabaseConnection,
  password = 'comporta',
): Promise<ComportaError> {
  const source = createMysqlSource(connection, localSecretStore({ MYSQL_PASSWORD: password }));
  try {
    await source.listTables();
  } catch (error) {
    assert.ok(error instanceof ComportaError, String(error));
    for (const text of [error.message, error.stack, JSON.stringify(error), String(error.cause)]) {
      assert.ok(!text?.includes(PLANTED));
    }
    return error;
  }
  assert.fail('the connection should have been refused');
}

function assertFailure(error: ComportaError, code: ErrorCode, message: RegExp): void {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.ok(error.remedy, 'a person must be told what to do');
}

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: connecting`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await createTestDatabase(await service());
      await database.run('CREATE TABLE orders (id int)', 'CREATE TABLE `per`` sons` (id int)');
    });
    after(() => database.drop());
    const connection = (changes: Partial<DatabaseConnection> = {}) => ({
      ...database.connection,
      ...changes,
    });

    it('tells a wrong password and an unknown user, without the password', async () => {
      const password = await failureOf(connection(), PLANTED);
      assertFailure(password, 'AuthenticationFailed', /user comporta/);
      const user = await failureOf(connection({ user: 'nobody-here' }), PLANTED);
      assertFailure(user, 'AuthenticationFailed', /nobody-here/);
    });

    it('tells an unknown database', async () => {
      const error = await failureOf(connection({ database: 'no_such_database' }));
      assertFailure(error, 'ConfigurationInvalid', /no database no_such_database/);
    });

    it('tells a port where nobody listens and a host that does not exist', async () => {
      const port = await failureOf(connection({ port: await freePort() }));
      assertFailure(port, 'ConnectionFailed', /ECONNREFUSED/);
      const host = await failureOf(connection({ host: 'no-such-host.invalid' }));
      assertFailure(host, 'ConnectionFailed', /no-such-host\.invalid/);
    });

    it('gives up on a host that does not answer', async () => {
      // A documentation address (RFC 5737), which routes nowhere or is refused at once.
      const silent = connection({ host: '192.0.2.1', connectTimeoutMs: 300 });
      assertFailure(await failureOf(silent), 'ConnectionFailed', /192\.0\.2\.1/);
    });

    it('reports a failed connection as the only finding', async () => {
      const wrong = connection({ database: 'no_such_database' });
      const findings = await createMysqlSource(wrong, secrets).check([]);
      assert.equal(findings.length, 1);
      assert.equal(findings[0]!.severity, 'error');
      assert.match(findings[0]!.problem, /no_such_database/);
    });

    it('has nothing to say of a user with the documented rights, who may not write', async () => {
      const reader = { user: uniqueName('least'), password: 'comporta', reads: database.name };
      await createDocumentedUser(mariadb ? 'mariadb' : 'mysql', reader, (statement) =>
        database.run(statement),
      );
      const source = createMysqlSource(connection({ user: reader.user }), secrets);
      const tables = await source.listTables();
      assert.deepEqual(
        tables.map(({ id }) => id),
        (await database.source.listTables()).map(({ id }) => id),
      );
      assert.deepEqual(await source.check(tables), await database.source.check(tables));
      const { host, port } = await service();
      const { user, password } = reader;
      const session = await createConnection({ host, port, user, password });
      await assert.rejects(
        session.query(`INSERT INTO ${database.name}.orders VALUES ()`),
        /INSERT command denied/,
      );
      await session.end();
      await database.run(`DROP USER ${reader.user}`);
    });

    it('names each missing right with the GRANT that gives it, until none is missing', async () => {
      const user = `it's ${database.name}`;
      const account = `'${user.replaceAll("'", "''")}'@'%'`;
      await database.run(
        `CREATE USER ${account} IDENTIFIED BY 'comporta'`,
        `GRANT SELECT ON \`${database.name}\`.orders TO ${account}`,
      );
      const source = createMysqlSource(connection({ user }), secrets);
      const tables = await database.source.listTables();

      const findings = await source.check(tables);
      const denied = findings.filter(({ severity }) => severity === 'error');
      assert.deepEqual(
        denied.map(({ subject, remedy }) => [subject, remedy]),
        [
          [
            'table per` sons',
            `GRANT SELECT ON \`${database.name}\`.\`per\`\` sons\` TO ${account}`,
          ],
        ],
      );
      const { signal } = new AbortController();
      await assert.rejects(
        source.openSnapshot(
          tables.find(({ id }) => id === 'per` sons')!,
          signal,
        ),
        (error: ComportaError) => error.code === 'PermissionDenied',
      );

      // Following the advice, statement by statement, leaves nothing to say.
      let rounds = 0;
      for (let left = findings; left.length > 0; left = await source.check(tables)) {
        assert.ok(rounds++ < 5, JSON.stringify(left));
        for (const { remedy } of left) await database.run(remedy);
      }
      assert.ok(rounds > 0);
      await database.run(`DROP USER ${account}`);
    });

    it('warns of tables outside InnoDB', async () => {
      await database.run('CREATE TABLE old_engine (id int) ENGINE = MyISAM');
      const findings = await database.source.check(await database.source.listTables());
      assert.ok(findings.some(({ problem }) => /not InnoDB.*: old_engine$/.test(problem)));
    });
  });

  describe(`${name}: TLS`, () => {
    let directory: string;
    let certificates: Certificates;
    let stranger: Certificates;
    let server: NativeDatabaseService;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'comporta-tls-'));
      certificates = await makeCertificates(join(directory, 'own'));
      stranger = await makeCertificates(join(directory, 'stranger'));
      const start = mariadb ? startMariadb : startMysql;
      server = await start({
        extraArgs: [
          `--ssl-ca=${certificates.authorityFile}`,
          `--ssl-cert=${certificates.certificateFile}`,
          `--ssl-key=${certificates.keyFile}`,
        ],
      });
    });
    after(async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    });

    const to = (tls: DatabaseConnection['tls'], host = 'localhost') =>
      connectionTo(server, server.database, { tls, host });
    const succeeds = async (connection: DatabaseConnection) => {
      assert.deepEqual(await createMysqlSource(connection, secrets).listTables(), []);
    };

    it('encrypts unless told not to, and verifies as told', async () => {
      await succeeds(to({ mode: 'disable' }));
      await succeeds(to({ mode: 'prefer' }));
      await succeeds(to({ mode: 'require' }));
      await succeeds(to({ mode: 'verify-ca', ca: certificates.authorityFile }, '127.0.0.1'));
      await succeeds(to({ mode: 'verify-full', ca: certificates.authorityFile }));
    });

    it('reads rows through TLS, in turns with other statements', async () => {
      const encrypted = await createTestDatabase(server);
      try {
        const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(8);
        await encrypted.run(
          'CREATE TABLE pages (id int PRIMARY KEY AUTO_INCREMENT, v text)',
          `INSERT INTO pages (v) VALUES ('${letters}')`,
          ...Array.from({ length: 14 }, () => 'INSERT INTO pages (v) SELECT v FROM pages'),
        );
        const source = createMysqlSource(
          connectionTo(server, encrypted.name, { tls: { mode: 'require' } }),
          secrets,
        );
        const table = await encrypted.table('pages');
        await withSnapshot(source, table, async (snapshot) => {
          for (let round = 0; round < 2; round++) {
            const statistics = { rows: 0, invalidValues: 0 };
            let bytes = 0;
            for await (const batch of snapshot.read(FULL_LOAD, {}, statistics)) {
              bytes += batch.columns[1]!.byteLength;
            }
            assert.equal(statistics.rows, 2 ** 14);
            assert.equal(bytes, 2 ** 14 * letters.length);
            assert.equal(await snapshot.count({}), 2 ** 14);
          }
        });
      } finally {
        await encrypted.drop();
      }
    });

    it('refuses a server that another authority vouches for, or none', async () => {
      const other = await failureOf(to({ mode: 'verify-ca', ca: stranger.authorityFile }));
      assertFailure(other, 'ConfigurationInvalid', /TLS .* failed/);
      const none = await failureOf(to({ mode: 'verify-full' }));
      assertFailure(none, 'ConfigurationInvalid', /TLS .* failed/);
    });

    it('says what it needs of the settings', async () => {
      const address = await failureOf(
        to({ mode: 'verify-full', ca: certificates.authorityFile }, '127.0.0.1'),
      );
      assertFailure(address, 'ConfigurationInvalid', /needs a host name/);
      const missing = await failureOf(to({ mode: 'verify-ca', ca: join(directory, 'absent') }));
      assertFailure(missing, 'ConfigurationInvalid', /tls\.ca cannot be read/);
    });

    it('says so when the server demands TLS and the connection has none', async () => {
      const demanding = await createTestDatabase(server);
      await demanding.run('SET GLOBAL require_secure_transport = ON');
      try {
        const error = await failureOf(to({ mode: 'disable' }));
        // MariaDB calls it a refused sign-in and says no more.
        if (mariadb) assertFailure(error, 'AuthenticationFailed', /demands TLS/);
        else assertFailure(error, 'ConfigurationInvalid', /demands TLS/);
        await succeeds(to({ mode: 'prefer' }));
      } finally {
        await demanding.run('SET GLOBAL require_secure_transport = OFF');
        await demanding.drop();
      }
    });

    it('falls back from prefer, and from nothing else, where the server has no TLS', async () => {
      await server.restart(mariadb ? ['--skip-ssl'] : ['--tls-version=']);
      await succeeds(to({ mode: 'prefer' }));
      const error = await failureOf(to({ mode: 'require' }));
      assertFailure(error, 'ConfigurationInvalid', /does not offer TLS/);
    });
  });
}
