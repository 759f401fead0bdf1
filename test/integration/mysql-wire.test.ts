import assert from 'node:assert/strict';
import { ComportaError } from '../../src/errors';
import { createMysqlSource } from '../../src/sources/mysql/mysql-source';
import type { Source } from '../../src/sources/source';
import {
  createTestDatabase,
  readAll,
  secrets,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { FULL_LOAD } from '../support/table-settings';

const ROWS = 120_000;

function isError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: the connection between the driver and the reader`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await createTestDatabase(await service());
      const depth = mariadb ? 'max_recursive_iterations' : 'cte_max_recursion_depth';
      await database.run(
        `SET SESSION ${depth} = ${ROWS}`,
        'CREATE TABLE many (id int PRIMARY KEY, v varchar(100))',
        `INSERT INTO many
           WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
           SELECT i, CONCAT('value ', i) FROM n`,
        'CREATE TABLE large (id int PRIMARY KEY, v longtext)',
        `INSERT INTO large VALUES (1, 'first'), (2, REPEAT('x', 3000000)), (3, 'last')`,
      );
    });
    after(() => database.drop());

    // This MariaDB has no certificate; reading through TLS is tested with one that has.
    for (const mode of mariadb ? (['disable'] as const) : (['disable', 'require'] as const)) {
      describe(`tls.mode ${mode}`, () => {
        let source: Source;
        before(() => {
          source = createMysqlSource({ ...database.connection, tls: { mode } }, secrets);
        });

        it('reads in turns with the driver, again and again', async () => {
          const table = await database.table('many');
          await withSnapshot(source, table, async (snapshot) => {
            for (let round = 0; round < 3; round++) {
              assert.equal(await snapshot.count({}), ROWS);
              const statistics = { rows: 0, invalidValues: 0 };
              let sum = 0;
              for await (const batch of snapshot.read(FULL_LOAD, {}, statistics)) {
                const ids = batch.columns[0]!.data as Int32Array;
                for (let row = 0; row < batch.rows; row++) sum += ids[row]!;
              }
              assert.equal(statistics.rows, ROWS);
              assert.equal(sum, (ROWS * (ROWS + 1)) / 2);
              assert.equal(await snapshot.maximum('id', {}), String(ROWS));
            }
          });
        });

        it('reads values larger than its buffer between small ones', async () => {
          const rows = await readAll(source, await database.table('large'));
          assert.deepEqual(
            rows.map(([id, text]) => [id, (text as string).length]),
            [
              [1, 5],
              [2, 3_000_000],
              [3, 4],
            ],
          );
        });
      });
    }

    it('leaves no statement behind on the server', async () => {
      const prepared = async () => {
        const [row] = await database.run("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
        return Number(row!['Value']);
      };
      const before = await prepared();
      const table = await database.table('many');
      await withSnapshot(database.source, table, async (snapshot) => {
        for (let round = 0; round < 3; round++) {
          const statistics = { rows: 0, invalidValues: 0 };
          for await (const { rows } of snapshot.read(FULL_LOAD, {}, statistics))
            assert.ok(rows > 0);
        }
        // Also shows that the server has done with what went before.
        assert.equal(await snapshot.count({}), ROWS);
        assert.equal(await prepared(), before);
      });
    });

    it('says what to do where the server prepares nothing', async () => {
      const table = await database.table('many');
      await database.run('SET GLOBAL max_prepared_stmt_count = 0');
      try {
        await assert.rejects(
          readAll(database.source, table),
          isError('SourceInterrupted', /prepares no statement.*max_prepared_stmt_count/),
        );
      } finally {
        await database.run('SET GLOBAL max_prepared_stmt_count = DEFAULT');
      }
    });

    it('takes a ? in a condition for what the server would: a mistake', async () => {
      const table = await database.table('many');
      await assert.rejects(
        readAll(database.source, table, {}, { where: 'id = ?' }),
        isError('SourceRejected', /filter "id = \?"/),
      );
      assert.equal(
        (await readAll(database.source, table, {}, { where: "v <> '?' AND id < 3" })).length,
        2,
      );
    });

    it('passes on an error that the server meets among the rows', async () => {
      const table = await database.table('many');
      const where = `IF(id < ${ROWS - 5}, 1, (SELECT 1 UNION SELECT 2 + id - id)) = 1`;
      let rows = 0;
      const reading = withSnapshot(database.source, table, async (snapshot) => {
        const statistics = { rows: 0, invalidValues: 0 };
        for await (const batch of snapshot.read(FULL_LOAD, { where }, statistics))
          rows += batch.rows;
      });
      await assert.rejects(reading, isError('SourceRejected', /more than 1 row/));
      assert.ok(rows > 0 && rows < ROWS, String(rows));
    });
  });
}
