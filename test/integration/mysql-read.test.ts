import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ComportaError } from '../../src/errors';
import { typeName } from '../../src/types/logical';
import type { ReadStatistics, RowFilter, TableSnapshot } from '../../src/sources/source';
import { eventually } from '../support/eventually';
import {
  createTestDatabase,
  readAll,
  SERVERS,
  withSnapshot,
  type TestDatabase,
} from '../sources/mysql/support';
import { FULL_LOAD } from '../support/table-settings';

function isError(code: string, message = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

for (const { name, mariadb, service } of SERVERS) {
  describe(`${name}: reading`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await createTestDatabase(await service());
      await database.run(
        'CREATE TABLE numbers (id int PRIMARY KEY, v varchar(20))',
        `INSERT INTO numbers VALUES (1, 'one'), (2, NULL), (3, 'three')`,
      );
    });
    after(() => database.drop());

    const statistics = (): ReadStatistics => ({ rows: 0, invalidValues: 0 });

    /** What somebody else sees of this source's connections. */
    const connections = () =>
      database.run(
        `SELECT ID, COMMAND, INFO FROM information_schema.PROCESSLIST
         WHERE DB = '${database.name}' AND ID <> CONNECTION_ID()`,
      );

    async function drain(
      snapshot: TableSnapshot,
      filter: RowFilter = {},
      counted = statistics(),
    ): Promise<number> {
      let rows = 0;
      for await (const batch of snapshot.read(FULL_LOAD, filter, counted)) rows += batch.rows;
      return rows;
    }

    it('lists tables and views with their kinds, ordered by id', async () => {
      await database.run(
        'CREATE TABLE parts (id int) PARTITION BY HASH (id) PARTITIONS 2',
        'CREATE VIEW seen AS SELECT * FROM numbers',
        ...(mariadb
          ? ['CREATE SEQUENCE counting', 'CREATE TABLE versions (id int) WITH SYSTEM VERSIONING']
          : []),
      );
      const tables = await database.source.listTables();
      assert.deepEqual(
        tables.map(({ id, kind }) => [id, kind]),
        [
          ['numbers', 'table'],
          ['parts', 'partitioned'],
          ['seen', 'view'],
          ...(mariadb ? [['versions', 'table']] : []),
        ],
      );
      assert.equal(typeof tables[0]!.approximateBytes, 'number');
    });

    it('describes columns, key and comments, generated and invisible columns included', async () => {
      await database.run(
        `CREATE TABLE described (
           b int NOT NULL COMMENT 'second of the key', a varchar(10) NOT NULL,
           twice int AS (b * 2) VIRTUAL, thrice int AS (b * 3) STORED,
           hidden int ${mariadb ? 'INVISIBLE' : 'DEFAULT 7 INVISIBLE'},
           PRIMARY KEY (a, b)) COMMENT = 'about'`,
        "INSERT INTO described (a, b) VALUES ('x', 2)",
      );
      const table = await database.table('described');
      await withSnapshot(database.source, table, (snapshot) => {
        const { description } = snapshot;
        assert.deepEqual(
          description.columns.map((column) => column.name),
          ['b', 'a', 'twice', 'thrice', 'hidden'],
        );
        assert.deepEqual(description.primaryKey, ['a', 'b']);
        assert.equal(description.comment, 'about');
        assert.equal(description.columns[0]!.comment, 'second of the key');
        assert.equal(description.columns[0]!.nullable, false);
        return Promise.resolve();
      });
      assert.deepEqual(await readAll(database.source, table), [[2, 'x', 4, 6, mariadb ? null : 7]]);
    });

    it('reads tables and columns with hostile names', async () => {
      const names = [
        'or der',
        'do.t',
        'back`tick',
        'quo"te',
        "quo'te",
        'select',
        '100%',
        'ñ漢',
        '?',
        ':a',
      ];
      for (const hostile of names) {
        const quoted = `\`${hostile.replaceAll('`', '``')}\``;
        const statement = `CREATE TABLE ${quoted} (${quoted} int, \`x ${hostile.replaceAll('`', '``')}\` json)`;
        await database.run(statement);
        await database.run(`INSERT INTO ${quoted} VALUES (1, '{}')`);
        const table = await database.table(hostile);
        assert.deepEqual(await readAll(database.source, table), [[1, '{}']], hostile);
        await database.run(`DROP TABLE ${quoted}`);
      }
    });

    it('sees one state of the table, whatever is committed meanwhile', async () => {
      const table = await database.table('numbers');
      await withSnapshot(database.source, table, async (snapshot) => {
        await database.run("INSERT INTO numbers VALUES (4, 'late')");
        assert.equal(await snapshot.count({}), 3);
        assert.equal(await snapshot.maximum('id', {}), '3');
        assert.equal(await drain(snapshot), 3);
        assert.equal(await snapshot.count({}), 3);
      });
      await database.run('DELETE FROM numbers WHERE id = 4');
    });

    it('keeps the columns as described while the snapshot is open', async () => {
      const table = await database.table('numbers');
      const other = await database.session();
      await other.query('SET SESSION lock_wait_timeout = 1');
      await withSnapshot(database.source, table, async () => {
        await assert.rejects(other.query('ALTER TABLE numbers ADD COLUMN w int'), /Lock wait/);
      });
      await other.end();
    });

    it('reads an empty table, a table without a key and a column of NULLs', async () => {
      await database.run('CREATE TABLE hollow (id int, v text)');
      const table = await database.table('hollow');
      assert.deepEqual(await readAll(database.source, table), []);
      await withSnapshot(database.source, table, async (snapshot) => {
        assert.equal(await snapshot.count({}), 0);
        assert.equal(await snapshot.maximum('id', {}), undefined);
        assert.deepEqual(snapshot.description.primaryKey, []);
      });
      await database.run('INSERT INTO hollow VALUES (NULL, NULL), (NULL, NULL)');
      assert.deepEqual(await readAll(database.source, table), [
        [null, null],
        [null, null],
      ]);
    });

    it('leaves columns out and reads others as text, by any spelling of their names', async () => {
      await database.run(
        `CREATE TABLE shaped (id int, secret text, price decimal(5,2), bits bit(4), bin varbinary(4),
                              place point, vast decimal(60,5))`,
        `INSERT INTO shaped VALUES (1, 's', 1.5, b'101', x'00ff', ST_GeomFromText('POINT(1 2)'), 1)`,
      );
      const rows = await readAll(database.source, await database.table('shaped'), {
        excludeColumns: ['SECRET', 'not there'],
        textColumns: ['Price', 'bits', 'bin', 'place'],
      });
      assert.deepEqual(rows, [[1, '1.50', '5', '00FF', 'POINT(1 2)', '1.00000']]);
      await assert.rejects(
        readAll(database.source, await database.table('numbers'), { excludeColumns: ['id', 'v'] }),
        isError('ConfigurationInvalid', /every column is excluded/),
      );
    });

    it('masks the text of any column and leaves NULL alone', async () => {
      await database.run(
        'CREATE TABLE people (id int NOT NULL, email varchar(50), born date, note text)',
        "INSERT INTO people VALUES (7, 'ann@example.com', '1990-01-02', 'x'), (8, NULL, NULL, NULL)",
      );
      const salt = { from: 'env', name: 'SALT' } as const;
      const table = await database.table('people');
      const masks = {
        ID: { method: 'sha256', salt },
        email: { method: 'partial', keepStart: 1, keepEnd: 4 },
        born: { method: 'redact', text: 'hidden' },
      } as const;
      const sha = (text: string) => createHash('sha256').update(`pepper${text}`).digest('hex');
      assert.deepEqual(await readAll(database.source, table, { masks }), [
        [sha('7'), 'a**********.com', 'hidden', 'x'],
        [sha('8'), null, null, null],
      ]);
      await withSnapshot(database.source, table, (snapshot) => {
        const { columns } = snapshot.plan({ ...FULL_LOAD, masks });
        assert.deepEqual(
          columns.map(({ type }) => typeName(type)),
          ['text', 'text', 'text', 'text'],
        );
        assert.equal(columns[0]!.nullable, false);
        return Promise.resolve();
      });
    });

    describe('dates that no calendar has', () => {
      before(() =>
        database.run(
          `CREATE TABLE dated (id int, d date NOT NULL, at datetime(3), ts timestamp NULL)`,
          `INSERT INTO dated VALUES (1, '0000-00-00', '2024-00-00', '0000-00-00'),
             (2, '2024-01-00', '2024-01-00 10:00:00.5', NULL),
             (3, '2024-02-29', '2024-02-29 01:02:03.004', '2024-02-29 01:02:03')`,
        ),
      );
      const micros = BigInt(Date.UTC(2024, 1, 29, 1, 2, 3)) * 1000n;

      it('become NULL and are counted, even in a column that takes none', async () => {
        const counted = statistics();
        const table = await database.table('dated');
        const settings = { invalidDates: 'null' } as const;
        assert.deepEqual(await readAll(database.source, table, settings, {}, counted), [
          [1, null, null, null],
          [2, null, null, null],
          [3, 19_782, micros + 4_000n, micros],
        ]);
        assert.deepEqual(counted, { rows: 3, invalidValues: 5 });
        await withSnapshot(database.source, table, (snapshot) => {
          const { columns } = snapshot.plan({ ...FULL_LOAD, ...settings });
          assert.equal(columns[1]!.nullable, true);
          return Promise.resolve();
        });
      });

      it('make their columns text', async () => {
        const rows = await readAll(database.source, await database.table('dated'), {
          invalidDates: 'text',
        });
        assert.deepEqual(rows, [
          [1, '0000-00-00', '2024-00-00 00:00:00.000', '0000-00-00 00:00:00'],
          [2, '2024-01-00', '2024-01-00 10:00:00.500', null],
          [3, '2024-02-29', '2024-02-29 01:02:03.004', '2024-02-29 01:02:03'],
        ]);
      });

      it('fail the table, which says where they are', async () => {
        await assert.rejects(
          readAll(database.source, await database.table('dated'), { invalidDates: 'fail' }),
          isError('ValueUnfaithful', /dated: column d \(date\) holds 0000-00-00/),
        );
      });
    });

    describe('filters', () => {
      before(() =>
        database.run(
          `CREATE TABLE filtered (id bigint unsigned PRIMARY KEY, f float, b bit(8), d date,
             at datetime(6), ts timestamp(3) NULL, word varchar(20), bin varbinary(8), n decimal(10,3))`,
          `INSERT INTO filtered VALUES
             (1, 0.1, 1, '2024-01-01', '2024-01-01 00:00:00', '2024-01-01 00:00:00', 'a', x'01', 0.5),
             (2, 0.2, 2, '2024-01-02', '2024-01-02 00:00:00.5', '2024-01-02 00:00:00.25', 'it''s', x'02', 1.5),
             (18446744073709551615, 16777216, 255, '2024-01-03', '2024-01-03 00:00:00.000001',
              '2024-01-03 00:00:00.125', 'z\\\\', x'FF00', 99.125)`,
        ),
      );
      const ids = async (filter: RowFilter) => {
        const rows = await readAll(database.source, await database.table('filtered'), {}, filter);
        return rows.map(([id]) => BigInt.asIntN(64, id as bigint));
      };
      const from = (column: string, value: string, lookBack = 0, exclusive = false) =>
        ids({ from: { column, value, lookBack, exclusive } });

      it('takes a condition as it is, a comment at its end included', async () => {
        assert.deepEqual(await ids({ where: "word = 'it''s' OR 1 = 0 -- the end" }), [2n]);
        assert.deepEqual(await ids({ where: "word <> '?' AND id < 2" }), [1n]);
      });

      it('names the condition when the server refuses it', async () => {
        await assert.rejects(
          ids({ where: 'no_such_column = 1' }),
          isError('SourceRejected', /filter "no_such_column = 1"/),
        );
        await assert.rejects(ids({ where: 'id = = 1' }), isError('SourceRejected', /id = = 1/));
      });

      it('is tried without reading a row', async () => {
        const table = await database.table('filtered');
        await withSnapshot(database.source, table, async (snapshot) => {
          await snapshot.tryFilter({ where: 'id > 0 -- all' });
          await snapshot.tryFilter({
            where: 'SLEEP(60) = 0',
            cursor: { column: 'ID', lookBack: 0 },
          });
          const cursor = { column: 'nothing', lookBack: 0 };
          await assert.rejects(
            snapshot.tryFilter({ cursor }),
            isError('ConfigurationInvalid', /nothing/),
          );
          await assert.rejects(
            snapshot.tryFilter({ where: 'no_such_column = 1' }),
            isError('SourceRejected', /filter "no_such_column = 1"/),
          );
        });
      });

      it('finds the maximum of a cursor in a form that finds its row again', async () => {
        const table = await database.table('filtered');
        for (const column of ['id', 'f', 'b', 'd', 'at', 'ts', 'word', 'bin', 'n']) {
          const value = await withSnapshot(database.source, table, (snapshot) =>
            snapshot.maximum(column, {}),
          );
          assert.deepEqual(await from(column, value!), [-1n], column);
          assert.deepEqual(await from(column, value!, 0, true), [], column);
        }
      });

      it('looks back by numbers and by milliseconds', async () => {
        assert.deepEqual(await from('id', '2', 1), [1n, 2n, -1n]);
        assert.deepEqual(await from('id', '2', 5), [1n, 2n, -1n]);
        assert.deepEqual(await from('n', '99.125', 97.625), [2n, -1n]);
        assert.deepEqual(
          await from('at', '2024-01-03 00:00:00.000001', 86_399_500),
          [2n, -1n].slice(1),
        );
        assert.deepEqual(await from('at', '2024-01-03 00:00:00.000001', 86_400_000), [2n, -1n]);
        assert.deepEqual(
          await from('ts', '2024-01-03 00:00:00.125', 2 * 86_400_000),
          [2n, -1n].slice(0),
        );
        assert.deepEqual(await from('d', '2024-01-03', 86_400_000), [2n, -1n]);
        assert.deepEqual(await from('at', '1970-01-01 00:00:02', 5_000), [1n, 2n, -1n]);
        assert.deepEqual(await from('d', '0000-00-00'), [1n, 2n, -1n]);
      });

      it('refuses cursors that cannot be one and values that are none', async () => {
        await assert.rejects(from('nothing', '1'), isError('ConfigurationInvalid', /nothing/));
        await assert.rejects(from('id', '1 OR 1=1'), isError('ConfigurationInvalid'));
        await assert.rejects(from('bin', "' OR 1"), isError('ConfigurationInvalid'));
        await assert.rejects(from('word', 'a', 1), isError('ConfigurationInvalid', /lookBack/));
      });
    });

    it('says that a table is not there or not allowed', async () => {
      const missing = { id: 'gone', schema: database.name, name: 'gone', kind: 'table' } as const;
      const { signal } = new AbortController();
      await assert.rejects(
        database.source.openSnapshot(missing, signal),
        isError('TableNotFound', /gone/),
      );
      await eventually(async () => assert.deepEqual(await connections(), []));
    });

    describe('a large table', () => {
      const wide = 1_000_000;
      before(() =>
        database.run(
          'CREATE TABLE large (id int PRIMARY KEY, v varchar(100))',
          'SET SESSION max_recursive_iterations = 1000000'.replace(
            'max_recursive_iterations',
            mariadb ? 'max_recursive_iterations' : 'cte_max_recursion_depth',
          ),
          `INSERT INTO large
             WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
             SELECT i, REPEAT('v', 50) FROM n`,
          `CREATE TABLE wide (id int PRIMARY KEY, v longblob)`,
          ...Array.from(
            { length: 12 },
            (_, index) => `INSERT INTO wide VALUES (${index}, REPEAT('${index % 10}', ${wide}))`,
          ),
        ),
      );

      it('comes in batches of bounded rows and bytes', async () => {
        const sizes = async (table: string) => {
          const found: { rows: number; bytes: number }[] = [];
          await withSnapshot(database.source, await database.table(table), async (snapshot) => {
            for await (const { rows, byteLength } of snapshot.read(FULL_LOAD, {}, statistics())) {
              found.push({ rows, bytes: byteLength });
            }
          });
          return found;
        };
        const total = (batches: { rows: number }[]) =>
          batches.reduce((sum, { rows }) => sum + rows, 0);
        const large = await sizes('large');
        assert.equal(total(large), 150_000);
        assert.ok(large.every(({ rows }) => rows > 0 && rows <= 65_536));
        assert.ok(large.length < 50, `${large.length} batches`);
        const blobs = await sizes('wide');
        assert.equal(total(blobs), 12);
        for (const { bytes } of [...large, ...blobs]) assert.ok(bytes <= 3 * wide, String(bytes));
      });

      it('ends when the consumer has had enough, here and on the server', async () => {
        await withSnapshot(database.source, await database.table('large'), async (snapshot) => {
          for await (const batch of snapshot.read(FULL_LOAD, {}, statistics())) {
            assert.ok(batch.rows > 0);
            break;
          }
        });
        await eventually(async () => assert.deepEqual(await connections(), []));
      });

      it('ends promptly when it is cancelled in the middle, here and on the server', async () => {
        const controller = new AbortController();
        const table = await database.table('large');
        const snapshot = await database.source.openSnapshot(table, controller.signal);
        const reading = (async () => {
          for await (const batch of snapshot.read(FULL_LOAD, {}, statistics())) {
            assert.ok(batch.rows > 0);
            controller.abort();
          }
        })();
        await assert.rejects(reading, isError('SourceInterrupted', /cancelled/));
        await snapshot.close();
        await eventually(async () => assert.deepEqual(await connections(), []), 2_000);
      });

      it('ends promptly when it is cancelled while the server is still thinking', async () => {
        const controller = new AbortController();
        const table = await database.table('large');
        const snapshot = await database.source.openSnapshot(table, controller.signal);
        const counting = snapshot.count({ where: 'SLEEP(0.01) = 1 OR v LIKE "%w%"' });
        const rejected = assert.rejects(counting, isError('SourceInterrupted', /cancelled/));
        await eventually(async () => {
          const found = await connections();
          assert.ok(found.some(({ INFO }) => String(INFO).includes('COUNT(*)')));
        });
        controller.abort();
        await rejected;
        await snapshot.close();
        await eventually(async () => assert.deepEqual(await connections(), []), 2_000);
      });

      it('does not begin when it is cancelled already', async () => {
        const table = await database.table('large');
        const opening = database.source.openSnapshot(table, AbortSignal.abort());
        await assert.rejects(opening, isError('SourceInterrupted', /cancelled/));
      });

      it('says that the source broke off when its connection is killed', async () => {
        // Enough that the rest cannot lie in the sockets' buffers already.
        await database.run(
          'CREATE VIEW larger AS SELECT large.* FROM large, (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS times',
        );
        const table = await database.table('larger');
        const { signal } = new AbortController();
        const snapshot = await database.source.openSnapshot(table, signal);
        const reading = (async () => {
          let batches = 0;
          for await (const batch of snapshot.read(FULL_LOAD, {}, statistics())) {
            assert.ok(batch.rows > 0);
            batches++;
            if (batches > 1) continue;
            const reader = (await connections()).find(({ INFO }) =>
              String(INFO).includes('larger'),
            );
            await database.run(`KILL ${Number(reader!['ID'])}`);
          }
        })();
        await assert.rejects(reading, isError('SourceInterrupted'));
        await snapshot.close();
      });

      it('does not outrun its consumer', async () => {
        let rowsAhead = 0;
        const counted = statistics();
        await withSnapshot(database.source, await database.table('large'), async (snapshot) => {
          let consumed = 0;
          for await (const batch of snapshot.read(FULL_LOAD, {}, counted)) {
            consumed += batch.rows;
            // Time for rows to arrive, if anybody took them.
            await database.run('DO SLEEP(0.05)');
            rowsAhead = Math.max(rowsAhead, counted.rows - consumed);
          }
        });
        assert.equal(rowsAhead, 0);
      });
    });
  });
}
