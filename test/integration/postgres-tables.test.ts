import assert from 'node:assert/strict';
import type { Source } from '../../src/sources/source';
import { fails } from '../sources/postgres/fails';
import { readTable, tableOf } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { noSourceSessions } from '../sources/postgres/sessions';

const never = new AbortController().signal;

for (const version of VERSIONS) {
  describe(`tables of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await sharedServer(version);
      source = server.source();
    });
    after(() => server.stop());

    const ids = async (only?: readonly string[]) =>
      (await source.listTables(only)).map(({ id, kind }) => `${kind} ${id}`);

    describe('the list of tables', () => {
      before(() =>
        server.sql(`
          CREATE SCHEMA "a.b"; CREATE SCHEMA other;
          CREATE TABLE "a.b"."c""d" (id int); CREATE TABLE other.hidden (id int);
          CREATE TABLE "a.b".plain (id int); INSERT INTO "a.b".plain SELECT generate_series(1, 500);
          CREATE TABLE "a.b".parts (id int) PARTITION BY RANGE (id);
          CREATE TABLE "a.b".part1 PARTITION OF "a.b".parts FOR VALUES FROM (0) TO (10);
          INSERT INTO "a.b".parts SELECT generate_series(0, 9);
          ANALYZE "a.b".plain, "a.b".part1;
          CREATE VIEW "a.b".v AS SELECT 1 AS one;
          CREATE MATERIALIZED VIEW "a.b".m AS SELECT 1 AS one;
          CREATE SEQUENCE "a.b".s; CREATE INDEX ON "a.b".plain (id);
          CREATE EXTENSION postgres_fdw;
          CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw;
          CREATE FOREIGN TABLE "a.b".f (id int) SERVER loop;
          CREATE EXTENSION pg_buffercache SCHEMA "a.b"`),
      );

      it('has every kind, no partition, no view of an extension, ordered by id', async () => {
        const tables = await server.source({ schemas: ['a.b', 'nowhere'] }).listTables();
        assert.deepEqual(
          tables.map(({ id, kind }) => `${kind} ${id}`),
          [
            'table "a.b"."c""d"',
            'foreign "a.b".f',
            'materialized-view "a.b".m',
            'partitioned "a.b".parts',
            'table "a.b".plain',
            'view "a.b".v',
          ],
        );
        const rows = (id: string) => tables.find((table) => table.id === id)?.approximateRows;
        assert.equal(rows('"a.b".plain'), 500);
        assert.equal(rows('"a.b".parts'), 10);
      });

      it('can be asked for single tables', async () => {
        await server.sql('CREATE TABLE asked (id int); CREATE TABLE other.asked (id int)');
        assert.deepEqual(await ids(['public.asked', 'public.absent']), ['table public.asked']);
      });
    });

    describe('a description', () => {
      it('has columns, key and comments, and no dropped column', async () => {
        await server.sql(`
          CREATE TABLE described (gone int, b int NOT NULL, "a b" varchar(7) NOT NULL,
            twice int GENERATED ALWAYS AS (b * 2) STORED, PRIMARY KEY ("a b", b));
          ALTER TABLE described DROP COLUMN gone;
          COMMENT ON TABLE described IS 'a table''s comment';
          COMMENT ON COLUMN described.twice IS 'computed 😀';
          INSERT INTO described VALUES (1, 'x')`);
        const snapshot = await source.openSnapshot(
          await tableOf(source, 'public.described'),
          never,
        );
        const { columns, primaryKey, comment } = snapshot.description;
        await snapshot.close();
        assert.deepEqual(
          columns.map(({ name, sourceType, nullable }) => [name, sourceType, nullable]),
          [
            ['b', 'integer', false],
            ['a b', 'character varying(7)', false],
            ['twice', 'integer', true],
          ],
        );
        assert.equal(columns[2]?.comment, 'computed 😀');
        assert.deepEqual(primaryKey, ['a b', 'b']);
        assert.equal(comment, "a table's comment");
        assert.deepEqual((await readTable(source, 'public.described')).rows, [[1, 'x', 2]]);
      });

      it('is refused for a table that is gone', async () => {
        const table = { id: 'public.gone', schema: 'public', name: 'gone', kind: 'table' } as const;
        await assert.rejects(
          source.openSnapshot(table, never),
          fails('TableNotFound', /public.gone.*does not exist/),
        );
        await noSourceSessions(server);
      });
    });

    for (const name of [
      'sp ace',
      'do.t',
      'quo"te',
      'back`tick',
      'select',
      '😀%s',
      "apos'trophe",
      'back\\slash',
      '$1',
    ]) {
      it(`reads a table and a column called ${name}`, async () => {
        const quoted = `"${name.replaceAll('"', '""')}"`;
        await server.sql(
          `CREATE TABLE ${quoted} (${quoted} int PRIMARY KEY); INSERT INTO ${quoted} VALUES (7), (8)`,
        );
        const table = (await source.listTables()).find((one) => one.name === name);
        assert.ok(table);
        const filter = {
          from: { column: name, value: '7', lookBack: 0, exclusive: true },
          where: `${quoted} < 100 -- ${name}`,
        };
        const { rows, columns, count } = await readTable(source, table.id, {}, filter);
        assert.deepEqual(rows, [[8]]);
        assert.equal(count, 1);
        assert.equal(columns[0]?.name, name);
        const snapshot = await source.openSnapshot(table, never);
        assert.equal(await snapshot.maximum(name, {}), '8');
        assert.deepEqual(snapshot.description.primaryKey, [name]);
        await snapshot.close();
        for (const strategy of ['auto', 'checksum', 'cursor'] as const) {
          const cursor = { column: name, lookBack: 0 };
          const tokens = await source.readTokens([{ table, strategy, settleMarginMs: 0, cursor }]);
          const evidence = tokens.get(table.id)?.evidence ?? [];
          assert.ok(evidence.length > 0);
          assert.ok(evidence.every(({ distrust }) => distrust === undefined));
        }
      });
    }

    describe('kinds of tables', () => {
      it('reads a partitioned table whole', async () => {
        await server.sql(`
          CREATE TABLE whole (id int, k text) PARTITION BY LIST (k);
          CREATE TABLE whole_a PARTITION OF whole FOR VALUES IN ('a');
          CREATE TABLE whole_rest PARTITION OF whole DEFAULT PARTITION BY RANGE (id);
          CREATE TABLE whole_rest_1 PARTITION OF whole_rest DEFAULT;
          INSERT INTO whole VALUES (1, 'a'), (2, 'b'), (3, NULL)`);
        const { rows } = await readTable(source, 'public.whole');
        assert.deepEqual(rows.map(([id]) => id).sort(), [1, 2, 3]);
      });

      it('reads a table with its children by inheritance, as SELECT does', async () => {
        await server.sql(`
          CREATE TABLE parent (id int); CREATE TABLE child (extra int) INHERITS (parent);
          INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3)`);
        assert.deepEqual((await readTable(source, 'public.parent')).rows, [[1], [2]]);
        assert.deepEqual((await readTable(source, 'public.child')).rows, [[2, 3]]);
      });

      it('reads views, materialized views and foreign tables', async () => {
        const { port, user, password } = server.service;
        const { database } = server.connection;
        await server.sql(`
          CREATE TABLE base (id int NOT NULL, v numeric(6,2)); INSERT INTO base VALUES (1, 1.5);
          CREATE VIEW seen AS SELECT *, v * 2 AS doubled FROM base;
          CREATE MATERIALIZED VIEW kept AS SELECT * FROM base;
          CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '127.0.0.1', port '${port}', dbname '${database}');
          CREATE USER MAPPING FOR ${user} SERVER here OPTIONS (user '${user}', password '${password}');
          CREATE FOREIGN TABLE far (id int NOT NULL, v numeric(6,2)) SERVER here OPTIONS (table_name 'base')`);
        assert.deepEqual((await readTable(source, 'public.seen')).rows, [[1, 150n, '3.00']]);
        assert.deepEqual((await readTable(source, 'public.kept')).rows, [[1, 150n]]);
        const far = await readTable(source, 'public.far');
        assert.deepEqual(far.rows, [[1, 150n]]);
        assert.equal(far.columns[0]?.nullable, true);
      });

      it('reads an empty table and one whose column is all NULL', async () => {
        await server.sql(`
          CREATE TABLE empty (id int, v text); CREATE TABLE nulls (id int, v numeric(30,2));
          INSERT INTO nulls SELECT i, NULL FROM generate_series(1, 3) AS i`);
        const empty = await readTable(source, 'public.empty');
        assert.deepEqual([empty.rows, empty.count, empty.batches], [[], 0, 0]);
        assert.deepEqual((await readTable(source, 'public.nulls')).rows, [
          [1, null],
          [2, null],
          [3, null],
        ]);
      });

      it('refuses a table without columns and one with all of them excluded', async () => {
        await server.sql('CREATE TABLE bare (); INSERT INTO bare DEFAULT VALUES');
        await assert.rejects(
          readTable(source, 'public.bare'),
          fails('ConfigurationInvalid', /public.bare: the table has no columns/),
        );
        await assert.rejects(
          readTable(source, 'public.empty', { excludeColumns: ['id', 'v'] }),
          fails('ConfigurationInvalid', /every column is excluded/),
        );
        await noSourceSessions(server);
      });
    });
  });
}
