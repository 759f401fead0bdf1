import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
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
  MARGIN_MS,
  secrets,
  SERVERS,
  settledTokenOf,
  settledTokensOf,
  tokenOf,
  verdictOf,
  type TestDatabase,
} from '../sources/mysql/support';

const TOKEN = { strategy: 'token' } as const;

/** Names that a quoting mistake anywhere would trip over. The servers take no characters beyond U+FFFF. */
const HOSTILE = [
  'order',
  'with space',
  'do.t',
  'back`tick',
  'quo"te',
  "quo'te",
  '100%_a',
  'ñandú 漢字',
];

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: token`, () => {
    let database: TestDatabase;
    const loaded = new Map<string, { table: SourceTable; token: TableToken }>();

    /** Tables that are all loaded, settled, before the first test. Each test takes one. */
    const simple = [
      ...['quiet', 'inserted', 'updated', 'deleted', 'rolled_back', 'noop', 'truncated', 'forced'],
      ...['instant', 'swap_a', 'swap_b', 'cached', 'parent', 'recreated', 'widened', 'spanned'],
      'reader_first',
      ...HOSTILE,
    ];
    const partitioned = ['p_exchanged', 'p_dropped', 'p_truncated', 'p_written'];

    before(async () => {
      database = await createTestDatabase(await service());
      const quoted = (table: string) => `\`${table.replaceAll('`', '``')}\``;
      for (const table of simple) {
        await database.run(
          `CREATE TABLE ${quoted(table)} (id int PRIMARY KEY, v varchar(20))`,
          `INSERT INTO ${quoted(table)} VALUES (1, 'one'), (2, 'two')`,
        );
      }
      for (const table of partitioned) {
        await database.run(
          `CREATE TABLE ${table} (id int PRIMARY KEY, v varchar(20)) PARTITION BY RANGE (id)
             (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN (100))`,
          `INSERT INTO ${table} VALUES (1, 'one'), (20, 'twenty')`,
        );
      }
      await database.run(
        'CREATE TABLE exchanged (id int PRIMARY KEY, v varchar(20))',
        "INSERT INTO exchanged VALUES (3, 'three')",
        `CREATE TABLE child (id int PRIMARY KEY, parent int,
           FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)`,
        'INSERT INTO child VALUES (1, 1)',
        'CREATE VIEW looking AS SELECT * FROM quiet',
        'CREATE TABLE old_engine (id int) ENGINE = MyISAM',
        'INSERT INTO old_engine VALUES (1)',
      );
      if (!mariadb) {
        await database.run(
          'CREATE TABLE fileless (id int PRIMARY KEY) TABLESPACE = innodb_system',
          'INSERT INTO fileless VALUES (1)',
        );
      }
      const tables = (await database.source.listTables()).filter(
        (table) => table.kind !== 'view' && table.name !== 'old_engine',
      );
      const tokens = await settledTokensOf(database.source, tables, TOKEN);
      for (const table of tables) loaded.set(table.name, { table, token: tokens.get(table.id)! });
    });
    after(() => database.drop());

    const verdict = (table: string) => {
      const before = loaded.get(table)!;
      // Without a margin, so that a change of this second counts as one.
      const request = { ...TOKEN, settleMarginMs: 0 };
      return verdictOf(database.source, before.table, before.token, request);
    };
    const verdictAfter = async (table: string, ...statements: string[]) => {
      await database.run(...statements);
      return verdict(table);
    };

    it('proves that a table that nobody touched is unchanged', async () => {
      assertUnchanged(await verdict('quiet'));
    });

    it('sees inserts, updates and deletes', async () => {
      assertChanged(
        await verdictAfter('inserted', "INSERT INTO inserted VALUES (3, 'three')"),
        /update_time/,
      );
      assertChanged(
        await verdictAfter('updated', "UPDATE updated SET v = 'zwei' WHERE id = 2"),
        /update_time/,
      );
      assertChanged(
        await verdictAfter('deleted', 'DELETE FROM deleted WHERE id = 2'),
        /update_time/,
      );
    });

    it('does not load for work that was rolled back or changed nothing', async () => {
      await database.run('START TRANSACTION', "UPDATE rolled_back SET v = 'x'", 'ROLLBACK');
      assertUnchanged(await verdict('rolled_back'));
      assertUnchanged(await verdictAfter('noop', "UPDATE noop SET v = 'one' WHERE id = 1"));
    });

    it('sees what a cascade deletes from the child', async () => {
      assertLoads(await verdictAfter('child', 'DELETE FROM parent WHERE id = 1'));
    });

    it('sees TRUNCATE, which the time of the last change does not show everywhere', async () => {
      assertLoads(await verdictAfter('truncated', 'TRUNCATE TABLE truncated'));
      await database.run("INSERT INTO truncated VALUES (1, 'one')");
      assertLoads(await verdict('truncated'));
    });

    it('sees a table that was dropped and made again with the same rows', async () => {
      const table = await database.table('recreated');
      const before = loaded.get('recreated')!.token;
      await database.run(
        'DROP TABLE recreated',
        'CREATE TABLE recreated (id int PRIMARY KEY, v varchar(20))',
        "INSERT INTO recreated VALUES (1, 'one'), (2, 'two')",
      );
      assertLoads(await verdictOf(database.source, table, before, TOKEN));
    });

    it('sees a rebuild, an instantly added and a changed column', async () => {
      assertLoads(await verdictAfter('forced', 'ALTER TABLE forced FORCE'));
      assertLoads(await verdictAfter('instant', 'ALTER TABLE instant ADD COLUMN w int DEFAULT 5'));
      assertLoads(await verdictAfter('widened', 'ALTER TABLE widened MODIFY v varchar(30)'));
    });

    it('sees two tables swapped by RENAME, though each shows an older time', async () => {
      await database.run('RENAME TABLE swap_a TO swap_tmp, swap_b TO swap_a, swap_tmp TO swap_b');
      assertLoads(await verdict('swap_a'));
      assertLoads(await verdict('swap_b'));
    });

    it('sees EXCHANGE PARTITION on both sides', async () => {
      assertUnchanged(await verdict('p_exchanged'));
      await database.run('ALTER TABLE p_exchanged EXCHANGE PARTITION low WITH TABLE exchanged');
      assertChanged(await verdict('p_exchanged'), /innodb_ids/);
      assertChanged(await verdict('exchanged'), /innodb_ids/);
    });

    it('sees partitions dropped, truncated and written to', async () => {
      assertLoads(await verdictAfter('p_dropped', 'ALTER TABLE p_dropped DROP PARTITION low'));
      assertLoads(
        await verdictAfter('p_truncated', 'ALTER TABLE p_truncated TRUNCATE PARTITION high'),
      );
      assertChanged(
        await verdictAfter('p_written', "INSERT INTO p_written VALUES (21, 'x')"),
        /update_time/,
      );
    });

    it('is not fooled by statistics that the server keeps for a day', async () => {
      const other = await database.session();
      await other.query(
        `SELECT UPDATE_TIME FROM information_schema.TABLES WHERE TABLE_NAME = 'cached'`,
      );
      assertChanged(
        await verdictAfter('cached', "INSERT INTO cached VALUES (3, 'x')"),
        /update_time/,
      );
    });

    it('does not trust a token of the second in which a commit fell', async () => {
      await database.run('CREATE TABLE twice (id int PRIMARY KEY)', 'INSERT INTO twice VALUES (1)');
      const table = await database.table('twice');
      const previous = await tokenOf(database.source, table, TOKEN);
      assert.match(previous.evidence[0]!.distrust ?? '', /not settled: changed within the last/);
      await database.run('INSERT INTO twice VALUES (2)');
      await settledTokenOf(database.source, table, TOKEN);
      assertUnknown(await verdictOf(database.source, table, previous, TOKEN), /not settled/);
    });

    it('does not trust a token while a transaction is open that began before the last change', async () => {
      const table = await database.table('spanned');
      const long = await database.session();
      await long.query('START TRANSACTION');
      await long.query("INSERT INTO spanned VALUES (10, 'long')");
      await delay(1_100);
      await database.run("INSERT INTO spanned VALUES (11, 'short')");
      await delay(MARGIN_MS + 500);
      const previous = await tokenOf(database.source, table, TOKEN);
      assert.match(previous.evidence[0]!.distrust ?? '', /not settled: a transaction is open/);
      await long.query('COMMIT');
      await eventually(async () => {
        const { evidence } = await tokenOf(database.source, table, TOKEN);
        assert.equal(evidence[0]!.distrust, undefined);
      });
      assertLoads(await verdictOf(database.source, table, previous, TOKEN));
    });

    if (!mariadb) {
      it('tells tables without a file of their own apart by their ids', async () => {
        assertUnchanged(await verdict('fileless'));
        await database.run('TRUNCATE TABLE fileless', 'INSERT INTO fileless VALUES (1)');
        assertChanged(await verdict('fileless'), /innodb_ids/);
      });
    }

    if (mariadb) {
      // There the time of the last change is the start of the transaction that made it.
      it('does not trust a token that a transaction begun in its second may still reuse', async () => {
        const table = await database.table('reader_first');
        const reader = await database.session();
        // Both begin in the same second.
        await reader.query('DO SLEEP(1.05 - MICROSECOND(NOW(6)) / 1000000)');
        await reader.query('START TRANSACTION');
        await reader.query('SELECT * FROM quiet');
        await database.run("INSERT INTO reader_first VALUES (10, 'short')");
        await delay(MARGIN_MS + 1_500);
        const previous = await tokenOf(database.source, table, TOKEN);
        assert.match(previous.evidence[0]!.distrust ?? '', /not settled: a transaction is open/);
        await reader.query("INSERT INTO reader_first VALUES (11, 'late')");
        await reader.query('COMMIT');
        const current = await settledTokenOf(database.source, table, TOKEN);
        assert.equal(
          current.evidence[0]!.values['update_time'],
          previous.evidence[0]!.values['update_time'],
          'the test means nothing unless the times are equal',
        );
        assertLoads(await verdictOf(database.source, table, previous, TOKEN));
      });

      it('sees the last change move backwards', async () => {
        await database.run(
          'CREATE TABLE backwards (id int PRIMARY KEY)',
          'INSERT INTO backwards VALUES (1)',
        );
        const table = await database.table('backwards');
        const long = await database.session();
        await long.query('START TRANSACTION');
        await long.query('INSERT INTO backwards VALUES (2)');
        await delay(2_100);
        await database.run('INSERT INTO backwards VALUES (3)');
        const previous = await tokenOf(database.source, table, TOKEN);
        await long.query('COMMIT');
        const current = await settledTokenOf(database.source, table, TOKEN);
        const time = (token: TableToken) => token.evidence[0]!.values['update_time'] ?? '';
        assert.ok(time(current) < time(previous));
        assertLoads(await verdictOf(database.source, table, previous, TOKEN));
      });
    }

    it('is not fooled by a list of transactions that somebody keeps from being renewed', async () => {
      await database.run(
        'CREATE TABLE watched (id int PRIMARY KEY)',
        'INSERT INTO watched VALUES (1)',
      );
      const table = await database.table('watched');
      const monitor = await database.session();
      let watching = true;
      const watch = async () => {
        while (watching) {
          await monitor.query('SELECT COUNT(*) FROM information_schema.INNODB_TRX');
          await delay(20);
        }
      };
      const watched = watch();
      const long = await database.session();
      await long.query('START TRANSACTION');
      await long.query('INSERT INTO watched VALUES (2)');
      await delay(1_100);
      await database.run('INSERT INTO watched VALUES (3)');
      await delay(MARGIN_MS + 500);
      const { evidence } = await tokenOf(database.source, table, TOKEN);
      assert.match(evidence[0]!.distrust ?? '', /not settled/);
      watching = false;
      await watched;
      await long.query('ROLLBACK');
    });

    it('knows nothing of views and of tables outside InnoDB', async () => {
      const view = await database.table('looking');
      const previous = await tokenOf(database.source, view, TOKEN);
      assertUnknown(await verdictOf(database.source, view, previous, TOKEN), /a view/);
      const myisam = await database.table('old_engine');
      const saved = await tokenOf(database.source, myisam, TOKEN);
      assertUnknown(await verdictOf(database.source, myisam, saved, TOKEN), /MyISAM/);
    });

    it('says of a table that is gone that it is not there', async () => {
      const table: SourceTable = { id: 'gone', schema: database.name, name: 'gone', kind: 'table' };
      const token = await tokenOf(database.source, table, TOKEN);
      assert.match(token.evidence[0]!.distrust ?? '', /not there/);
    });

    it('names the GRANT when the right to see transactions is missing', async () => {
      const user = `reader_${database.name}`;
      await database.run(
        `CREATE USER '${user}'@'%' IDENTIFIED BY 'comporta'`,
        `GRANT SELECT ON \`${database.name}\`.* TO '${user}'@'%'`,
      );
      const source = createMysqlSource({ ...database.connection, user }, secrets);
      const token = await tokenOf(source, await database.table('quiet'), TOKEN);
      assert.match(
        token.evidence[0]!.distrust ?? '',
        new RegExp(`GRANT PROCESS ON \\*\\.\\* TO '${user}'@'%'`),
      );
      await database.run(`DROP USER '${user}'@'%'`);
    });

    it('tells tables with hostile names apart', async () => {
      for (const table of HOSTILE) assertUnchanged(await verdict(table));
      await database.run("UPDATE `back``tick` SET v = 'x' WHERE id = 1");
      for (const table of HOSTILE) {
        const outcome = await verdict(table);
        assert.equal(outcome.verdict, table === 'back`tick' ? 'changed' : 'unchanged', table);
      }
    });

    it('asks as many statements for 200 tables as for one', async () => {
      const tables = [...loaded.values()]
        .map(({ table }) => table)
        .filter((table) => table.name !== 'fileless');
      const many = Array.from({ length: 200 }, (_, index) => tables[index % tables.length]!);
      const statements = async (asked: readonly SourceTable[]) => {
        const count = async () => {
          const [row] = await database.run(`SHOW GLOBAL STATUS LIKE 'Questions'`);
          return Number(row!['Value']);
        };
        const before = await count();
        await database.source.readTokens(
          asked.map((table) => ({ table, strategy: 'auto', settleMarginMs: 86_400_000 })),
        );
        return (await count()) - before;
      };
      assert.equal(await statements(many), await statements(tables.slice(0, 1)));
    });
  });
}
