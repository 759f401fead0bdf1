import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../scripts/services/certificates';
import type { Source } from '../../src/sources/source';
import { canonical } from '../support/columns';
import { fails } from '../sources/postgres/fails';
import { readTable, tableOf } from '../sources/postgres/reading';
import { startServer, type TestServer } from '../sources/postgres/server';
import { noSourceSessions } from '../sources/postgres/sessions';
import { FULL_LOAD } from '../support/table-settings';

const never = new AbortController().signal;
const ROWS = 120_000;

describe('the way of the bytes from PostgreSQL', () => {
  let server: TestServer;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'comporta-wire-'));
    server = await startServer({ version: 17, tls: await makeCertificates(directory) });
    await server.sql(`
      CREATE TABLE mixed AS SELECT i AS id, CASE WHEN i % 7 > 0 THEN i * 1.25 END::numeric(18,4) AS amount,
        (i * 10000000000000000.5)::numeric(38,3) AS wide, CASE WHEN i % 3 > 0 THEN repeat('é', i % 50) END AS note,
        timestamptz '1999-12-31 23:59:59.999999+00' + i * interval '1 minute' AS at, date '1999-12-01' + i % 60 AS day
      FROM generate_series(1, ${ROWS}) AS i;
      CREATE TABLE large (id int, v bytea);
      ALTER TABLE large ALTER v SET STORAGE EXTERNAL;
      INSERT INTO large SELECT i, decode(repeat(to_hex(16 + i), size), 'hex')
      FROM unnest(ARRAY[1, 30000000, 0, 524288, 524270, 5, 3000000]) WITH ORDINALITY AS u (size, i);
      CREATE VIEW breaks AS SELECT 1 / (30000 - i) AS v FROM (SELECT generate_series(1, 60000) AS i) AS s`);
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const encrypted = () =>
    server.source({ connection: { host: 'localhost', tls: { mode: 'require' } } });
  const ways: Readonly<Record<string, () => Source>> = {
    'without TLS': () => server.source(),
    'through TLS': encrypted,
  };
  for (const [way, source] of Object.entries(ways)) {
    it(`brings every value ${way}`, async () => {
      const { rows, count } = await readTable(source(), 'public.mixed');
      assert.equal(count, ROWS);
      const sorted = [...rows].sort(([a], [b]) => Number(a) - Number(b));
      const start = BigInt(Date.parse('2000-01-01')) * 1000n - 1n;
      const day = Date.parse('1999-12-01') / 86_400_000;
      sorted.forEach((row, at) => {
        const i = at + 1;
        const expected = [
          i,
          i % 7 > 0 ? BigInt(i) * 12_500n : null,
          BigInt(i) * 10_000_000_000_000_000_500n,
          i % 3 > 0 ? 'é'.repeat(i % 50) : null,
          start + BigInt(i) * 60_000_000n,
          day + (i % 60),
        ];
        // Most rows are like their neighbours; deepEqual of each is what takes the time here.
        if (String(row) !== String(expected)) {
          assert.deepEqual(row.map(canonical), expected.map(canonical));
        }
      });
    });

    it(`brings rows of megabytes among small ones ${way}`, async () => {
      const { rows } = await readTable(source(), 'public.large');
      assert.deepEqual(
        rows.map(([id, value]) => {
          assert.ok(Buffer.isBuffer(value));
          const byte = 16 + Number(id);
          assert.ok(value.equals(Buffer.alloc(value.length, byte)));
          return value.length;
        }),
        [1, 30_000_000, 0, 524_288, 524_270, 5, 3_000_000],
      );
    });

    it(`leaves a session that answers what is asked next ${way}`, async () => {
      const opened = source();
      const snapshot = await opened.openSnapshot(await tableOf(opened, 'public.mixed'), never);
      for (let round = 0; round < 2; round++) {
        const statistics = { rows: 0, invalidValues: 0 };
        for await (const batch of snapshot.read(FULL_LOAD, {}, statistics))
          assert.ok(batch.rows > 0);
        assert.equal(statistics.rows, ROWS);
        assert.equal(await snapshot.count({}), ROWS);
        assert.equal(await snapshot.maximum('id', {}), String(ROWS));
      }
      await snapshot.close();
    });

    it(`tells what the server says in the midst of the rows ${way}`, async () => {
      await assert.rejects(
        readTable(source(), 'public.breaks'),
        fails('SourceRejected', /division by zero/),
      );
      await noSourceSessions(server);
    });

    it(`is left early, also by a reader that takes its time ${way}`, async () => {
      const opened = source();
      const snapshot = await opened.openSnapshot(await tableOf(opened, 'public.mixed'), never);
      const statistics = { rows: 0, invalidValues: 0 };
      for await (const batch of snapshot.read(FULL_LOAD, {}, statistics)) {
        assert.ok(batch.rows > 0);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (statistics.rows > 10_000) break;
      }
      await snapshot.close();
      await noSourceSessions(server);
    });
  }
});
