import assert from 'node:assert/strict';
import type { Evidence, TableToken } from '../../src/detection/detection';
import type { SourceTable, TokenRequest } from '../../src/sources/source';
import {
  assertChanged,
  assertUnchanged,
  createTestDatabase,
  SERVERS,
  tokenOf,
  verdictOf,
  type TestDatabase,
} from '../sources/mysql/support';

for (const { name, service } of SERVERS) {
  describe(`${name}: cursor and checksum`, () => {
    let database: TestDatabase;
    let table: SourceTable;
    before(async () => {
      database = await createTestDatabase(await service());
      await database.run(
        `CREATE TABLE orders (id int PRIMARY KEY, v varchar(20), w varchar(20), f float, g double,
           b varbinary(20), j json, p point, changed datetime(6))`,
        'CREATE VIEW seen AS SELECT id, v FROM orders',
      );
      table = await database.table('orders');
    });
    after(() => database.drop());
    beforeEach(() =>
      database.run(
        'DELETE FROM orders',
        `INSERT INTO orders VALUES
           (1, 'one', NULL, 0.1, 0.1, x'00', '{}', NULL, '2024-01-01 00:00:00.000001'),
           (2, 'two', '', 0.2, 0.2, x'', '[1]', ST_GeomFromText('POINT(1 2)'), '2024-01-02')`,
      ),
    );

    const only = ({ evidence }: TableToken): Evidence => {
      assert.equal(evidence.length, 1);
      return evidence[0]!;
    };

    describe('cursor', () => {
      const request: Partial<TokenRequest> = {
        strategy: 'cursor',
        cursor: { column: 'Changed', lookBack: 0 },
      };

      it('sees new rows, deleted rows and a higher maximum', async () => {
        const before = await tokenOf(database.source, table, request);
        assertUnchanged(await verdictOf(database.source, table, before, request));
        await database.run("INSERT INTO orders (id, changed) VALUES (3, '2023-01-01')");
        assertChanged(await verdictOf(database.source, table, before, request), /rows 2 → 3/);
        await database.run('DELETE FROM orders WHERE id = 3');
        assertUnchanged(await verdictOf(database.source, table, before, request));
        await database.run("UPDATE orders SET changed = '2024-01-02 00:00:00.000001' WHERE id = 2");
        assertChanged(await verdictOf(database.source, table, before, request), /maximum/);
      });

      it('is blind to an edit in place, as documented', async () => {
        const before = await tokenOf(database.source, table, request);
        await database.run("UPDATE orders SET v = 'edited' WHERE id = 1");
        assertUnchanged(await verdictOf(database.source, table, before, request));
      });

      it('looks at the rows of the filter only, and notices another filter', async () => {
        const filtered = { ...request, where: "v = 'one'" };
        const before = await tokenOf(database.source, table, filtered);
        assert.equal(only(before).values['rows'], '1');
        await database.run("INSERT INTO orders (id, v) VALUES (3, 'three')");
        assertUnchanged(await verdictOf(database.source, table, before, filtered));
        const other = { ...request, where: "v  = 'one'" };
        assertChanged(await verdictOf(database.source, table, before, other), /where/);
      });

      it('works for an empty table and for a view', async () => {
        await database.run('DELETE FROM orders');
        const before = await tokenOf(database.source, table, request);
        assert.deepEqual(only(before).values['maximum'], null);
        assertUnchanged(await verdictOf(database.source, table, before, request));
        const view = await database.table('seen');
        const byId = { ...request, cursor: { column: 'id', lookBack: 0 } };
        const ofView = await tokenOf(database.source, view, byId);
        assertUnchanged(await verdictOf(database.source, view, ofView, byId));
      });

      it('says of one table what is wrong and reads the others', async () => {
        const tokens = await database.source.readTokens([
          {
            table,
            settleMarginMs: 0,
            ...request,
            strategy: 'cursor',
            cursor: { column: 'nope', lookBack: 0 },
          },
          {
            table: await database.table('seen'),
            settleMarginMs: 0,
            strategy: 'cursor',
            cursor: { column: 'id', lookBack: 0 },
          },
        ]);
        assert.match(only(tokens.get('orders')!).distrust ?? '', /no cursor column nope/);
        assert.equal(only(tokens.get('seen')!).distrust, undefined);
      });
    });

    describe('checksum', () => {
      const request: Partial<TokenRequest> = { strategy: 'checksum' };

      /** Each changes one thing that a careless sum would not see. */
      const edits: readonly (readonly [string, string])[] = [
        ['an edit in place', "UPDATE orders SET v = 'eins' WHERE id = 1"],
        ['values swapped between rows', "UPDATE orders SET v = IF(id = 1, 'two', 'one')"],
        ['values swapped between columns', "UPDATE orders SET v = '', w = 'two' WHERE id = 2"],
        ['NULL in place of the empty text', 'UPDATE orders SET w = NULL WHERE id = 2'],
        ['the letter that marks NULL', "UPDATE orders SET w = 'N' WHERE id = 1"],
        [
          'a float beyond the digits that are printed',
          'UPDATE orders SET f = 0.10000001 WHERE id = 1',
        ],
        ['the last bit of a double', 'UPDATE orders SET g = 0.30000000000000004 WHERE id = 2'],
        ['a zero byte', "UPDATE orders SET b = x'0000' WHERE id = 1"],
        ['upper case', "UPDATE orders SET v = 'ONE' WHERE id = 1"],
        ['a trailing space', "UPDATE orders SET v = 'one ' WHERE id = 1"],
        ['JSON', 'UPDATE orders SET j = \'{"a": 1}\' WHERE id = 1'],
        ['a point', "UPDATE orders SET p = ST_GeomFromText('POINT(2 1)') WHERE id = 2"],
        ['a microsecond', "UPDATE orders SET changed = '2024-01-01 00:00:00.000002' WHERE id = 1"],
        ['a row more', 'INSERT INTO orders (id) VALUES (3)'],
        ['a row less', 'DELETE FROM orders WHERE id = 1'],
        ['no rows', 'DELETE FROM orders'],
      ];
      for (const [what, statement] of edits) {
        it(`sees ${what}`, async () => {
          const before = await tokenOf(database.source, table, request);
          assertUnchanged(await verdictOf(database.source, table, before, request));
          await database.run(statement);
          assertChanged(await verdictOf(database.source, table, before, request), /checksum/);
        });
      }

      it('sees nothing where nothing is different: another order, the same rows again', async () => {
        const before = await tokenOf(database.source, table, request);
        await database.run(
          'CREATE TABLE kept AS SELECT * FROM orders',
          'DELETE FROM orders',
          'INSERT INTO orders SELECT * FROM kept ORDER BY id DESC',
          'DROP TABLE kept',
        );
        assertUnchanged(await verdictOf(database.source, table, before, request));
      });

      it('sees duplicates come and go in a table without a key', async () => {
        await database.run(
          'DROP TABLE IF EXISTS bag',
          'CREATE TABLE bag (v int)',
          'INSERT INTO bag VALUES (1), (1), (2), (2)',
        );
        const bag = await database.table('bag');
        const before = await tokenOf(database.source, bag, request);
        await database.run('UPDATE bag SET v = 3 WHERE v = 1', 'UPDATE bag SET v = 1 WHERE v = 2');
        assertChanged(await verdictOf(database.source, bag, before, request), /checksum/);
      });

      it('works for views', async () => {
        const view = await database.table('seen');
        const before = await tokenOf(database.source, view, request);
        assertUnchanged(await verdictOf(database.source, view, before, request));
        await database.run("UPDATE orders SET v = 'x' WHERE id = 1");
        assertChanged(await verdictOf(database.source, view, before, request), /checksum/);
      });
    });

    it('leaves no evidence for tables that load always', async () => {
      const token = await tokenOf(database.source, table, { strategy: 'always' });
      assert.deepEqual(token.evidence, []);
      assert.match(token.sourceTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    });
  });
}
