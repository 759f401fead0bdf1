import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { decide } from '../../src/detection/decide';
import type { TableToken, Verdict } from '../../src/detection/detection';
import type { CursorSettings, DetectionStrategy } from '../../src/pipeline/pipeline';
import type { Source } from '../../src/sources/source';
import {
  readTable,
  startServer,
  tableOf,
  VERSIONS,
  type TestServer,
} from '../sources/postgres/support';
import { eventually } from '../support/eventually';

const DAY = 86_400_000;
const SETTINGS = { autovacuum: 'off', max_prepared_transactions: '10' };

interface Asked {
  readonly strategy?: DetectionStrategy;
  readonly where?: string;
  readonly cursor?: CursorSettings;
  readonly settleMarginMs?: number;
  readonly previous?: TableToken;
}

for (const version of VERSIONS) {
  describe(`changes of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await startServer({ version, settings: SETTINGS });
      source = server.source();
    });
    after(() => server.stop());

    /** Runs statements in a session of its own, whose counts are handed over when it ends. */
    const change = async (...statements: string[]) => {
      const client = await server.client();
      for (const statement of statements) await client.query(statement);
      await client.end();
    };

    const token = async (table: string, asked: Asked = {}): Promise<TableToken> => {
      const found = await tableOf(source, `public.${table}`);
      const request = { table: found, strategy: 'auto', settleMarginMs: 0, ...asked } as const;
      const read = (await source.readTokens([request])).get(found.id);
      assert.ok(read);
      return read;
    };

    const verdict = async (
      table: string,
      previous: TableToken,
      { strategy = 'token', ...asked }: Asked = {},
    ): Promise<Verdict> => {
      const current = await token(table, { strategy, previous, ...asked });
      return decide({ previous, current, strategy, maxSkipAgeMs: DAY });
    };

    /** Counters come late; what must never be is that they do not come. */
    const detects = (
      table: string,
      previous: TableToken,
      reason: RegExp,
      asked: Asked = {},
      expected: readonly Verdict['verdict'][] = ['changed'],
    ) =>
      eventually(async () => {
        const seen = await verdict(table, previous, asked);
        assert.ok(expected.includes(seen.verdict), `${seen.verdict}: ${seen.reason}`);
        assert.match(seen.reason, reason);
      }, 15_000);

    const stays = async (table: string, previous: TableToken, asked: Asked = {}) => {
      const seen = await verdict(table, previous, asked);
      assert.equal(seen.verdict, 'unchanged', seen.reason);
    };

    /** Makes a table with rows and waits until they are counted. */
    const make = async (table: string, definition: string, rows = 10) => {
      await change(
        `CREATE ${definition}`,
        `INSERT INTO ${table} SELECT i FROM generate_series(1, ${rows}) AS i`,
      );
      await counted(table, rows);
    };
    const counted = (table: string, rows: number) =>
      eventually(async () => {
        const read = await server.sql(
          `SELECT sum(pg_stat_get_tuples_inserted(relid)) FROM (
             SELECT '${table}'::regclass AS relid UNION SELECT relid FROM pg_partition_tree('${table}')) AS t`,
        );
        assert.equal(read[0]?.[0], String(rows));
      });

    describe('the token', () => {
      it('is unknown at first sight', async () => {
        await make('fresh', 'TABLE fresh (id int)');
        const current = await token('fresh');
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
          await change('DROP TABLE IF EXISTS plain');
          await make('plain', 'TABLE plain (id int, other int, short varchar(5))');
          if (what === 'a dropped column') await change('ALTER TABLE plain ADD COLUMN more int');
          const previous = await token('plain');
          await stays('plain', previous);
          await change(statement);
          await detects('plain', previous, /^token: /);
        });
      }

      it('sees rows that come by COPY, and a foreign key’s cascade in the child', async () => {
        await change(
          'CREATE TABLE mother (id int PRIMARY KEY)',
          'CREATE TABLE daughter (id int REFERENCES mother ON DELETE CASCADE ON UPDATE CASCADE)',
          'INSERT INTO mother VALUES (1), (2)',
          'INSERT INTO daughter VALUES (1), (2)',
        );
        await counted('daughter', 2);
        const previous = await token('daughter');
        await change('DELETE FROM mother WHERE id = 1');
        await detects('daughter', previous, /deleted 0 → 1/);
        const next = await token('daughter');
        await change('UPDATE mother SET id = 3 WHERE id = 2');
        await detects('daughter', next, /updated 0 → 1/);
      });

      it('counts a rolled-back write: a needless load, no more', async () => {
        await make('undone', 'TABLE undone (id int)');
        const previous = await token('undone');
        await change('BEGIN; INSERT INTO undone VALUES (1); ROLLBACK');
        await detects('undone', previous, /inserted 10 → 11/);
      });

      it('loads once more after VACUUM FULL, which moves the file', async () => {
        await make('packed', 'TABLE packed (id int)');
        const previous = await token('packed');
        await change('VACUUM FULL packed');
        await detects('packed', previous, /relations/);
      });

      it('is not moved by other tables, VACUUM, ANALYZE, a checkpoint or reading', async () => {
        await make('still', 'TABLE still (id int)');
        await make('busy', 'TABLE busy (id int)');
        const previous = await token('still');
        await change('INSERT INTO busy VALUES (1)', 'VACUUM still', 'ANALYZE still', 'CHECKPOINT');
        await readTable(source, 'public.still');
        await delay(1_200);
        await stays('still', previous, { strategy: 'auto' });
      });

      it('of an empty table stays, and sees its first row', async () => {
        await change('CREATE TABLE nothing (id int)');
        const previous = await token('nothing');
        await stays('nothing', previous);
        await change('INSERT INTO nothing VALUES (1)');
        await detects('nothing', previous, /inserted 0 → 1/);
      });

      it('sees two commits in one second', async () => {
        await make('twice', 'TABLE twice (id int)');
        const writer = await server.client();
        await writer.query('INSERT INTO twice VALUES (11)');
        const previous = await token('twice');
        await writer.query('INSERT INTO twice VALUES (12)');
        // The session lives on, and says no more: its counts must come all the same.
        await detects(
          'twice',
          previous,
          /inserted/,
          {},
          version >= 15 ? ['changed'] : ['changed', 'unchanged'],
        );
        await writer.end();
        await detects('twice', previous, /inserted/);
      });

      it('never misses a commit just before it, although the counters may lack it', async () => {
        await make('justnow', 'TABLE justnow (id int)');
        const writer = await server.client();
        await writer.query('INSERT INTO justnow VALUES (11)');
        await writer.query('INSERT INTO justnow VALUES (12)');
        const previous = await token('justnow');
        const loaded = await readTable(source, 'public.justnow');
        assert.equal(loaded.rows.length, 12);
        await writer.query('INSERT INTO justnow VALUES (13)');
        await writer.end();
        await detects('justnow', previous, /inserted/);
      });

      it('never misses a long transaction that spans a load', async () => {
        await make('spanned', 'TABLE spanned (id int)');
        const long = await server.client();
        await long.query('BEGIN');
        await long.query('INSERT INTO spanned VALUES (11)');
        await change('INSERT INTO spanned VALUES (12)');
        await counted('spanned', 11);
        const previous = await token('spanned');
        assert.equal((await readTable(source, 'public.spanned')).rows.length, 11);
        await stays('spanned', previous);
        await stays('spanned', previous, { strategy: 'auto' });
        await long.query('COMMIT');
        const log = await verdict('spanned', previous, { strategy: 'log' });
        assert.equal(log.verdict, 'unknown', 'the log shows it at once');
        await long.end();
        await detects('spanned', previous, /inserted 11 → 12/);
        await detects('spanned', previous, /inserted 11 → 12/, { strategy: 'auto' });
      });

      it('never misses a prepared transaction', async () => {
        await make('prepared', 'TABLE prepared (id int)');
        await change(`BEGIN; INSERT INTO prepared VALUES (11); PREPARE TRANSACTION 'later'`);
        const previous = await token('prepared');
        await stays('prepared', previous);
        await change(`COMMIT PREPARED 'later'`);
        await detects('prepared', previous, /inserted 10 → 11/);
        await detects('prepared', previous, /./, { strategy: 'log' }, ['unknown']);
      });

      it('is not believed where counting is off, for the server or for some role', async () => {
        await make('uncounted', 'TABLE uncounted (id int)');
        const previous = await token('uncounted');
        await server.sql('ALTER SYSTEM SET track_counts = off');
        await server.sql('SELECT pg_reload_conf()');
        await detects('uncounted', previous, /track_counts is off/, {}, ['unknown']);
        await server.sql('ALTER SYSTEM RESET track_counts');
        await server.sql('SELECT pg_reload_conf()');
        await eventually(() => stays('uncounted', previous));
        await server.sql('CREATE ROLE silent; ALTER ROLE silent SET track_counts = off');
        await detects('uncounted', previous, /track_counts is set for some role/, {}, ['unknown']);
        await server.sql('DROP ROLE silent');
        await stays('uncounted', previous);
      });

      for (const [what, statement] of [
        ['all counters', 'SELECT pg_stat_reset()'],
        [
          'the counters of this table alone',
          `SELECT pg_stat_reset_single_table_counters('forgotten'::regclass)`,
        ],
      ] as const) {
        it(`is not believed after a reset of ${what}, though they count up to the same`, async () => {
          await change('DROP TABLE IF EXISTS forgotten');
          await make('forgotten', 'TABLE forgotten (id int)');
          const previous = await token('forgotten');
          await change(statement, 'TRUNCATE forgotten', 'VACUUM forgotten');
          await delay(1_000);
          await change('INSERT INTO forgotten SELECT -i FROM generate_series(1, 10) AS i');
          await counted('forgotten', 10);
          await detects('forgotten', previous, /countersReset/, {}, ['unknown']);
        });
      }

      it('sees a renamed label of an enum, which touches no row', async () => {
        await change(
          `CREATE TYPE state AS ENUM ('old', 'done')`,
          'CREATE DOMAIN stated AS state',
          'CREATE TABLE labelled (id int, s stated)',
          `INSERT INTO labelled VALUES (1, 'old')`,
        );
        await counted('labelled', 1);
        const previous = await token('labelled');
        await change(`ALTER TYPE state RENAME VALUE 'old' TO 'new'`);
        await detects('labelled', previous, /columns/);
        assert.deepEqual((await readTable(source, 'public.labelled')).rows, [[1, 'new']]);
      });

      it('reads fresh counters whatever stats_fetch_consistency says', async () => {
        if (version < 15) return;
        await make('cached', 'TABLE cached (id int)');
        await server.sql(
          `ALTER ROLE ${server.service.user} SET stats_fetch_consistency = snapshot`,
        );
        const previous = await token('cached');
        await change('DELETE FROM cached');
        await detects('cached', previous, /deleted 0 → 10/);
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
        await change('DROP TABLE IF EXISTS parts, parts_low', ...PARTS);
        await change('INSERT INTO parts SELECT i, 1 FROM generate_series(95, 104) AS i');
        await counted('parts', 10);
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
          const previous = await token('parts');
          await stays('parts', previous);
          await change(statement);
          await detects('parts', previous, /^token: /);
        });
      }

      it('sees a leaf exchanged for a table with the same counts', async () => {
        const previous = await token('parts');
        await change(
          'CREATE TABLE parts_new (LIKE parts)',
          'INSERT INTO parts_new SELECT i, 2 FROM generate_series(95, 99) AS i',
        );
        await counted('parts_new', 5);
        await stays('parts', previous);
        await change(`BEGIN; ALTER TABLE parts DETACH PARTITION parts_low; DROP TABLE parts_low;
          ALTER TABLE parts_new RENAME TO parts_low;
          ALTER TABLE parts ATTACH PARTITION parts_low FOR VALUES FROM (0) TO (100); COMMIT`);
        const [, now] = (await token('parts')).evidence;
        assert.equal(now?.values.inserted, '10');
        await detects('parts', previous, /relations/);
      });

      it('sees a change in a child by inheritance in the parent', async () => {
        await change('CREATE TABLE forebear (id int)', 'CREATE TABLE heir () INHERITS (forebear)');
        const previous = await token('forebear');
        await stays('forebear', previous);
        await change('INSERT INTO heir VALUES (1)');
        await detects('forebear', previous, /inserted 0 → 1/);
      });
    });

    describe('what is no plain table', () => {
      it('a materialized view changes when it is refreshed, in either way', async () => {
        await make('origin', 'TABLE origin (id int)');
        await change(
          'CREATE MATERIALIZED VIEW copy AS SELECT id FROM origin',
          'CREATE UNIQUE INDEX ON copy (id)',
        );
        await change('REFRESH MATERIALIZED VIEW copy');
        await delay(1_000);
        const previous = await token('copy');
        await change('INSERT INTO origin VALUES (11)');
        await delay(1_000);
        await stays('copy', previous);
        await change('REFRESH MATERIALIZED VIEW copy');
        await detects('copy', previous, /relations/);
        const next = await token('copy');
        await change(
          'DELETE FROM origin WHERE id = 11',
          'REFRESH MATERIALIZED VIEW CONCURRENTLY copy',
        );
        await detects('copy', next, /deleted/);
      });

      it('a view is never believed, as it may read the clock', async () => {
        await change('CREATE VIEW hourly AS SELECT now() AS at');
        const previous = await token('hourly');
        const seen = await verdict('hourly', previous, { strategy: 'auto' });
        assert.equal(seen.verdict, 'unknown');
        assert.match(seen.reason, /log.*token.*: a view can change with the clock/);
      });

      it('a foreign table is never believed, nor a table with a foreign part', async () => {
        await change(
          'CREATE EXTENSION file_fdw',
          'CREATE SERVER files FOREIGN DATA WRAPPER file_fdw',
          `CREATE FOREIGN TABLE outside (id int) SERVER files OPTIONS (filename '/dev/null')`,
          'CREATE TABLE mixed (id int) PARTITION BY RANGE (id)',
          `CREATE FOREIGN TABLE mixed_far PARTITION OF mixed FOR VALUES FROM (0) TO (9) SERVER files OPTIONS (filename '/dev/null')`,
        );
        for (const table of ['outside', 'mixed']) {
          const seen = await verdict(table, await token(table), { strategy: 'auto' });
          assert.equal(seen.verdict, 'unknown', table);
          assert.match(seen.reason, /foreign table/);
        }
      });

      it('a filter by the clock is never believed, another one is', async () => {
        await make('aging', 'TABLE aging (id int)');
        const moving = { where: `id > extract(epoch FROM now())` };
        const previous = await token('aging', moving);
        const seen = await verdict('aging', previous, { ...moving, strategy: 'auto' });
        assert.equal(seen.verdict, 'unknown');
        assert.match(seen.reason, /filter may pick other rows/);
        await stays('aging', await token('aging', { where: 'id > 3' }), { where: 'id > 3' });
      });

      it('a table that is gone spoils no other', async () => {
        await make('there', 'TABLE there (id int)');
        const there = await tableOf(source, 'public.there');
        const gone = { ...there, id: 'public.gone', name: 'gone' };
        const strategies = ['auto', 'cursor', 'checksum', 'always'] as const;
        for (const strategy of strategies) {
          const cursor = { column: 'id', lookBack: 0 };
          const tokens = await source.readTokens(
            [gone, there].map((table) => ({ table, strategy, settleMarginMs: 0, cursor })),
          );
          const [ofGone, ofThere] = [gone, there].map(({ id }) => tokens.get(id)?.evidence ?? []);
          assert.ok(
            ofGone?.every(({ distrust }) => distrust !== undefined),
            strategy,
          );
          assert.ok(
            ofThere?.every(({ distrust }) => distrust === undefined),
            strategy,
          );
          assert.equal(ofThere?.length, { auto: 2, cursor: 1, checksum: 1, always: 0 }[strategy]);
        }
      });
    });

    describe('the log', () => {
      it('proves that nothing changed, and reading does not move it', async () => {
        await make('quiet', 'TABLE quiet (id int)');
        const previous = await token('quiet', { strategy: 'log' });
        await readTable(source, 'public.quiet');
        await change('VACUUM quiet', 'CHECKPOINT', 'SELECT count(*) FROM quiet');
        await source.readTokens([
          { table: await tableOf(source, 'public.quiet'), strategy: 'checksum', settleMarginMs: 0 },
        ]);
        await stays('quiet', previous, { strategy: 'log' });
        const seen = await verdict('quiet', previous, { strategy: 'log' });
        assert.match(seen.reason, /nothing since \(snapshot \d+:\d+:/);
      });

      for (const [what, statements] of [
        ['a commit', ['INSERT INTO logged VALUES (1)']],
        ['a commit to an unlogged table', ['INSERT INTO unlogged VALUES (1)']],
        [
          'a commit without waiting for the disk',
          ['SET synchronous_commit = off', 'INSERT INTO logged VALUES (1)'],
        ],
        [
          'a commit by someone who counts nothing',
          ['SET track_counts = off', 'INSERT INTO logged VALUES (1)'],
        ],
        ['a commit in another database', ['CREATE DATABASE another']],
        ['a truncation', ['TRUNCATE logged']],
        ['a definition', ['ALTER TABLE logged ALTER id SET DEFAULT 1']],
      ] as const) {
        it(`is moved at once by ${what}`, async () => {
          await server.sql(
            'CREATE TABLE IF NOT EXISTS logged (id int); CREATE UNLOGGED TABLE IF NOT EXISTS unlogged (id int)',
          );
          const previous = await token('logged', { strategy: 'log' });
          const client = await server.client();
          for (const statement of statements) await client.query(statement);
          const seen = await verdict('logged', previous, { strategy: 'log' });
          await client.end();
          assert.equal(seen.verdict, 'unknown');
          assert.match(seen.reason, /snapshot/);
        });
      }

      it('shows each of several open transactions as it ends, in whatever order', async () => {
        await server.sql('CREATE TABLE many (id int)');
        const clients = await Promise.all([1, 2, 3].map(() => server.client()));
        for (const client of clients) await client.query('BEGIN; INSERT INTO many VALUES (1)');
        let previous = await token('many', { strategy: 'log' });
        await stays('many', previous, { strategy: 'log' });
        for (const at of [1, 2, 0]) {
          await clients[at]?.query(at === 2 ? 'ROLLBACK' : 'COMMIT');
          const seen = await verdict('many', previous, { strategy: 'log' });
          assert.equal(seen.verdict, 'unknown', `transaction ${at}`);
          previous = await token('many', { strategy: 'log' });
          await stays('many', previous, { strategy: 'log' });
        }
        await Promise.all(clients.map((client) => client.end()));
      });
    });

    describe('counters that come late', () => {
      it('are waited for where a skip would rest on them, and only there', async () => {
        await make('slow', 'TABLE slow (id int)');
        await make('noise', 'TABLE noise (id int)');
        const waits: number[] = [];
        const patient = server.source({
          wait: (milliseconds) => {
            waits.push(milliseconds);
            return delay(milliseconds);
          },
        });
        const table = await tableOf(patient, 'public.slow');
        const ask = async (previous?: TableToken, settleMarginMs = 12_000) => {
          const request = { table, strategy: 'auto', settleMarginMs } as const;
          const tokens = await patient.readTokens([
            previous === undefined ? request : { ...request, previous },
          ]);
          return tokens.get(table.id)!;
        };
        const first = await ask();
        await ask(first);
        assert.deepEqual(waits, [], 'the log vouches for the table');

        const writer = await server.client();
        await writer.query('INSERT INTO noise VALUES (1)');
        await writer.query('INSERT INTO slow VALUES (11)');
        const current = await ask(first);
        const seen = decide({ previous: first, current, strategy: 'auto', maxSkipAgeMs: DAY });
        if (version >= 15) assert.equal(seen.verdict, 'changed', seen.reason);
        assert.ok(waits.every((milliseconds) => milliseconds <= 12_000));

        waits.length = 0;
        await writer.query('INSERT INTO slow VALUES (12)');
        await ask(first, 0);
        assert.deepEqual(waits, [], 'a margin of 0 means no wait');
        await writer.end();
      });

      it('are not waited for once every other session has been quiet long enough', async () => {
        const lonely = await startServer({ version, settings: SETTINGS });
        try {
          await lonely.sql('CREATE TABLE alone (id int); CREATE TABLE other (id int)');
          const waits: number[] = [];
          const patient = lonely.source({
            wait: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
          });
          const table = await tableOf(patient, 'public.alone');
          const request = { table, strategy: 'auto', settleMarginMs: 5_000 } as const;
          const previous = (await patient.readTokens([request])).get(table.id)!;
          const client = await lonely.client();
          await client.query('INSERT INTO other VALUES (1)');
          await patient.readTokens([{ ...request, previous }]);
          assert.equal(waits.length, 1);
          assert.ok(waits[0]! > 0 && waits[0]! <= 5_000);
          await eventually(
            async () => {
              waits.length = 0;
              await patient.readTokens([{ ...request, previous }]);
              assert.deepEqual(waits, []);
            },
            version >= 15 ? 15_000 : 5_000,
          );
          await client.end();
        } finally {
          await lonely.stop();
        }
      });
    });

    describe('cursor', () => {
      const cursor = { column: 'id', lookBack: 0 };
      const asked = { strategy: 'cursor', cursor } as const;

      it('sees a new maximum and another count, and says what it is blind to', async () => {
        await make('counted', 'TABLE counted (id int)');
        const previous = await token('counted', asked);
        await stays('counted', previous, asked);
        await change('UPDATE counted SET id = id WHERE id = 3');
        await stays('counted', previous, asked);
        await change('DELETE FROM counted WHERE id = 3');
        await detects('counted', previous, /count 10 → 9/, asked);
        await change('INSERT INTO counted VALUES (50)');
        await detects('counted', previous, /maximum 10 → 50/, asked);
      });

      it('does not move by rows that the filter leaves out', async () => {
        await make('filtered', 'TABLE filtered (id int)');
        const filtered = { ...asked, where: 'id < 5' };
        const previous = await token('filtered', filtered);
        await change('INSERT INTO filtered VALUES (70)');
        await stays('filtered', previous, filtered);
      });

      it('is not believed over nothing but NULL, over infinity, or without a column', async () => {
        await change(
          'CREATE TABLE hollow (id int, at timestamp)',
          'INSERT INTO hollow VALUES (NULL, NULL)',
        );
        const because = async (reason: RegExp, changes: Asked) => {
          const seen = await verdict('hollow', await token('hollow', changes), changes);
          assert.equal(seen.verdict, 'unknown');
          assert.match(seen.reason, reason);
        };
        await because(/holds only NULL/, asked);
        await because(/no cursor column/, { strategy: 'cursor' });
        await because(/no column nowhere/, {
          strategy: 'cursor',
          cursor: { column: 'nowhere', lookBack: 0 },
        });
        await because(/filter "oops"/, { ...asked, where: 'oops' });
        await change(`INSERT INTO hollow VALUES (1, 'infinity')`);
        await because(/reaches infinity/, {
          strategy: 'cursor',
          cursor: { column: 'at', lookBack: 0 },
        });
        await change('TRUNCATE hollow');
        await stays('hollow', await token('hollow', asked), asked);
      });
    });

    describe('checksum', () => {
      const asked = { strategy: 'checksum' } as const;

      it('sees any value of any row, and no order', async () => {
        await change(
          'CREATE TABLE summed (id int, v text, f float8)',
          `INSERT INTO summed VALUES (1, 'a', 0.1), (2, NULL, 0.2), (3, '', NULL), (3, '', NULL)`,
        );
        const previous = await token('summed', asked);
        await change(
          'CREATE TABLE shuffled AS SELECT * FROM summed ORDER BY id DESC',
          'TRUNCATE summed',
          'INSERT INTO summed SELECT * FROM shuffled',
        );
        await stays('summed', previous, asked);
        for (const statement of [
          `UPDATE summed SET v = '' WHERE id = 2`,
          `UPDATE summed SET v = CASE id WHEN 1 THEN NULL ELSE 'a' END WHERE id < 3`,
          'UPDATE summed SET f = 0.1 + 1e-17 * 3 WHERE id = 1',
          'INSERT INTO summed VALUES (9, NULL, NULL)',
          `DELETE FROM summed WHERE id = 1`,
        ]) {
          const before = await token('summed', asked);
          await stays('summed', before, asked);
          await change(statement);
          await detects('summed', before, /checksum/, asked);
        }
      });

      it('holds for a view, with a filter, and for another role’s settings', async () => {
        await change(
          'CREATE TABLE dated (id int, at timestamptz, comporta_row int)',
          `INSERT INTO dated VALUES (1, '2026-01-01 00:00+00', 1)`,
          'CREATE VIEW viewed AS SELECT * FROM dated',
        );
        const filtered = { ...asked, where: 'id = 1' };
        const previous = await token('viewed', filtered);
        await server.sql(`ALTER ROLE ${server.service.user} SET timezone = 'Asia/Tokyo'`);
        await server.sql(`ALTER ROLE ${server.service.user} SET datestyle = 'German'`);
        await stays('viewed', previous, filtered);
        await server.sql(`ALTER ROLE ${server.service.user} RESET ALL`);
        await change('INSERT INTO dated VALUES (2)');
        await stays('viewed', previous, filtered);
        await change('UPDATE dated SET comporta_row = 2 WHERE id = 1');
        await detects('viewed', previous, /checksum/, filtered);
      });

      it('is not believed where the table may not be read', async () => {
        await change(
          'CREATE TABLE closed (id int)',
          `CREATE ROLE stranger LOGIN PASSWORD '${server.service.password}'`,
        );
        const stranger = server.source({ user: 'stranger' });
        const table = await tableOf(stranger, 'public.closed');
        const tokens = await stranger.readTokens([
          { table, strategy: 'checksum', settleMarginMs: 0 },
        ]);
        const [evidence] = tokens.get(table.id)?.evidence ?? [];
        assert.match(
          evidence?.distrust ?? '',
          /permission denied.*GRANT SELECT ON "public"."closed" TO "stranger"/,
        );
        const counted = await stranger.readTokens([{ table, strategy: 'auto', settleMarginMs: 0 }]);
        assert.deepEqual(
          counted.get(table.id)?.evidence.map(({ distrust }) => distrust),
          [undefined, undefined],
        );
      });
    });

    describe('ten thousand tables', () => {
      it('are read in a handful of statements', async function () {
        this.timeout(180_000);
        const crowded = await startServer({
          version,
          settings: { ...SETTINGS, max_locks_per_transaction: '2000' },
        });
        try {
          for (let i = 0; i < 10; i++) {
            await crowded.sql(`DO $$ BEGIN FOR i IN ${i * 1000} .. ${i * 1000 + 999} LOOP
              EXECUTE format('CREATE TABLE t%s (id int, a text, b date)', i); END LOOP; END $$`);
          }
          const from = crowded.source();
          const tables = await from.listTables();
          assert.equal(tables.length, 10_000);
          const { mock: statements } = mock.method(Client.prototype, 'query');
          const begun = performance.now();
          const tokens = await from.readTokens(
            tables.map((table) => ({ table, strategy: 'auto', settleMarginMs: 5_000 })),
          );
          const took = performance.now() - begun;
          assert.equal(tokens.size, 10_000);
          assert.ok(
            [...tokens.values()].every(({ evidence }) =>
              evidence.every(({ distrust }) => distrust === undefined),
            ),
          );
          assert.ok(statements.callCount() <= 7, `${statements.callCount()} statements`);
          assert.ok(took < 8_000, `${Math.round(took)} ms`);
        } finally {
          mock.restoreAll();
          await crowded.stop();
        }
      });
    });

    describe('a server that stops', () => {
      const PERSISTENT = 'TABLE lasting (id int)';
      beforeEach(async () => {
        await change('DROP TABLE IF EXISTS lasting, fleeting');
        await make('lasting', PERSISTENT);
        await make('fleeting', 'UNLOGGED TABLE fleeting (id int)');
      });
      const restarted = async (table: string, previous: TableToken) => {
        for (const strategy of ['log', 'token', 'auto'] as const) {
          const seen = await verdict(table, previous, { strategy });
          assert.equal(seen.verdict, 'unknown', `${strategy}: ${seen.reason}`);
          assert.match(seen.reason, /another server or a restart/);
        }
      };

      it('and starts in order is another one', async () => {
        const previous = await token('lasting');
        await change('UPDATE lasting SET id = 0 WHERE id = 1');
        await server.service.restart();
        await restarted('lasting', previous);
      });

      it('without warning forgets its counters', async () => {
        const previous = await token('lasting');
        await change('DELETE FROM lasting WHERE id = 1');
        await server.service.kill9();
        await server.service.restart();
        await restarted('lasting', previous);
      });

      it('for a killed process, keeping its start time, its log and its stats_reset, is found out', async () => {
        // Counters at 0 as after any crash, so that the next crash brings the same ones back.
        const keptSince = () => server.sql('SELECT pg_stat_get_bgwriter_stat_reset_time()');
        const crash = async () => {
          const before = await keptSince();
          const victim = await server.client();
          const [row] = (await victim.query<{ pid: string }>('SELECT pg_backend_pid() AS pid'))
            .rows;
          const ended = new Promise((resolve) => victim.once('end', resolve));
          process.kill(Number(row?.pid), 'SIGKILL');
          await ended;
          // The others live on for a moment; the statistics begin anew when all are gone.
          await eventually(async () => assert.notDeepEqual(await keptSince(), before));
        };
        await crash();
        const [lasting, fleeting] = [await token('lasting'), await token('fleeting')];
        await change('INSERT INTO fleeting VALUES (1)', 'INSERT INTO lasting VALUES (11)');
        const [before] = await server.sql('SELECT pg_postmaster_start_time()');
        const lateFleeting = await token('fleeting');
        await crash();
        const [after] = await server.sql('SELECT pg_postmaster_start_time()');
        assert.deepEqual(after, before);
        assert.deepEqual(await server.sql('SELECT count(*) FROM fleeting'), [['0']]);
        const now = await token('fleeting');
        assert.deepEqual(
          now.evidence[0]?.values,
          lateFleeting.evidence[0]?.values,
          'the log did not move',
        );
        await restarted('fleeting', lateFleeting);
        await restarted('fleeting', fleeting);
        await restarted('lasting', lasting);
      });

      it('and comes back as a replica is not trusted', async () => {
        const previous = await token('lasting');
        const table = await tableOf(source, 'public.lasting');
        await writeFile(join(server.service.directory, 'data', 'standby.signal'), '', {
          mode: 0o666,
        });
        await server.service.restart();
        const tokens = await source.readTokens([{ table, strategy: 'auto', settleMarginMs: 0 }]);
        const current = tokens.get(table.id)!;
        assert.ok(current.evidence.every(({ distrust }) => /replica/.test(distrust ?? '')));
        const findings = await source.check([table]);
        assert.match(findings.map(({ problem }) => problem).join(), /replica/);
        assert.equal((await readTable(source, table.id)).rows.length, 10);
        for (const before of [previous, current]) {
          const seen = decide({ previous: before, current, strategy: 'auto', maxSkipAgeMs: DAY });
          assert.equal(seen.verdict, 'unknown');
        }
        // Its content can still be compared with what was loaded from it.
        const sum = { table, strategy: 'checksum', settleMarginMs: 0 } as const;
        const loaded = (await source.readTokens([sum])).get(table.id)!;
        const again = (await source.readTokens([sum])).get(table.id)!;
        const seen = decide({
          previous: loaded,
          current: again,
          strategy: 'checksum',
          maxSkipAgeMs: DAY,
        });
        assert.equal(seen.verdict, 'unchanged', seen.reason);
        await server.sql('SELECT pg_promote()');
        await eventually(async () => {
          assert.deepEqual(await server.sql('SELECT pg_is_in_recovery()'), [['f']]);
        });
        const promoted = await verdict('lasting', current, { strategy: 'auto' });
        assert.equal(promoted.verdict, 'unknown', promoted.reason);
      });
    });
  });
}
