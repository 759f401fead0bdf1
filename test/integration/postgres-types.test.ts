import assert from 'node:assert/strict';
import { typeName } from '../../src/types/logical';
import type { Source } from '../../src/sources/source';
import { canonical } from '../support/columns';
import { readTable } from '../sources/postgres/reading';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { TYPE_CASES, TYPE_DEFINITIONS } from '../sources/postgres/type-cases';

for (const version of VERSIONS) {
  describe(`types of PostgreSQL ${version}`, () => {
    let server: TestServer;
    let source: Source;

    before(async () => {
      server = await sharedServer(version);
      await server.sql(TYPE_DEFINITIONS);
      source = server.source();
    });
    after(() => server.stop());

    const load = async (table: string, changes = {}) => {
      const read = await readTable(source, `public.${table}`, changes);
      assert.equal(read.count, read.rows.length);
      return read;
    };

    const cases = TYPE_CASES.filter(({ since = 13 }) => version >= since);
    for (const [i, { type, logical, values }] of cases.entries()) {
      it(`reads ${type} as ${logical}`, async () => {
        // A domain that is NOT NULL takes none.
        const all = type === 'fair_price' ? values : [...values, ['NULL', null] as const];
        const rows = all.map(([sql], row) => `(${row}, (${sql})::${type})`);
        await server.sql(
          `CREATE TABLE c${i} (id integer, v ${type}); INSERT INTO c${i} VALUES ${rows.join(', ')}`,
        );
        const read = await load(`c${i}`);
        assert.equal(typeName(read.columns[1]!.type), logical);
        assert.deepEqual(
          read.rows.map(([, value]) => canonical(value)),
          all.map(([, value]) => canonical(value)),
        );
        const invalid = values.filter(([, value]) => value === null).length;
        assert.equal(read.statistics.invalidValues, invalid);
      });

      it(`reads ${type} as text as psql shows it`, async () => {
        const table = `x${i}`;
        const rows = values.map(([sql]) => `((${sql})::${type})`);
        await server.sql(
          `CREATE TABLE ${table} (v ${type}); INSERT INTO ${table} VALUES ${rows.join(', ')}`,
        );
        const { columns, rows: read } = await load(table, { textColumns: ['v'] });
        assert.equal(columns[0]?.type.kind, 'text');
        const shown = await server.sql(
          `SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'; SELECT v FROM ${table}`,
        );
        assert.deepEqual(read, shown);
      });
    }

    it('covers every base type that a column can have', async () => {
      const tested = await server.sql('SELECT t::regtype::oid FROM unnest($1::text[]) AS t', [
        cases.map(({ type }) => type),
      ]);
      const known = new Set(tested.map(([oid]) => oid));
      const names = await server.sql(
        `SELECT oid, typname FROM pg_type
         WHERE typtype = 'b' AND typnamespace = 'pg_catalog'::regnamespace AND typcategory <> 'A'
           AND typname !~ '^(reg|pg_(node_tree|ndistinct|dependencies|mcv_list|brin)|gtsvector)'
         ORDER BY typname`,
      );
      const likeOthers = ['cid', 'refcursor', 'txid_snapshot', 'aclitem'];
      const missing = names.filter(
        ([oid, name]) => !known.has(oid ?? null) && !likeOthers.includes(name ?? ''),
      );
      assert.deepEqual(
        missing.map(([, name]) => name),
        [],
      );
      await server.sql(
        `CREATE TABLE others (a cid, b refcursor, c txid_snapshot, d aclitem, e oidvector, f int2vector)`,
      );
      const { columns } = await load('others');
      assert.deepEqual(
        columns.map(({ type }) => typeName(type)),
        ['uint32', 'text', 'text', 'text', 'text', 'text'],
      );
    });
  });
}
