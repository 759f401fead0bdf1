import assert from 'node:assert/strict';
import { createMasker } from '../../src/pipeline/mask';
import type { Source } from '../../src/sources/source';
import { fails } from '../sources/postgres/fails';
import { readTable, tableOf } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { noSourceSessions } from '../sources/postgres/sessions';
import { eventually } from '../support/eventually';
import { FULL_LOAD } from '../support/table-settings';

const never = new AbortController().signal;

for (const version of VERSIONS) {
  describe(`reading PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await sharedServer(version);
      source = server.source();
      await server.sql(`CREATE ROLE reader LOGIN PASSWORD '${server.service.password}'`);
    });
    after(() => server.stop());

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

      it('is tried without reading a row', async () => {
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.people'), never);
        await snapshot.tryFilter({ where: 'id > 0 -- all' });
        await snapshot.tryFilter({
          where: 'id / (id - id) = 1',
          cursor: { column: 'ID', lookBack: 0 },
        });
        const cursor = { column: 'nothing', lookBack: 0 };
        await assert.rejects(
          snapshot.tryFilter({ cursor }),
          fails('ConfigurationInvalid', /nothing/),
        );
        await assert.rejects(
          snapshot.tryFilter({ where: 'nothing = 1' }),
          fails('SourceRejected', /filter "nothing = 1"/),
        );
        await snapshot.close();
      });

      it('names the filter when it is the reading that the server refuses', async () => {
        const snapshot = await source.openSnapshot(await tableOf(source, 'public.people'), never);
        const statistics = { rows: 0, invalidValues: 0 };
        const batches = snapshot.read(FULL_LOAD, { where: 'id / 0 = 1' }, statistics);
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
        for await (const batch of snapshot.read(FULL_LOAD, {}, statistics))
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
          await noSourceSessions(server);
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
        await noSourceSessions(server);
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
  });
}
