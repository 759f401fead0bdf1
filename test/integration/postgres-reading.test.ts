import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ComportaError, type ErrorCode } from '../../src/errors';
import { createMasker } from '../../src/pipeline/mask';
import { BATCH_BYTES, BATCH_ROWS } from '../../src/sources/postgres/copy-rows';
import type { Source } from '../../src/sources/source';
import {
  PLAIN,
  readTable,
  startServer,
  tableOf,
  VERSIONS,
  type TestServer,
} from '../sources/postgres/support';
import { eventually } from '../support/eventually';

const never = new AbortController().signal;

function fails(code: ErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

for (const version of VERSIONS) {
  describe(`reading PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await startServer({ version });
      source = server.source();
      await server.sql(`CREATE ROLE reader LOGIN PASSWORD '${server.service.password}'`);
    });
    after(() => server.stop());

    const ids = async (only?: readonly string[]) =>
      (await source.listTables(only)).map(({ id, kind }) => `${kind} ${id}`);

    /** Sessions of the source that the server still has. */
    const sessions = async () => {
      const rows = await server.sql(
        `SELECT state FROM pg_stat_activity WHERE application_name = 'comporta'`,
      );
      return rows.length;
    };
    const noSessions = () =>
      eventually(async () => assert.equal(await sessions(), 0, 'a session is left'), 5_000);

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
        await noSessions();
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
        const { port, database, user, password } = server.service;
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
        await noSessions();
      });
    });

    describe('settings', () => {
      before(() =>
        server.sql(`
          CREATE TABLE people (id int, "Email" text, born date, balance numeric(10,2), pic bytea);
          INSERT INTO people VALUES (1, 'ana@example.org', '1980-05-06', 12.50, '\\x01'),
            (2, NULL, NULL, NULL, NULL)`),
      );

      it('masks the printed value and leaves NULL', async () => {
        const key = { from: 'env', name: 'PASSWORD' } as const;
        const masks = {
          email: { method: 'sha256', salt: key },
          born: { method: 'hmac', key },
          balance: { method: 'partial', keepStart: 1, keepEnd: 0 },
          pic: { method: 'redact', text: 'gone' },
        } as const;
        const { rows, columns } = await readTable(source, 'public.people', { masks });
        const secrets = { read: () => Promise.resolve(server.service.password) };
        const masked = async (mask: Parameters<typeof createMasker>[0], value: string) =>
          String((await createMasker(mask, secrets))(Buffer.from(value)));
        assert.deepEqual(rows, [
          [
            1,
            await masked(masks.email, 'ana@example.org'),
            await masked(masks.born, '1980-05-06'),
            '1****',
            'gone',
          ],
          [2, null, null, null, null],
        ]);
        assert.ok(columns.slice(1).every(({ type }) => type.kind === 'text'));
      });

      it('leaves columns out, whatever the case of their names', async () => {
        const { columns } = await readTable(source, 'public.people', {
          excludeColumns: ['EMAIL', 'born', 'no such column'],
        });
        assert.deepEqual(
          columns.map(({ name }) => name),
          ['id', 'balance', 'pic'],
        );
      });

      it('filters', async () => {
        const where = "balance > 10 -- with a comment; and 'quotes'";
        const { rows, count } = await readTable(source, 'public.people', {}, { where });
        assert.equal(count, 1);
        assert.equal(rows.length, 1);
      });

      for (const where of [
        'nothing = 1',
        'id >',
        'id = 1); DROP TABLE people; --',
        'id = 1; DROP TABLE people',
      ]) {
        it(`names the filter ${where} when the server refuses it`, async () => {
          await assert.rejects(
            readTable(source, 'public.people', {}, { where }),
            fails('SourceRejected', /public.people: .*the filter "/),
          );
          assert.equal((await readTable(source, 'public.people')).rows.length, 2);
        });
      }

      it('names the filter when it is the reading that the server refuses', async () => {
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.people'), never);
        const statistics = { rows: 0, invalidValues: 0 };
        const batches = snapshot.read(PLAIN, { where: 'id / 0 = 1' }, statistics);
        await assert.rejects(
          batches[Symbol.asyncIterator]().next(),
          fails('SourceRejected', /filter "id \/ 0 = 1": division by zero/),
        );
        await snapshot.close();
      });
    });

    describe('a cursor', () => {
      before(() =>
        server.sql(`
          CREATE TABLE moves (small smallint, big bigint, num numeric, dbl float8, day date,
            ts timestamp, tz timestamptz, txt text, fixed char(4), id uuid);
          INSERT INTO moves SELECT i, i, i * 0.1, i, date '0044-03-15 BC' + i,
            timestamp '2026-01-01' + i * interval '1 second', timestamptz '2026-01-01 00:00+00' + i * interval '1 second',
            chr(64 + i), chr(64 + i), ('00000000-0000-0000-0000-00000000000' || i)::uuid
          FROM generate_series(1, 9) AS i;
          INSERT INTO moves DEFAULT VALUES`),
      );

      const read = (column: string, value: string, lookBack = 0, exclusive = false) =>
        readTable(
          source,
          'public.moves',
          {},
          { from: { column, value, lookBack, exclusive } },
        ).then(({ rows, count }) => {
          assert.equal(count, rows.length);
          return rows.length;
        });

      for (const column of [
        'small',
        'big',
        'num',
        'dbl',
        'day',
        'ts',
        'tz',
        'txt',
        'fixed',
        'id',
      ]) {
        it(`goes on from its own maximum of ${column}`, async () => {
          const snapshot = await source.openSnapshot(await tableOf(source, 'public.moves'), never);
          const maximum = await snapshot.maximum(column, {});
          const earlier = await snapshot.maximum(column, { where: 'big < 8' });
          await snapshot.close();
          assert.ok(maximum !== undefined && earlier !== undefined);
          assert.equal(await read(column, maximum), 1);
          assert.equal(await read(column, maximum, 0, true), 0);
          assert.equal(await read(column, earlier), 3);
          assert.equal(await read(column, earlier, 0, true), 2);
        });
      }

      it('looks back: units for numbers, milliseconds for dates', async () => {
        assert.equal(await read('small', '9', 2), 3);
        assert.equal(await read('small', '1', 1_000_000), 9);
        assert.equal(await read('big', '-9223372036854775808', 5), 9);
        assert.equal(await read('num', '0.9', 0.2), 3);
        assert.equal(await read('dbl', '9', 1.5), 2);
        assert.equal(await read('ts', '2026-01-01 00:00:09', 2_500), 3);
        assert.equal(await read('tz', '2026-01-01 00:00:09+00', 2_500), 3);
        assert.equal(await read('day', '0044-03-24 BC', 2 * 86_400_000), 3);
        await assert.rejects(
          read('txt', 'I', 1),
          fails('ConfigurationInvalid', /cursor.lookBack has no meaning for column txt/),
        );
      });

      it('has no maximum without rows, and none that would hide all that comes', async () => {
        const open = async (table: string) =>
          source.openSnapshot(await tableOf(source, table), never);
        await server.sql(
          `CREATE TABLE lost (at timestamptz); INSERT INTO lost VALUES (now()), ('infinity')`,
        );
        const empty = await open('public.moves');
        assert.equal(await empty.maximum('big', { where: 'big > 100' }), undefined);
        assert.equal(await empty.maximum('big', { where: 'big IS NULL' }), undefined);
        await assert.rejects(
          empty.maximum('nothing', {}),
          fails('ConfigurationInvalid', /no column nothing/),
        );
        await empty.close();
        const lost = await open('public.lost');
        await assert.rejects(
          lost.maximum('at', {}),
          fails('ValueUnfaithful', /cursor column at reaches infinity — .*"at" < 'infinity'/),
        );
        await lost.close();
      });
    });

    describe('one snapshot', () => {
      it('shows the same rows to the count, the maximum and the reading', async () => {
        await server.sql(
          'CREATE TABLE steady (id int); INSERT INTO steady SELECT generate_series(1, 10)',
        );
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.steady'), never);
        await server.sql('INSERT INTO steady VALUES (11); DELETE FROM steady WHERE id = 1');
        const statistics = { rows: 0, invalidValues: 0 };
        assert.equal(await snapshot.count({}), 10);
        await server.sql('INSERT INTO steady VALUES (12)');
        assert.equal(await snapshot.maximum('id', {}), '10');
        for await (const batch of snapshot.read(PLAIN, {}, statistics))
          assert.equal(batch.rows, 10);
        assert.equal(statistics.rows, 10);
        await snapshot.close();
      });

      for (const user of ['superuser', 'reader']) {
        it(`never finds a table empty because it was rewritten meanwhile, as ${user}`, async () => {
          await server.sql(`DROP TABLE IF EXISTS rewritten;
            CREATE TABLE rewritten (id int); INSERT INTO rewritten SELECT generate_series(1, 100);
            GRANT SELECT (id) ON rewritten TO reader`);
          const reader = user === 'superuser' ? source : server.source({ user });
          const writer = await server.client();
          await writer.query('BEGIN; ALTER TABLE rewritten ALTER id TYPE bigint');
          const opening = reader.openSnapshot(await tableOf(source, 'public.rewritten'), never);
          await eventually(async () => {
            const waiting = await server.sql(
              `SELECT 1 FROM pg_stat_activity WHERE application_name = 'comporta' AND wait_event_type = 'Lock'`,
            );
            assert.equal(waiting.length, 1);
          });
          const read = async () => {
            const snapshot = await opening;
            assert.equal(await snapshot.count({}), 100);
            assert.equal(snapshot.description.columns[0]?.sourceType, 'bigint');
            await snapshot.close();
          };
          const checked =
            user === 'superuser'
              ? read()
              : // A right on columns alone does not allow LOCK: the snapshot is older than the ALTER.
                assert.rejects(opening, fails('SourceInterrupted', /rewritten or truncated/));
          await writer.query('COMMIT');
          await checked;
          await writer.end();
          assert.equal((await readTable(reader, 'public.rewritten')).rows.length, 100);
          await noSessions();
        });
      }

      it('reads the columns that it may where it may not read all', async () => {
        await server.sql(`CREATE TABLE partly (id int, secret text); INSERT INTO partly VALUES (1, 's');
          GRANT SELECT (id) ON partly TO reader`);
        const reader = server.source({ user: 'reader' });
        const { rows } = await readTable(reader, 'public.partly', { excludeColumns: ['secret'] });
        assert.deepEqual(rows, [[1]]);
        await assert.rejects(
          readTable(reader, 'public.partly'),
          fails('PermissionDenied', /GRANT SELECT ON "public"."partly" TO "reader"/),
        );
      });

      it('leaves nothing behind and writes nothing', async () => {
        const [[before]] = (await server.sql('SELECT pg_current_snapshot()')) as [[string]];
        await readTable(source, 'public.steady');
        const [[after]] = (await server.sql('SELECT pg_current_snapshot()')) as [[string]];
        assert.equal(after, before);
        await noSessions();
      });
    });

    describe('row-level security', () => {
      it('is an error instead of a table with rows missing', async () => {
        await server.sql(`CREATE TABLE secured (id int, owner text); INSERT INTO secured VALUES (1, 'a'), (2, 'reader');
          ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
          CREATE POLICY own ON secured USING (owner = current_user); GRANT SELECT ON secured TO reader`);
        await assert.rejects(
          readTable(server.source({ user: 'reader' }), 'public.secured'),
          fails('PermissionDenied', /row-level security.*ALTER ROLE "reader" BYPASSRLS/),
        );
        assert.equal((await readTable(source, 'public.secured')).rows.length, 2);
      });
    });

    describe('large tables', () => {
      it('come in batches of bounded rows', async () => {
        await server.sql(
          `CREATE TABLE long AS SELECT i AS id, 'x' || i AS v FROM generate_series(1, 200001) AS i`,
        );
        const { rows, batches, statistics } = await readTable(source, 'public.long');
        assert.equal(rows.length, 200_001);
        assert.equal(batches, Math.ceil(200_001 / BATCH_ROWS));
        assert.deepEqual(statistics, { rows: 200_001, invalidValues: 0 });
        const seen = new Set(rows.map(([id, v]) => `${id as number} ${v as string}`));
        assert.equal(seen.size, 200_001);
        assert.ok(rows.every(([id, v]) => v === `x${id as number}`));
      });

      it('with rows of a megabyte take memory for a batch, not for the table', async () => {
        await server.sql(
          `CREATE TABLE wide (id int, v bytea); ALTER TABLE wide ALTER v SET STORAGE EXTERNAL`,
        );
        const blob = randomBytes(1_000_000);
        await server.sql('INSERT INTO wide SELECT i, $1 FROM generate_series(1, 200) AS i', [blob]);
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.wide'), never);
        const statistics = { rows: 0, invalidValues: 0 };
        global.gc?.();
        const before = process.memoryUsage().rss;
        let peak = 0;
        for await (const batch of snapshot.read(PLAIN, {}, statistics)) {
          assert.ok(batch.byteLength < BATCH_BYTES + 2 * blob.length);
          // A slow writer: the server must wait, not this process hoard.
          await new Promise((resolve) => setTimeout(resolve, 20));
          peak = Math.max(peak, process.memoryUsage().rss - before);
        }
        await snapshot.close();
        assert.equal(statistics.rows, 200);
        assert.ok(peak < 120_000_000, `took ${Math.round(peak / 1e6)} MB for 200 MB of rows`);
      });

      it('of millions of rows pass with the memory of a batch', async () => {
        await server.sql(
          `CREATE VIEW endless AS SELECT i AS id, i * 7 AS v, 'row ' || i AS t FROM generate_series(1, 2000000) AS i`,
        );
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.endless'), never);
        const statistics = { rows: 0, invalidValues: 0 };
        global.gc?.();
        const before = process.memoryUsage().rss;
        let peak = 0;
        for await (const batch of snapshot.read(PLAIN, {}, statistics)) {
          assert.ok(batch.rows <= BATCH_ROWS);
          peak = Math.max(peak, process.memoryUsage().rss - before);
        }
        await snapshot.close();
        assert.equal(statistics.rows, 2_000_000);
        assert.ok(peak < 150_000_000, `took ${Math.round(peak / 1e6)} MB`);
      });
    });

    describe('what ends a reading early', () => {
      before(() =>
        server.sql(`CREATE VIEW forever AS SELECT generate_series(1, 2000000000) AS id, repeat('x', 1000) AS v;
          CREATE VIEW asleep AS SELECT pg_sleep(600)::text AS v`),
      );
      const open = async (id: string, signal: AbortSignal = never) => {
        const snapshot = await source.openSnapshot(await tableOf(source, id), signal);
        const statistics = { rows: 0, invalidValues: 0 };
        return { snapshot, rows: snapshot.read(PLAIN, {}, statistics)[Symbol.asyncIterator]() };
      };

      it('a reader that stops: the server is told and forgets', async () => {
        const { snapshot, rows } = await open('public.forever');
        await rows.next();
        await rows.return?.();
        await snapshot.close();
        await noSessions();
      });

      it('the signal, while rows flow', async () => {
        const stop = new AbortController();
        const { snapshot, rows } = await open('public.forever', stop.signal);
        await rows.next();
        stop.abort(new Error('cancelled by an operator'));
        await assert.rejects(
          async () => {
            for (;;) await rows.next();
          },
          fails('SourceInterrupted', /public.forever: the load was cancelled/),
        );
        await snapshot.close();
        await noSessions();
      });

      it('the signal, while the server sends nothing for ten minutes', async () => {
        const stop = new AbortController();
        const { snapshot, rows } = await open('public.asleep', stop.signal);
        const reading = rows.next();
        await eventually(async () => assert.equal(await sessions(), 1));
        stop.abort();
        await assert.rejects(reading, fails('SourceInterrupted', /cancelled/));
        await snapshot.close();
        await noSessions();
      });

      it('the signal, while it counts', async () => {
        const stop = new AbortController();
        const { snapshot } = await open('public.forever', stop.signal);
        const counting = snapshot.count({});
        setTimeout(() => stop.abort(), 100);
        await assert.rejects(counting, fails('SourceInterrupted', /cancelled/));
        await assert.rejects(snapshot.count({}), fails('SourceInterrupted', /cancelled/));
        await snapshot.close();
        await noSessions();
      });

      it('a signal that was given before', async () => {
        const table = await tableOf(source, 'public.forever');
        await assert.rejects(
          source.openSnapshot(table, AbortSignal.abort()),
          fails('SourceInterrupted', /cancelled/),
        );
      });

      for (const view of ['public.forever', 'public.asleep']) {
        it(`an administrator who ends the session that reads ${view}`, async () => {
          const { snapshot, rows } = await open(view);
          const reading = assert.rejects(
            async () => {
              for (;;) await rows.next();
            },
            fails('SourceInterrupted', new RegExp(`${view}: PostgreSQL at .* broke off`)),
          );
          await eventually(async () => {
            const ended = await server.sql(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'comporta' AND query LIKE 'COPY%'`,
            );
            assert.equal(ended.length, 1);
          });
          await reading;
          await snapshot.close();
          await noSessions();
        });
      }

      it('an administrator who cancels the statement', async () => {
        const { snapshot, rows } = await open('public.asleep');
        const reading = rows.next();
        await eventually(async () => {
          const cancelled = await server.sql(
            `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'comporta' AND wait_event = 'PgSleep'`,
          );
          assert.equal(cancelled.length, 1);
        });
        await assert.rejects(reading, fails('SourceInterrupted', /canceling statement/));
        await snapshot.close();
        await noSessions();
      });

      it('an error in the middle of the rows', async () => {
        await server.sql(
          `CREATE VIEW breaks AS SELECT 1 / (150000 - i) AS v FROM (SELECT generate_series(1, 200000) AS i) AS s`,
        );
        const { snapshot, rows } = await open('public.breaks');
        await assert.rejects(
          async () => {
            while (!(await rows.next()).done);
          },
          fails('SourceRejected', /public.breaks: .*division by zero/),
        );
        await snapshot.close();
        await noSessions();
      });

      it('the death of the server', async () => {
        const { snapshot, rows } = await open('public.forever');
        await rows.next();
        await server.service.kill9();
        await assert.rejects(
          async () => {
            for (;;) await rows.next();
          },
          fails('SourceInterrupted', /public.forever: PostgreSQL at 127.0.0.1:\d+ broke off/),
        );
        await snapshot.close();
        await assert.rejects(source.listTables(), fails('ConnectionFailed', /ECONNREFUSED/));
        await server.service.restart();
        await eventually(async () => void (await source.listTables()));
      });
    });
  });
}
