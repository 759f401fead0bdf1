import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Source } from '../../src/sources/source';
import { canonical } from '../support/columns';
import { fails } from '../sources/postgres/fails';
import { dateLiteral, timeLiteral, timestampLiteral } from '../sources/postgres/literals';
import { readTable } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';

for (const version of VERSIONS) {
  describe(`values of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await sharedServer(version);
      source = server.source();
    });
    after(() => server.stop());

    const load = async (table: string, changes = {}) => {
      const read = await readTable(source, `public.${table}`, changes);
      assert.equal(read.count, read.rows.length);
      return read;
    };

    describe('random values', () => {
      /** SQL text of a value and what must come of it. */
      interface Sample {
        readonly text: string;
        readonly expected: unknown;
      }
      const far = 9_223_372_036_854_775_807n;
      const oldest = -210_866_803_200_000_000n;
      const decimal = (precision: number, scale: number) => {
        const bound = 10n ** BigInt(precision) - 1n;
        return fc
          .oneof(fc.bigInt({ min: -bound, max: bound }), fc.bigInt({ min: -99n, max: 99n }))
          .map((unscaled): Sample => {
            const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
            const at = digits.length - scale;
            const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, at)}.${digits.slice(at)}`;
            return { text, expected: unscaled };
          });
      };
      const clean = fc
        .string({ unit: 'binary', maxLength: 30 })
        .map((text) => text.replaceAll('\0', ''));
      const timestamps = fc.oneof(
        fc.bigInt({ min: oldest, max: far }),
        fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
      );
      const printed = (text: string, expected: unknown): Sample => ({ text, expected });
      const RANDOM: Readonly<Record<string, fc.Arbitrary<Sample>>> = {
        boolean: fc.boolean().map((value) => printed(String(value), value)),
        smallint: fc.integer({ min: -32768, max: 32767 }).map((v) => printed(String(v), v)),
        integer: fc.integer().map((v) => printed(String(v), v)),
        bigint: fc
          .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
          .map((v) => printed(String(v), v)),
        'numeric(5,2)': decimal(5, 2),
        'numeric(16,7)': decimal(16, 7),
        'numeric(18,4)': decimal(18, 4),
        'numeric(38,12)': decimal(38, 12),
        real: fc.float().map((v) => printed(Object.is(v, -0) ? '-0' : String(v), v)),
        'double precision': fc.double().map((v) => printed(Object.is(v, -0) ? '-0' : String(v), v)),
        text: clean.map((v) => printed(v, v)),
        json: fc
          .json({ stringUnit: 'grapheme' })
          .filter((v) => !v.includes('\\u0000'))
          .map((v) => printed(v, v)),
        bytea: fc
          .uint8Array({ maxLength: 40 })
          .map((v) => printed(`\\x${Buffer.from(v).toString('hex')}`, Buffer.from(v))),
        uuid: fc
          .uint8Array({ minLength: 16, maxLength: 16 })
          .map((v) => printed(Buffer.from(v).toString('hex'), Buffer.from(v))),
        date: fc
          .oneof(
            fc.integer({ min: -2_440_588, max: 2_145_042_905 }),
            fc.integer({ min: -800_000, max: 3_000_000 }),
          )
          .map((v) => printed(dateLiteral(v), v)),
        timestamp: timestamps.map((v) => printed(timestampLiteral(v), v)),
        timestamptz: timestamps.map((v) =>
          printed(timestampLiteral(v).replace(/(\.\d{6})/, '$1+00'), v),
        ),
        time: fc.bigInt({ min: 0n, max: 86_400_000_000n }).map((v) => printed(timeLiteral(v), v)),
      };
      for (const [type, samples] of Object.entries(RANDOM)) {
        it(`of ${type} arrive as they were`, async () => {
          await server.sql(`CREATE TABLE IF NOT EXISTS "random ${type}" (id integer, v ${type})`);
          await fc.assert(
            fc.asyncProperty(
              fc.array(fc.option(samples, { freq: 10 }), { minLength: 1, maxLength: 300 }),
              async (rows) => {
                await server.sql(`TRUNCATE "random ${type}"`);
                await server.sql(
                  `INSERT INTO "random ${type}"
                   SELECT i, v::${type} FROM unnest($1::text[]) WITH ORDINALITY AS u (v, i)`,
                  [rows.map((row) => row?.text ?? null)],
                );
                const read = await load(`random ${type}`);
                assert.deepEqual(
                  read.rows.map(([, value]) => canonical(value)),
                  rows.map((row) => canonical(row?.expected ?? null)),
                );
              },
            ),
            { seed: 3, numRuns: 15 },
          );
        });
      }
    });

    describe('what has no faithful value', () => {
      before(() =>
        server.sql(`
          CREATE TABLE endless (id integer, d date NOT NULL, t timestamp, z timestamptz NOT NULL);
          INSERT INTO endless VALUES (1, 'infinity', '294276-12-31', '-infinity'),
            (2, '2026-01-02', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05+05');
          CREATE TABLE nan (id integer, v numeric(8,2));
          INSERT INTO nan VALUES (1, 1), (2, 'NaN')`),
      );

      it('counts endless dates and makes them NULL, in a NOT NULL column too', async () => {
        const { rows, columns, statistics } = await load('endless');
        assert.deepEqual(rows[0], [1, null, null, null]);
        assert.ok(columns.slice(1).every(({ nullable }) => nullable));
        assert.equal(statistics.invalidValues, 3);
      });

      it('keeps them as text', async () => {
        const { rows, statistics } = await load('endless', { invalidDates: 'text' });
        assert.deepEqual(rows, [
          [1, 'infinity', '294276-12-31 00:00:00', '-infinity'],
          [2, '2026-01-02', '2026-01-02 03:04:05.678901', '2026-01-01 22:04:05+00'],
        ]);
        assert.equal(statistics.invalidValues, 0);
      });

      it('fails for them, naming the column', () =>
        assert.rejects(
          load('endless', { invalidDates: 'fail' }),
          fails('ValueUnfaithful', /public.endless: column d \(date\) holds infinity/),
        ));

      it('fails for NaN in a decimal, naming the column and the way out', async () => {
        await assert.rejects(
          load('nan'),
          fails(
            'ValueUnfaithful',
            /column v \(numeric\(8,2\)\) holds NaN — list v under columns.text/,
          ),
        );
        const { rows } = await load('nan', { textColumns: ['v'] });
        assert.deepEqual(rows, [
          [1, '1.00'],
          [2, 'NaN'],
        ]);
      });

      it('names every column of a type that nothing is known of', async () => {
        await server.sql(`
          CREATE TYPE blob;
          CREATE FUNCTION blob_in(cstring) RETURNS blob LANGUAGE internal IMMUTABLE STRICT AS 'textin';
          CREATE FUNCTION blob_out(blob) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
          CREATE TYPE blob (input = blob_in, output = blob_out, like = text);
          CREATE TABLE odd (id integer, a blob, "b c" blob);
          INSERT INTO odd VALUES (1, 'x', 'y z')`);
        await assert.rejects(
          load('odd'),
          fails(
            'TypeUnsupported',
            /odd: no faithful type for: a \(blob\), b c \(blob\) — exclude a, b c or list them/,
          ),
        );
        const { rows } = await load('odd', { excludeColumns: ['a'], textColumns: ['b c'] });
        assert.deepEqual(rows, [[1, 'y z']]);
      });
    });
  });
}
