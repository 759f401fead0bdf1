import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { startMariadb } from '../../scripts/services/mariadb';
import { startMysql } from '../../scripts/services/mysql';
import type { NativeDatabaseService } from '../../scripts/services/service';
import type { Evidence, TableToken } from '../../src/detection/detection';
import type { SourceTable } from '../../src/sources/source';
import {
  assertChanged,
  assertLoads,
  assertUnchanged,
  assertUnknown,
  createTestDatabase,
  settledTokenOf,
  tokenOf,
  verdictOf,
  type TestDatabase,
} from '../sources/mysql/support';

/** What a server's start, role and settings do to detection. Each server here belongs to this file. */
for (const { name, mariadb, start } of [
  { name: 'MySQL', mariadb: false, start: startMysql },
  { name: 'MariaDB', mariadb: true, start: startMariadb },
]) {
  describe(`${name}: states of the server`, () => {
    let server: NativeDatabaseService;
    before(async () => {
      server = await start();
    });
    after(() => server.stop());

    /** A settled, loaded table on the server as it runs now. */
    async function loadedTable(
      strategy: 'token' | 'log' | 'auto',
      statements: readonly string[] = [],
    ): Promise<{ database: TestDatabase; table: SourceTable; token: TableToken }> {
      const database = await createTestDatabase(server);
      await database.run(
        'CREATE TABLE orders (id int PRIMARY KEY)',
        'INSERT INTO orders VALUES (1)',
        ...statements,
      );
      const table = await database.table('orders');
      const token = await settledTokenOf(database.source, table, { strategy });
      return { database, table, token };
    }

    const only = ({ evidence }: TableToken, strategy: Evidence['strategy']) =>
      evidence.find((each) => each.strategy === strategy)!;

    it('keeps saying the same start time', async () => {
      const { database, table } = await loadedTable('token');
      const starts = new Set<string | null>();
      for (let count = 0; count < 40; count++) {
        const token = await tokenOf(database.source, table, {
          strategy: 'token',
          // Nothing is settled, so that nobody waits for the list of transactions.
          settleMarginMs: 86_400_000,
        });
        starts.add(only(token, 'token').identity['started'] ?? null);
        await delay(30);
      }
      assert.equal(starts.size, 1);
      await database.drop();
    });

    for (const how of ['restart', 'kill9'] as const) {
      it(`gives no token credit across a ${how}, whatever changed around it`, async () => {
        const { database, table, token } = await loadedTable('token');
        await database.run('INSERT INTO orders VALUES (2)');
        if (how === 'kill9') await server.kill9();
        await server.restart();
        const verdict = await verdictOf(database.source, table, token, { strategy: 'token' });
        assertUnknown(verdict, /token: /);
      });

      it(`knows from the log what changed before a ${how}`, async () => {
        const quiet = await loadedTable('log', ['CREATE TABLE other (id int)']);
        await quiet.database.run('INSERT INTO other VALUES (2)');
        if (how === 'kill9') await server.kill9();
        await server.restart();
        const again = () =>
          verdictOf(quiet.database.source, quiet.table, quiet.token, { strategy: 'log' });
        assertUnchanged(await again());
        const after = await createTestDatabase(server);
        await after.run(`INSERT INTO \`${quiet.database.name}\`.orders VALUES (3)`);
        assertChanged(await again(), /names this table/);
        await after.drop();
      });
    }

    it('draws no conclusion from a log that was started over', async () => {
      const { database, table, token } = await loadedTable('log');
      await database.run(mariadb ? 'RESET MASTER' : 'RESET BINARY LOGS AND GTIDS');
      await database.run('DELETE FROM orders');
      const verdict = await verdictOf(database.source, table, token, { strategy: 'log' });
      assertUnknown(verdict, /another server or a restart \(resets/);
      await database.drop();
    });

    it('refuses the tokens of a read-only replica', async () => {
      const { database, table } = await loadedTable('auto');
      await database.run(
        mariadb
          ? "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1"
          : "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1",
        'SET GLOBAL read_only = 1',
      );
      const token = await tokenOf(database.source, table);
      assert.match(only(token, 'token').distrust ?? '', /replica/);
      assert.match(only(token, 'log').distrust ?? '', /replica/);
      const findings = await database.source.check([table]);
      assert.ok(findings.some(({ problem }) => problem.includes('replica')));
      await database.run(
        'SET GLOBAL read_only = 0',
        mariadb ? 'RESET SLAVE ALL' : 'RESET REPLICA ALL',
      );
      await database.drop();
    });

    it('trusts a log that leaves databases out with nothing', async () => {
      await server.restart(['--binlog-ignore-db=scratch']);
      const database = await createTestDatabase(server);
      await database.run('CREATE TABLE orders (id int PRIMARY KEY)');
      const table = await database.table('orders');
      const token = await tokenOf(database.source, table, { strategy: 'log' });
      assert.match(only(token, 'log').distrust ?? '', /filtered/);
      await database.drop();
    });

    it('leaves the log out where there is none', async () => {
      await server.restart(['--skip-log-bin']);
      const database = await createTestDatabase(server);
      await database.run('CREATE TABLE orders (id int PRIMARY KEY)');
      const table = await database.table('orders');
      const token = await tokenOf(database.source, table);
      assert.deepEqual(
        token.evidence.map(({ strategy }) => strategy),
        ['token'],
      );
      const log = await tokenOf(database.source, table, { strategy: 'log' });
      assert.match(only(log, 'log').distrust ?? '', /off/);
      const findings = await database.source.check([table]);
      assert.ok(findings.some(({ problem }) => problem.includes('binary log is off')));
      await database.drop();
      await server.restart([]);
    });

    if (!mariadb) {
      it('trusts a position without GTIDs only between transactions', async () => {
        await server.restart(['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF']);
        const { database, table, token } = await loadedTable('log', [
          'CREATE TABLE other (id int)',
        ]);
        const request = { strategy: 'log' } as const;
        assertUnchanged(await verdictOf(database.source, table, token, request));
        await database.run('INSERT INTO other VALUES (1)');
        assertUnchanged(await verdictOf(database.source, table, token, request));

        const long = await database.session();
        await long.query('START TRANSACTION');
        await long.query('INSERT INTO orders VALUES (2)');
        const during = await tokenOf(database.source, table, request);
        assert.match(only(during, 'log').distrust ?? '', /a transaction is open/);
        await long.query('COMMIT');
        assertLoads(await verdictOf(database.source, table, during, request));
        assertChanged(await verdictOf(database.source, table, token, request), /names this table/);
        await database.drop();
        await server.restart([]);
      });

      it('refuses the tokens of a server whose InnoDB is read-only, as an Aurora reader', async () => {
        const { database, table } = await loadedTable('auto');
        await server.restart(['--innodb-read-only=ON']);
        const token = await tokenOf(database.source, table);
        assert.match(only(token, 'token').distrust ?? '', /reader/);
        await server.restart([]);
      });

      it('works where performance_schema is off', async () => {
        await server.restart(['--performance-schema=OFF']);
        const { database, table, token } = await loadedTable('auto');
        assertUnchanged(await verdictOf(database.source, table, token));
        assert.match(only(token, 'token').identity['started'] ?? '', /^\d+$/);
        await database.drop();
        await server.restart([]);
      });
    }

    it('compares in UTC, whatever the zone of the machine', async () => {
      const zone = process.env['TZ'];
      process.env['TZ'] = 'America/New_York';
      try {
        await server.restart([]);
      } finally {
        if (zone === undefined) delete process.env['TZ'];
        else process.env['TZ'] = zone;
      }
      const { database, table, token } = await loadedTable('token');
      const shown = Date.parse(`${only(token, 'token').values['update_time']}Z`);
      assert.ok(Math.abs(shown - Date.parse(token.sourceTime)) < 60_000);
      // Five hours west, a transaction begun now must not look as if it began in the morning.
      await delay(1_500);
      const late = await database.session();
      await late.query('START TRANSACTION');
      await late.query('INSERT INTO orders VALUES (9)');
      const during = await tokenOf(database.source, table, { strategy: 'token' });
      assert.equal(only(during, 'token').distrust, undefined);
      await late.query('ROLLBACK');
      await database.drop();
    });
  });
}
