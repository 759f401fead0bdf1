import assert from 'node:assert/strict';
import type { TableToken } from '../../src/detection/detection';
import { createMysqlSource } from '../../src/sources/mysql/mysql-source';
import type { SourceTable } from '../../src/sources/source';
import { eventually } from '../support/eventually';
import {
  assertChanged,
  assertLoads,
  assertUnchanged,
  assertUnknown,
  createTestDatabase,
  secrets,
  SERVERS,
  settledTokensOf,
  tokenOf,
  verdictOf,
  type TestDatabase,
} from '../sources/mysql/support';

const LOG = { strategy: 'log' } as const;

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: log`, () => {
    let database: TestDatabase;
    let table: SourceTable;
    let other: SourceTable;
    let previous: TableToken;

    before(async () => {
      database = await createTestDatabase(await service());
      await database.run(
        'CREATE TABLE orders (id int PRIMARY KEY, v varchar(20)) ENGINE = InnoDB',
        "INSERT INTO orders VALUES (1, 'one')",
        'CREATE TABLE other (id int AUTO_INCREMENT PRIMARY KEY, v varchar(20))',
        'CREATE TABLE parent (id int PRIMARY KEY)',
        `CREATE TABLE middle (id int PRIMARY KEY, parent int,
           FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)`,
        `CREATE TABLE leaf (id int PRIMARY KEY, middle int,
           FOREIGN KEY (middle) REFERENCES middle (id) ON DELETE SET NULL)`,
        'INSERT INTO parent VALUES (1)',
        'INSERT INTO middle VALUES (1, 1)',
        'INSERT INTO leaf VALUES (1, 1)',
        'CREATE VIEW looking AS SELECT * FROM orders',
        'CREATE TABLE `a.b ``c`` (d)` (id int PRIMARY KEY)',
        'CREATE TABLE in_memory (id int) ENGINE = MEMORY',
      );
      table = await database.table('orders');
      other = await database.table('other');
    });
    after(() => database.drop());
    beforeEach(async () => {
      previous = await tokenOf(database.source, table, LOG);
    });

    const verdict = (of = table) => verdictOf(database.source, of, previous, LOG);
    const writeOther = () => database.run("INSERT INTO other (v) VALUES ('x')");

    it('proves by an unmoved position that nothing changed', async () => {
      assertUnchanged(await verdict());
      assert.match((await verdict()).reason, /the server has logged nothing since/);
    });

    it('proves by what is in between that a moved position does not concern a table', async () => {
      await writeOther();
      const outcome = await verdict();
      assertUnchanged(outcome);
      assert.match(outcome.reason, /nothing in between touches this table/);
      assertChanged(await verdict(other), /names this table/);
    });

    it('sees a transaction that was open when the position was read', async () => {
      const long = await database.session();
      await long.query('START TRANSACTION');
      await long.query("INSERT INTO orders VALUES (2, 'two')");
      previous = await tokenOf(database.source, table, LOG);
      assertUnchanged(await verdict());
      await long.query('COMMIT');
      assertChanged(await verdict(), /names this table/);
    });

    it('reaches the children of cascading keys, which the log need not name', async () => {
      await database.run('DELETE FROM parent WHERE id = 1');
      assertChanged(await verdict(await database.table('middle')), /names this table/);
      assertChanged(await verdict(await database.table('leaf')), /names this table/);
      assertUnchanged(await verdict());
    });

    it('knows tables with hostile names', async () => {
      const hostile = await database.table('a.b `c` (d)');
      assertUnchanged(await verdict(hostile));
      await database.run('INSERT INTO `a.b ``c`` (d)` VALUES (1)');
      assertChanged(await verdict(hostile), /names this table/);
    });

    for (const statement of [
      'TRUNCATE TABLE other',
      'ALTER TABLE other ADD COLUMN w int',
      'RENAME TABLE other TO another',
      'CREATE TABLE made AS SELECT 1 AS one',
      'DROP TABLE made',
    ]) {
      it(`draws no conclusion from ${statement}`, async () => {
        await database.run(statement);
        assertUnknown(await verdict(), /^log: /);
      });
    }
    it('draws no conclusion from statements, whose tables the log does not list', async () => {
      await database.run(
        'RENAME TABLE another TO other',
        "SET SESSION binlog_format = 'STATEMENT'",
      );
      previous = await tokenOf(database.source, table, LOG);
      await writeOther();
      await database.run("SET SESSION binlog_format = 'ROW'");
      assertUnknown(await verdict(), /^log: /);
    });

    it('takes no offence at statements about accounts and statistics', async () => {
      await database.run('ANALYZE TABLE other', 'FLUSH STATUS', 'FLUSH TABLES');
      assertUnchanged(await verdict());
    });

    it('sees a two-phase transaction that was prepared before and committed after', async () => {
      await database.run("XA START 'x1'", "INSERT INTO orders VALUES (30, 'xa')", "XA END 'x1'");
      await database.run("XA PREPARE 'x1'");
      previous = await tokenOf(database.source, table, LOG);
      await database.run("XA COMMIT 'x1'");
      assertLoads(await verdict());
    });

    it('reads on in the next file', async () => {
      await database.run('FLUSH BINARY LOGS');
      await writeOther();
      await database.run('FLUSH BINARY LOGS');
      assertUnchanged(await verdict());
      await database.run("UPDATE orders SET v = 'uno' WHERE id = 1");
      assertChanged(await verdict(), /names this table/);
    });

    it('draws no conclusion when the log in between is gone', async () => {
      await writeOther();
      await database.run('FLUSH BINARY LOGS');
      const logs = await database.run('SHOW BINARY LOGS');
      const last = String(logs.at(-1)!['Log_name']);
      // MariaDB keeps a file until what it holds is on disk.
      await eventually(async () => {
        const kept = await database.run(`PURGE BINARY LOGS TO '${last}'`, 'SHOW BINARY LOGS');
        assert.equal(kept.length, 1);
      });
      // A source that has read the purged part before may still know it; another one cannot.
      const fresh = createMysqlSource(database.connection, secrets);
      assertUnknown(await verdictOf(fresh, table, previous, LOG), /^log: /);
    });

    it('reads no more than its budget at a time, and goes on from there', async () => {
      const budget = { events: 30, milliseconds: 60_000 };
      const source = createMysqlSource(database.connection, secrets, { scan: budget });
      // A page of events is the least that is read.
      for (let count = 0; count < 1_200; count++) await writeOther();
      assertUnknown(await verdictOf(source, table, previous, LOG), /^log: /);
      for (let round = 0; round < 5; round++) await verdictOf(source, table, previous, LOG);
      assertUnchanged(await verdictOf(source, table, previous, LOG));
      assertChanged(await verdictOf(source, other, previous, LOG), /names this table/);
    });

    it('yields to the token where a writer went around the log', async () => {
      const request = { strategy: 'auto' } as const;
      const before = (await settledTokensOf(database.source, [table], request)).get(table.id)!;
      assertUnchanged(await verdictOf(database.source, table, before, request));
      await database.run(
        'SET SESSION sql_log_bin = 0',
        "INSERT INTO orders VALUES (40, 'silent')",
        'SET SESSION sql_log_bin = 1',
      );
      const outcome = await verdictOf(database.source, table, before, {
        ...request,
        settleMarginMs: 0,
      });
      assertChanged(outcome, /sql_log_bin/);
    });

    it('knows nothing of views and of tables that change without it', async () => {
      const view = await database.table('looking');
      assert.match((await tokenOf(database.source, view, LOG)).evidence[0]!.distrust!, /views/);
      const memory = await database.table('in_memory');
      assert.match((await tokenOf(database.source, memory, LOG)).evidence[0]!.distrust!, /MEMORY/);
    });

    it('names the GRANT when a right is missing', async () => {
      const user = `log_${database.name}`;
      const account = `'${user}'@'%'`;
      await database.run(
        `CREATE USER ${account} IDENTIFIED BY 'comporta'`,
        `GRANT SELECT ON \`${database.name}\`.* TO ${account}`,
      );
      const source = createMysqlSource({ ...database.connection, user }, secrets);
      const right = mariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
      const { evidence } = await tokenOf(source, table, LOG);
      assert.ok(evidence[0]!.distrust!.includes(`GRANT ${right} ON *.* TO ${account}`));

      // With the position alone, nothing can be said once it has moved.
      await database.run(`GRANT ${right} ON *.* TO ${account}`);
      previous = await tokenOf(source, table, LOG);
      assert.equal(previous.evidence[0]!.distrust, undefined);
      assertUnchanged(await verdictOf(source, table, previous, LOG));
      await writeOther();
      assertUnknown(await verdictOf(source, table, previous, LOG), /^log: /);
      await database.run(`DROP USER ${account}`);
    });

    if (mariadb) {
      it('reads a compressed log', async () => {
        await database.run('SET GLOBAL log_bin_compress = 1, log_bin_compress_min_len = 10');
        await database.run(`INSERT INTO other (v) VALUES (REPEAT('x', 20)), (REPEAT('y', 20))`);
        await database.run('SET GLOBAL log_bin_compress = 0');
        assertUnchanged(await verdict());
        assertChanged(await verdict(other), /names this table/);
      });
    } else {
      it('looks into compressed transactions', async () => {
        await database.run('SET SESSION binlog_transaction_compression = 1');
        await writeOther();
        await database.run('SET SESSION binlog_transaction_compression = 0');
        assertUnchanged(await verdict());
        assertChanged(await verdict(other), /names this table/);
      });

      it('reads transactions whose ids carry a tag', async () => {
        await database.run("SET SESSION gtid_next = 'AUTOMATIC:nightly'");
        await writeOther();
        await database.run("SET SESSION gtid_next = 'AUTOMATIC'");
        assertUnchanged(await verdict());
        assertChanged(await verdict(other), /names this table/);
      });
    }
  });
}
