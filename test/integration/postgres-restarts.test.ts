import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decide } from '../../src/detection/decide';
import type { TableToken } from '../../src/detection/detection';
import type { Source } from '../../src/sources/source';
import { createObserver, DAY } from '../sources/postgres/observer';
import { readTable, tableOf } from '../sources/postgres/reading';
import { startServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { eventually } from '../support/eventually';

for (const version of VERSIONS) {
  describe(`restarts of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;
    let observer: ReturnType<typeof createObserver>;

    before(async () => {
      server = await startServer({ version, settings: { autovacuum: 'off' } });
      source = server.source();
      observer = createObserver(server);
    });
    after(() => server.stop());

    describe('a server that stops', () => {
      const PERSISTENT = 'TABLE lasting (id int)';
      beforeEach(async () => {
        await observer.change('DROP TABLE IF EXISTS lasting, fleeting');
        await observer.make('lasting', PERSISTENT);
        await observer.make('fleeting', 'UNLOGGED TABLE fleeting (id int)');
      });
      const restarted = async (table: string, previous: TableToken) => {
        for (const strategy of ['log', 'token', 'auto'] as const) {
          const seen = await observer.verdict(table, previous, { strategy });
          assert.equal(seen.verdict, 'unknown', `${strategy}: ${seen.reason}`);
          assert.match(seen.reason, /another server or a restart/);
        }
      };

      it('and starts in order is another one', async () => {
        const previous = await observer.token('lasting');
        await observer.change('UPDATE lasting SET id = 0 WHERE id = 1');
        await server.service.restart();
        await restarted('lasting', previous);
      });

      it('without warning forgets its counters', async () => {
        const previous = await observer.token('lasting');
        await observer.change('DELETE FROM lasting WHERE id = 1');
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
        const [lasting, fleeting] = [
          await observer.token('lasting'),
          await observer.token('fleeting'),
        ];
        await observer.change('INSERT INTO fleeting VALUES (1)', 'INSERT INTO lasting VALUES (11)');
        const [before] = await server.sql('SELECT pg_postmaster_start_time()');
        const lateFleeting = await observer.token('fleeting');
        await crash();
        const [after] = await server.sql('SELECT pg_postmaster_start_time()');
        assert.deepEqual(after, before);
        assert.deepEqual(await server.sql('SELECT count(*) FROM fleeting'), [['0']]);
        const now = await observer.token('fleeting');
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
        const previous = await observer.token('lasting');
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
        const promoted = await observer.verdict('lasting', current, { strategy: 'auto' });
        assert.equal(promoted.verdict, 'unknown', promoted.reason);
      });
    });
  });
}
