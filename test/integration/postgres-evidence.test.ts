import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { mock } from 'node:test';
import { Client } from 'pg';
import { decide } from '../../src/detection/decide';
import type { TableToken } from '../../src/detection/detection';
import type { Source } from '../../src/sources/source';
import { createObserver, DAY } from '../sources/postgres/observer';
import { readTable, tableOf } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';

for (const version of VERSIONS) {
  describe(`evidence of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;
    let observer: ReturnType<typeof createObserver>;

    before(async () => {
      server = await sharedServer(version);
      source = server.source();
      observer = createObserver(server);
    });
    after(() => server.stop());

    describe('what is no plain table', () => {
      it('a materialized view changes when it is refreshed, in either way', async () => {
        await observer.make('origin', 'TABLE origin (id int)');
        await observer.change(
          'CREATE MATERIALIZED VIEW copy AS SELECT id FROM origin',
          'CREATE UNIQUE INDEX ON copy (id)',
        );
        await observer.change('REFRESH MATERIALIZED VIEW copy');
        await delay(1_000);
        const previous = await observer.token('copy');
        await observer.change('INSERT INTO origin VALUES (11)');
        await delay(1_000);
        await observer.stays('copy', previous);
        await observer.change('REFRESH MATERIALIZED VIEW copy');
        await observer.detects('copy', previous, /relations/);
        const next = await observer.token('copy');
        await observer.change(
          'DELETE FROM origin WHERE id = 11',
          'REFRESH MATERIALIZED VIEW CONCURRENTLY copy',
        );
        await observer.detects('copy', next, /deleted/);
      });

      it('a view is never believed, as it may read the clock', async () => {
        await observer.change('CREATE VIEW hourly AS SELECT now() AS at');
        const previous = await observer.token('hourly');
        const seen = await observer.verdict('hourly', previous, { strategy: 'auto' });
        assert.equal(seen.verdict, 'unknown');
        assert.match(seen.reason, /log.*token.*: a view can change with the clock/);
      });

      it('a foreign table is never believed, nor a table with a foreign part', async () => {
        await observer.change(
          'CREATE EXTENSION file_fdw',
          'CREATE SERVER files FOREIGN DATA WRAPPER file_fdw',
          `CREATE FOREIGN TABLE outside (id int) SERVER files OPTIONS (filename '/dev/null')`,
          'CREATE TABLE mixed (id int) PARTITION BY RANGE (id)',
          `CREATE FOREIGN TABLE mixed_far PARTITION OF mixed FOR VALUES FROM (0) TO (9) SERVER files OPTIONS (filename '/dev/null')`,
        );
        for (const table of ['outside', 'mixed']) {
          const seen = await observer.verdict(table, await observer.token(table), {
            strategy: 'auto',
          });
          assert.equal(seen.verdict, 'unknown', table);
          assert.match(seen.reason, /foreign table/);
        }
      });

      it('a filter by the clock is never believed, another one is', async () => {
        await observer.make('aging', 'TABLE aging (id int)');
        const moving = { where: `id > extract(epoch FROM now())` };
        const previous = await observer.token('aging', moving);
        const seen = await observer.verdict('aging', previous, { ...moving, strategy: 'auto' });
        assert.equal(seen.verdict, 'unknown');
        assert.match(seen.reason, /filter may pick other rows/);
        await observer.stays('aging', await observer.token('aging', { where: 'id > 3' }), {
          where: 'id > 3',
        });
      });

      it('a table that is gone spoils no other', async () => {
        await observer.make('there', 'TABLE there (id int)');
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
        await observer.make('quiet', 'TABLE quiet (id int)');
        const previous = await observer.token('quiet', { strategy: 'log' });
        await readTable(source, 'public.quiet');
        await observer.change('VACUUM quiet', 'CHECKPOINT', 'SELECT count(*) FROM quiet');
        await source.readTokens([
          { table: await tableOf(source, 'public.quiet'), strategy: 'checksum', settleMarginMs: 0 },
        ]);
        await observer.stays('quiet', previous, { strategy: 'log' });
        const seen = await observer.verdict('quiet', previous, { strategy: 'log' });
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
          const previous = await observer.token('logged', { strategy: 'log' });
          const client = await server.client();
          for (const statement of statements) await client.query(statement);
          const seen = await observer.verdict('logged', previous, { strategy: 'log' });
          await client.end();
          assert.equal(seen.verdict, 'unknown');
          assert.match(seen.reason, /snapshot/);
        });
      }

      it('shows each of several open transactions as it ends, in whatever order', async () => {
        await server.sql('CREATE TABLE many (id int)');
        const clients = await Promise.all([1, 2, 3].map(() => server.client()));
        for (const client of clients) await client.query('BEGIN; INSERT INTO many VALUES (1)');
        let previous = await observer.token('many', { strategy: 'log' });
        await observer.stays('many', previous, { strategy: 'log' });
        for (const at of [1, 2, 0]) {
          await clients[at]?.query(at === 2 ? 'ROLLBACK' : 'COMMIT');
          const seen = await observer.verdict('many', previous, { strategy: 'log' });
          assert.equal(seen.verdict, 'unknown', `transaction ${at}`);
          previous = await observer.token('many', { strategy: 'log' });
          await observer.stays('many', previous, { strategy: 'log' });
        }
        await Promise.all(clients.map((client) => client.end()));
      });
    });

    describe('counters that come late', () => {
      it('are waited for where a skip would rest on them, and only there', async () => {
        await observer.make('slow', 'TABLE slow (id int)');
        await observer.make('noise', 'TABLE noise (id int)');
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
        const lonely = await sharedServer(version);
        try {
          await lonely.sql('CREATE TABLE alone (id int); CREATE TABLE other (id int)');
          const waits: number[] = [];
          const patient = lonely.source({
            wait: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
          });
          const table = await tableOf(patient, 'public.alone');
          const request = { table, strategy: 'auto', settleMarginMs: 5_000 } as const;
          const client = await lonely.client();
          let previous: TableToken | undefined;
          const askAgain = async () => {
            waits.length = 0;
            await patient.readTokens([{ ...request, previous: previous! }]);
            return waits;
          };
          // Once counts that a new server still has to tell are told.
          await eventually(async () => {
            previous = (await patient.readTokens([request])).get(table.id);
            await client.query('INSERT INTO other VALUES (1)');
            // Not quiet however slow this machine is: a transaction is open.
            await client.query('BEGIN');
            const [wait = 0, ...more] = await askAgain();
            await client.query('COMMIT');
            assert.ok(wait > 0 && wait <= 5_000, `${wait}`);
            assert.deepEqual(more, []);
          });
          await eventually(async () => assert.deepEqual(await askAgain(), []));
          await client.end();
        } finally {
          await lonely.stop();
        }
      });
    });

    describe('ten thousand tables', () => {
      it('are read in a handful of statements', async function () {
        this.timeout(180_000);
        const crowded = await sharedServer(version);
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
  });
}
