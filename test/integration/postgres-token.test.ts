import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { decide } from '../../src/detection/decide';
import type { Source } from '../../src/sources/source';
import { createObserver, DAY } from '../sources/postgres/observer';
import { readTable } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';

for (const version of VERSIONS) {
  describe(`the token of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;
    let observer: ReturnType<typeof createObserver>;

    before(async () => {
      server = await sharedServer(version);
      source = server.source();
      observer = createObserver(server);
    });
    after(() => server.stop());

    describe('the token', () => {
      it('is unknown at first sight', async () => {
        await observer.make('fresh', 'TABLE fresh (id int)');
        const current = await observer.token('fresh');
        const seen = decide({ current, strategy: 'auto', maxSkipAgeMs: DAY });
        assert.equal(seen.verdict, 'unknown');
        assert.deepEqual(
          current.evidence.map(({ strategy }) => strategy),
          ['log', 'token'],
        );
        assert.match(current.sourceTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        assert.ok(Math.abs(Date.parse(current.sourceTime) - Date.now()) < 60_000);
      });

      for (const [what, statement] of [
        ['an insert', 'INSERT INTO plain VALUES (100)'],
        ['an update', 'UPDATE plain SET id = -id WHERE id = 1'],
        ['an update that changes no value', 'UPDATE plain SET id = id WHERE id = 2'],
        ['a delete', 'DELETE FROM plain WHERE id = 3'],
        ['a truncation', 'TRUNCATE plain'],
        [
          'a truncation and the same rows again',
          'BEGIN; CREATE TEMP TABLE c AS SELECT * FROM plain; TRUNCATE plain; INSERT INTO plain SELECT * FROM c; COMMIT',
        ],
        ['a new column', 'ALTER TABLE plain ADD COLUMN more int DEFAULT 7'],
        ['a dropped column', 'ALTER TABLE plain DROP COLUMN more'],
        [
          'a renamed column',
          'ALTER TABLE plain RENAME COLUMN id TO key; ALTER TABLE plain RENAME COLUMN key TO id; ALTER TABLE plain RENAME COLUMN other TO another',
        ],
        ['a wider type', 'ALTER TABLE plain ALTER COLUMN short TYPE varchar(20)'],
        ['another type', 'ALTER TABLE plain ALTER COLUMN id TYPE bigint'],
        [
          'NOT NULL',
          'DELETE FROM plain WHERE id IS NULL; ALTER TABLE plain ALTER COLUMN id SET NOT NULL',
        ],
        [
          'a change undone by its opposite',
          'INSERT INTO plain VALUES (999); DELETE FROM plain WHERE id = 999',
        ],
        [
          'a change within a savepoint',
          'BEGIN; SAVEPOINT s; INSERT INTO plain VALUES (5); RELEASE s; COMMIT',
        ],
        [
          'a new table of the same name',
          'DROP TABLE plain; CREATE TABLE plain (id int, other int, short varchar(5)); INSERT INTO plain SELECT i FROM generate_series(1, 10) AS i',
        ],
        [
          'another table under its name',
          'CREATE TABLE swap (LIKE plain); INSERT INTO swap SELECT i FROM generate_series(1, 10) AS i; BEGIN; ALTER TABLE plain RENAME TO away; ALTER TABLE swap RENAME TO plain; DROP TABLE away; COMMIT',
        ],
      ] as const) {
        it(`sees ${what}`, async () => {
          await observer.change('DROP TABLE IF EXISTS plain');
          await observer.make('plain', 'TABLE plain (id int, other int, short varchar(5))');
          if (what === 'a dropped column')
            await observer.change('ALTER TABLE plain ADD COLUMN more int');
          const previous = await observer.token('plain');
          await observer.stays('plain', previous);
          await observer.change(statement);
          await observer.detects('plain', previous, /^token: /);
        });
      }

      it('sees rows that come by COPY, and a foreign key’s cascade in the child', async () => {
        await observer.change(
          'CREATE TABLE mother (id int PRIMARY KEY)',
          'CREATE TABLE daughter (id int REFERENCES mother ON DELETE CASCADE ON UPDATE CASCADE)',
          'INSERT INTO mother VALUES (1), (2)',
          'INSERT INTO daughter VALUES (1), (2)',
        );
        await observer.counted('daughter', 2);
        const previous = await observer.token('daughter');
        await observer.change('DELETE FROM mother WHERE id = 1');
        await observer.detects('daughter', previous, /deleted 0 → 1/);
        const next = await observer.token('daughter');
        await observer.change('UPDATE mother SET id = 3 WHERE id = 2');
        await observer.detects('daughter', next, /updated 0 → 1/);
      });

      it('counts a rolled-back write: a needless load, no more', async () => {
        await observer.make('undone', 'TABLE undone (id int)');
        const previous = await observer.token('undone');
        await observer.change('BEGIN; INSERT INTO undone VALUES (1); ROLLBACK');
        await observer.detects('undone', previous, /inserted 10 → 11/);
      });

      it('loads once more after VACUUM FULL, which moves the file', async () => {
        await observer.make('packed', 'TABLE packed (id int)');
        const previous = await observer.token('packed');
        await observer.change('VACUUM FULL packed');
        await observer.detects('packed', previous, /relations/);
      });

      it('is not moved by other tables, VACUUM, ANALYZE, a checkpoint or reading', async () => {
        await observer.make('still', 'TABLE still (id int)');
        await observer.make('busy', 'TABLE busy (id int)');
        const previous = await observer.token('still');
        await observer.change(
          'INSERT INTO busy VALUES (1)',
          'VACUUM still',
          'ANALYZE still',
          'CHECKPOINT',
        );
        await readTable(source, 'public.still');
        await delay(1_200);
        await observer.stays('still', previous, { strategy: 'auto' });
      });

      it('of an empty table stays, and sees its first row', async () => {
        await observer.change('CREATE TABLE nothing (id int)');
        const previous = await observer.token('nothing');
        await observer.stays('nothing', previous);
        await observer.change('INSERT INTO nothing VALUES (1)');
        await observer.detects('nothing', previous, /inserted 0 → 1/);
      });

      it('sees two commits in one second', async () => {
        await observer.make('twice', 'TABLE twice (id int)');
        const writer = await server.client();
        await writer.query('INSERT INTO twice VALUES (11)');
        const previous = await observer.token('twice');
        await writer.query('INSERT INTO twice VALUES (12)');
        // The session lives on, and says no more: its counts must come all the same.
        await observer.detects(
          'twice',
          previous,
          /inserted/,
          {},
          version >= 15 ? ['changed'] : ['changed', 'unchanged'],
        );
        await writer.end();
        await observer.detects('twice', previous, /inserted/);
      });

      it('never misses a commit just before it, although the counters may lack it', async () => {
        await observer.make('justnow', 'TABLE justnow (id int)');
        const writer = await server.client();
        await writer.query('INSERT INTO justnow VALUES (11)');
        await writer.query('INSERT INTO justnow VALUES (12)');
        const previous = await observer.token('justnow');
        const loaded = await readTable(source, 'public.justnow');
        assert.equal(loaded.rows.length, 12);
        await writer.query('INSERT INTO justnow VALUES (13)');
        await writer.end();
        await observer.detects('justnow', previous, /inserted/);
      });

      it('never misses a long transaction that spans a load', async () => {
        await observer.make('spanned', 'TABLE spanned (id int)');
        const long = await server.client();
        await long.query('BEGIN');
        await long.query('INSERT INTO spanned VALUES (11)');
        await observer.change('INSERT INTO spanned VALUES (12)');
        await observer.counted('spanned', 11);
        const previous = await observer.token('spanned');
        assert.equal((await readTable(source, 'public.spanned')).rows.length, 11);
        await observer.stays('spanned', previous);
        await observer.stays('spanned', previous, { strategy: 'auto' });
        await long.query('COMMIT');
        const log = await observer.verdict('spanned', previous, { strategy: 'log' });
        assert.equal(log.verdict, 'unknown', 'the log shows it at once');
        await long.end();
        await observer.detects('spanned', previous, /inserted 11 → 12/);
        await observer.detects('spanned', previous, /inserted 11 → 12/, { strategy: 'auto' });
      });

      it('never misses a prepared transaction', async () => {
        await observer.make('prepared', 'TABLE prepared (id int)');
        await observer.change(
          `BEGIN; INSERT INTO prepared VALUES (11); PREPARE TRANSACTION 'later'`,
        );
        const previous = await observer.token('prepared');
        await observer.stays('prepared', previous);
        await observer.change(`COMMIT PREPARED 'later'`);
        await observer.detects('prepared', previous, /inserted 10 → 11/);
        await observer.detects('prepared', previous, /./, { strategy: 'log' }, ['unknown']);
      });

      it('is not believed where counting is off, for the server or for some role', async () => {
        await observer.make('uncounted', 'TABLE uncounted (id int)');
        const previous = await observer.token('uncounted');
        await server.sql('ALTER SYSTEM SET track_counts = off');
        await server.sql('SELECT pg_reload_conf()');
        await observer.detects('uncounted', previous, /track_counts is off/, {}, ['unknown']);
        await server.sql('ALTER SYSTEM RESET track_counts');
        await server.sql('SELECT pg_reload_conf()');
        await eventually(() => observer.stays('uncounted', previous));
        await server.sql('CREATE ROLE silent; ALTER ROLE silent SET track_counts = off');
        await observer.detects('uncounted', previous, /track_counts is set for some role/, {}, [
          'unknown',
        ]);
        await server.sql('DROP ROLE silent');
        await observer.stays('uncounted', previous);
      });

      for (const [what, statement] of [
        ['all counters', 'SELECT pg_stat_reset()'],
        [
          'the counters of this table alone',
          `SELECT pg_stat_reset_single_table_counters('forgotten'::regclass)`,
        ],
      ] as const) {
        it(`is not believed after a reset of ${what}, though they count up to the same`, async () => {
          await observer.change('DROP TABLE IF EXISTS forgotten');
          await observer.make('forgotten', 'TABLE forgotten (id int)');
          const previous = await observer.token('forgotten');
          await observer.change(statement, 'TRUNCATE forgotten', 'VACUUM forgotten');
          await delay(1_000);
          await observer.change('INSERT INTO forgotten SELECT -i FROM generate_series(1, 10) AS i');
          await observer.counted('forgotten', 10);
          await observer.detects('forgotten', previous, /countersReset/, {}, ['unknown']);
        });
      }

      it('sees a renamed label of an enum, which touches no row', async () => {
        await observer.change(
          `CREATE TYPE state AS ENUM ('old', 'done')`,
          'CREATE DOMAIN stated AS state',
          'CREATE TABLE labelled (id int, s stated)',
          `INSERT INTO labelled VALUES (1, 'old')`,
        );
        await observer.counted('labelled', 1);
        const previous = await observer.token('labelled');
        await observer.change(`ALTER TYPE state RENAME VALUE 'old' TO 'new'`);
        await observer.detects('labelled', previous, /columns/);
        assert.deepEqual((await readTable(source, 'public.labelled')).rows, [[1, 'new']]);
      });

      it('reads fresh counters whatever stats_fetch_consistency says', async () => {
        if (version < 15) return;
        await observer.make('cached', 'TABLE cached (id int)');
        await server.sql(
          `ALTER ROLE ${server.service.user} SET stats_fetch_consistency = snapshot`,
        );
        const previous = await observer.token('cached');
        await observer.change('DELETE FROM cached');
        await observer.detects('cached', previous, /deleted 0 → 10/);
        await server.sql(`ALTER ROLE ${server.service.user} RESET stats_fetch_consistency`);
      });
    });

    describe('partitions and children', () => {
      const PARTS = [
        'CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id)',
        'CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100)',
        'CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (300) PARTITION BY RANGE (id)',
        'CREATE TABLE parts_high_1 PARTITION OF parts_high FOR VALUES FROM (100) TO (200)',
      ];
      beforeEach(async () => {
        await observer.change('DROP TABLE IF EXISTS parts, parts_low', ...PARTS);
        await observer.change('INSERT INTO parts SELECT i, 1 FROM generate_series(95, 104) AS i');
        await observer.counted('parts', 10);
      });

      for (const [what, statement] of [
        ['a row in a leaf below another level', `INSERT INTO parts VALUES (150, 'x')`],
        ['a row that moves to another leaf', 'UPDATE parts SET id = 101 WHERE id = 96'],
        ['a truncated leaf', 'TRUNCATE parts_high_1'],
        [
          'a new leaf',
          'CREATE TABLE parts_high_2 PARTITION OF parts_high FOR VALUES FROM (200) TO (300)',
        ],
        ['a detached leaf', 'ALTER TABLE parts DETACH PARTITION parts_low'],
        ['a dropped leaf', 'DROP TABLE parts_low'],
      ] as const) {
        it(`sees ${what}`, async () => {
          const previous = await observer.token('parts');
          await observer.stays('parts', previous);
          await observer.change(statement);
          await observer.detects('parts', previous, /^token: /);
        });
      }

      it('sees a leaf exchanged for a table with the same counts', async () => {
        const previous = await observer.token('parts');
        await observer.change(
          'CREATE TABLE parts_new (LIKE parts)',
          'INSERT INTO parts_new SELECT i, 2 FROM generate_series(95, 99) AS i',
        );
        await observer.counted('parts_new', 5);
        await observer.stays('parts', previous);
        await observer.change(`BEGIN; ALTER TABLE parts DETACH PARTITION parts_low; DROP TABLE parts_low;
          ALTER TABLE parts_new RENAME TO parts_low;
          ALTER TABLE parts ATTACH PARTITION parts_low FOR VALUES FROM (0) TO (100); COMMIT`);
        const [, now] = (await observer.token('parts')).evidence;
        assert.equal(now?.values.inserted, '10');
        await observer.detects('parts', previous, /relations/);
      });

      it('sees a change in a child by inheritance in the parent', async () => {
        await observer.change(
          'CREATE TABLE forebear (id int)',
          'CREATE TABLE heir () INHERITS (forebear)',
        );
        const previous = await observer.token('forebear');
        await observer.stays('forebear', previous);
        await observer.change('INSERT INTO heir VALUES (1)');
        await observer.detects('forebear', previous, /inserted 0 → 1/);
      });
    });
  });
}
