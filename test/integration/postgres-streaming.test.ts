import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { WINDOW_BYTES } from '../../src/sources/postgres/copy/receive-buffer';
import type { Source } from '../../src/sources/source';
import { fails } from '../sources/postgres/fails';
import { readTable, tableOf } from '../sources/postgres/reading';
import { startServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { noSourceSessions, sourceSessions } from '../sources/postgres/sessions';
import { eventually } from '../support/eventually';
import { FULL_LOAD } from '../support/table-settings';

const never = new AbortController().signal;

for (const version of VERSIONS) {
  describe(`streaming from PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await startServer({ version });
      source = server.source();
    });
    after(() => server.stop());

    describe('large tables', () => {
      it('come in batches of bounded rows', async () => {
        await server.sql(
          `CREATE TABLE long AS SELECT i AS id, 'x' || i AS v FROM generate_series(1, 200001) AS i`,
        );
        const { rows, batches, statistics } = await readTable(source, 'public.long');
        assert.equal(rows.length, 200_001);
        assert.ok(batches > 1, 'a table larger than a piece comes in several');
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
        for await (const batch of snapshot.read(FULL_LOAD, {}, statistics)) {
          assert.ok(batch.byteLength < WINDOW_BYTES + 2 * blob.length);
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
        for await (const batch of snapshot.read(FULL_LOAD, {}, statistics)) {
          assert.ok(batch.byteLength <= WINDOW_BYTES);
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
        return { snapshot, rows: snapshot.read(FULL_LOAD, {}, statistics)[Symbol.asyncIterator]() };
      };

      it('a reader that stops: the server is told and forgets', async () => {
        const { snapshot, rows } = await open('public.forever');
        await rows.next();
        await rows.return?.();
        await snapshot.close();
        await noSourceSessions(server);
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
        await noSourceSessions(server);
      });

      it('the signal, while the server sends nothing for ten minutes', async () => {
        const stop = new AbortController();
        const { snapshot, rows } = await open('public.asleep', stop.signal);
        const reading = rows.next();
        await eventually(async () => assert.equal(await sourceSessions(server), 1));
        stop.abort();
        await assert.rejects(reading, fails('SourceInterrupted', /cancelled/));
        await snapshot.close();
        await noSourceSessions(server);
      });

      it('the signal, while it counts', async () => {
        const stop = new AbortController();
        const { snapshot } = await open('public.forever', stop.signal);
        const counting = snapshot.count({});
        setTimeout(() => stop.abort(), 100);
        await assert.rejects(counting, fails('SourceInterrupted', /cancelled/));
        await assert.rejects(snapshot.count({}), fails('SourceInterrupted', /cancelled/));
        await snapshot.close();
        await noSourceSessions(server);
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
          await noSourceSessions(server);
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
        await noSourceSessions(server);
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
        await noSourceSessions(server);
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
