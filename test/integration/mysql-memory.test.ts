import assert from 'node:assert/strict';
import {
  createTestDatabase,
  readAll,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { FULL_LOAD } from '../support/table-settings';

const MIB = 1024 * 1024;

/** The process may grow by this much whatever the table's size: a batch, buffers, garbage. */
const GROWTH_LIMIT = 100 * MIB;

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: memory`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await createTestDatabase(await service());
      const depth = mariadb ? 'max_recursive_iterations' : 'cte_max_recursion_depth';
      await database.run(
        'CREATE TABLE counted (i int PRIMARY KEY)',
        `SET SESSION ${depth} = 100000`,
        `INSERT INTO counted
           WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
           SELECT i FROM n`,
        // Rows that the server makes up as it sends them.
        `CREATE VIEW wide AS SELECT i, REPEAT('x', 1000000) AS v FROM counted WHERE i <= 400`,
        `CREATE VIEW long_table AS
           SELECT a.i AS i, b.i * 7 AS j, 'some text of usual length' AS v, 1.5 AS d
           FROM counted a, counted b WHERE b.i <= 1500`,
      );
    });
    after(() => database.drop());

    async function growthOf(
      view: string,
    ): Promise<{ rows: number; bytes: number; growth: number }> {
      const table = await database.table(view);
      const before = process.memoryUsage().rss;
      let peak = before;
      let rows = 0;
      let bytes = 0;
      await withSnapshot(database.source, table, async (snapshot) => {
        const counted = { rows: 0, invalidValues: 0 };
        for await (const batch of snapshot.read(FULL_LOAD, {}, counted)) {
          rows += batch.rows;
          bytes += batch.byteLength;
          peak = Math.max(peak, process.memoryUsage().rss);
        }
      });
      return { rows, bytes, growth: peak - before };
    }

    it('stays bounded over 400 rows of a megabyte', async () => {
      const { rows, bytes, growth } = await growthOf('wide');
      assert.equal(rows, 400);
      assert.ok(bytes > 400e6);
      assert.ok(growth < GROWTH_LIMIT, `${Math.round(growth / MIB)} MiB`);
    }).timeout(120_000);

    it('stays bounded over three million rows', async () => {
      const { rows, growth } = await growthOf('long_table');
      assert.equal(rows, 3_000_000);
      assert.ok(growth < GROWTH_LIMIT, `${Math.round(growth / MIB)} MiB`);
    }).timeout(120_000);

    it('reads a value larger than one packet of the protocol', async () => {
      const size = 40 * MIB;
      await database.run(`SET GLOBAL max_allowed_packet = ${64 * MIB}`);
      try {
        // The limit of a session is the global one at its beginning.
        const writer = await database.session();
        await writer.query('CREATE TABLE huge (id int, v longblob)');
        await writer.query(`INSERT INTO huge VALUES (1, REPEAT('y', ${size})), (2, 'small')`);
        await writer.end();
        const rows = await readAll(database.source, await database.table('huge'));
        assert.equal((rows[0]![1] as string).length, size * 2);
        assert.equal(rows[1]![1], Buffer.from('small').toString('hex'));
      } finally {
        await database.run('SET GLOBAL max_allowed_packet = DEFAULT');
      }
    }).timeout(120_000);
  });
}
