import assert from 'node:assert/strict';
import type { ComportaError } from '../../src/errors';
import { createMysqlSource } from '../../src/sources/mysql/mysql-source';
import type { Source } from '../../src/sources/source';
import {
  createTestDatabase,
  secrets,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { eventually } from '../support/eventually';
import { startFaultyProxy, type FaultyProxy } from '../support/faulty-proxy';
import { sharedMysql } from '../support/servers';
import { FULL_LOAD } from '../support/table-settings';

/** MySQL has words of its own for what a connection does; database-faults.test.ts is on MariaDB. */
describe('MySQL: a connection that falls silent', () => {
  let database: TestDatabase;
  let proxy: FaultyProxy;

  before(async () => {
    const server = await sharedMysql();
    database = await createTestDatabase(server);
    proxy = await startFaultyProxy(server.port);
    await database.run(
      'CREATE TABLE one (id int PRIMARY KEY)',
      'INSERT INTO one VALUES (1)',
      'SET SESSION cte_max_recursion_depth = 100000',
      'CREATE TABLE big (id int PRIMARY KEY, label varchar(200))',
      `INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
         SELECT i, REPEAT('v', 200) FROM n`,
    );
  });
  after(async () => {
    await proxy.close();
    await database.drop();
  });

  const sessions = () =>
    database.run(
      `SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '${database.name}' AND ID <> CONNECTION_ID()`,
    );

  function through(mode: 'disable' | 'require'): Source {
    const { port } = proxy;
    const tls = { mode };
    const connection = { ...database.connection, port, tls, silenceTimeoutMs: 500 };
    return createMysqlSource(connection, secrets);
  }

  for (const mode of ['disable', 'require'] as const) {
    it(`is given up and ended at the server, with tls.mode ${mode}`, async () => {
      const held = proxy.holdAt(2_000_000);
      const reading = withSnapshot(through(mode), await database.table('big'), async (snapshot) => {
        for await (const batch of snapshot.read(FULL_LOAD, {}, { rows: 0, invalidValues: 0 })) {
          assert.ok(batch.rows > 0);
        }
      });
      await held;
      await assert.rejects(reading, (error: ComportaError) => {
        assert.equal(error.code, 'SourceInterrupted', error.message);
        assert.match(error.message, /big: .* sent nothing for 0.5 s, although it is sending — /);
        return true;
      });
      await eventually(async () => assert.deepEqual(await sessions(), []), 5_000);
      await proxy.heal();
    });

    it(`is waited for while the server works, with tls.mode ${mode}`, async () => {
      const table = await database.table('one');
      await withSnapshot(through(mode), table, async (snapshot) => {
        assert.equal(await snapshot.count({ where: 'SLEEP(1.8) = 0' }), 1);
      });
    });
  }
});
