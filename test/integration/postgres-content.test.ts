import assert from 'node:assert/strict';
import { createObserver, type Asked } from '../sources/postgres/observer';
import { tableOf } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';

for (const version of VERSIONS) {
  describe(`evidence from the rows of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let observer: ReturnType<typeof createObserver>;

    before(async () => {
      server = await sharedServer(version);
      observer = createObserver(server);
    });
    after(() => server.stop());

    describe('cursor', () => {
      const cursor = { column: 'id', lookBack: 0 };
      const asked = { strategy: 'cursor', cursor } as const;

      it('sees a new maximum and another count, and says what it is blind to', async () => {
        await observer.make('counted', 'TABLE counted (id int)');
        const previous = await observer.token('counted', asked);
        await observer.stays('counted', previous, asked);
        await observer.change('UPDATE counted SET id = id WHERE id = 3');
        await observer.stays('counted', previous, asked);
        await observer.change('DELETE FROM counted WHERE id = 3');
        await observer.detects('counted', previous, /count 10 → 9/, asked);
        await observer.change('INSERT INTO counted VALUES (50)');
        await observer.detects('counted', previous, /maximum 10 → 50/, asked);
      });

      it('does not move by rows that the filter leaves out', async () => {
        await observer.make('filtered', 'TABLE filtered (id int)');
        const filtered = { ...asked, where: 'id < 5' };
        const previous = await observer.token('filtered', filtered);
        await observer.change('INSERT INTO filtered VALUES (70)');
        await observer.stays('filtered', previous, filtered);
      });

      it('is not believed over nothing but NULL, over infinity, or without a column', async () => {
        await observer.change(
          'CREATE TABLE hollow (id int, at timestamp)',
          'INSERT INTO hollow VALUES (NULL, NULL)',
        );
        const because = async (reason: RegExp, changes: Asked) => {
          const seen = await observer.verdict(
            'hollow',
            await observer.token('hollow', changes),
            changes,
          );
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
        await observer.change(`INSERT INTO hollow VALUES (1, 'infinity')`);
        await because(/reaches infinity/, {
          strategy: 'cursor',
          cursor: { column: 'at', lookBack: 0 },
        });
        await observer.change('TRUNCATE hollow');
        await observer.stays('hollow', await observer.token('hollow', asked), asked);
      });
    });

    describe('checksum', () => {
      const asked = { strategy: 'checksum' } as const;

      it('sees any value of any row, and no order', async () => {
        await observer.change(
          'CREATE TABLE summed (id int, v text, f float8)',
          `INSERT INTO summed VALUES (1, 'a', 0.1), (2, NULL, 0.2), (3, '', NULL), (3, '', NULL)`,
        );
        const previous = await observer.token('summed', asked);
        await observer.change(
          'CREATE TABLE shuffled AS SELECT * FROM summed ORDER BY id DESC',
          'TRUNCATE summed',
          'INSERT INTO summed SELECT * FROM shuffled',
        );
        await observer.stays('summed', previous, asked);
        for (const statement of [
          `UPDATE summed SET v = '' WHERE id = 2`,
          `UPDATE summed SET v = CASE id WHEN 1 THEN NULL ELSE 'a' END WHERE id < 3`,
          'UPDATE summed SET f = 0.1 + 1e-17 * 3 WHERE id = 1',
          'INSERT INTO summed VALUES (9, NULL, NULL)',
          `DELETE FROM summed WHERE id = 1`,
        ]) {
          const before = await observer.token('summed', asked);
          await observer.stays('summed', before, asked);
          await observer.change(statement);
          await observer.detects('summed', before, /checksum/, asked);
        }
      });

      it('holds for a view, with a filter, and for another role’s settings', async () => {
        await observer.change(
          'CREATE TABLE dated (id int, at timestamptz, comporta_row int)',
          `INSERT INTO dated VALUES (1, '2026-01-01 00:00+00', 1)`,
          'CREATE VIEW viewed AS SELECT * FROM dated',
        );
        const filtered = { ...asked, where: 'id = 1' };
        const previous = await observer.token('viewed', filtered);
        await server.sql(`ALTER ROLE ${server.service.user} SET timezone = 'Asia/Tokyo'`);
        await server.sql(`ALTER ROLE ${server.service.user} SET datestyle = 'German'`);
        await observer.stays('viewed', previous, filtered);
        await server.sql(`ALTER ROLE ${server.service.user} RESET ALL`);
        await observer.change('INSERT INTO dated VALUES (2)');
        await observer.stays('viewed', previous, filtered);
        await observer.change('UPDATE dated SET comporta_row = 2 WHERE id = 1');
        await observer.detects('viewed', previous, /checksum/, filtered);
      });

      it('is not believed where the table may not be read', async () => {
        await observer.change(
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
  });
}
