import assert from 'node:assert/strict';
import type { PostgresColumn, PostgresDescription } from '../../../src/sources/postgres/describe';
import { planColumns, type ReadSettings } from '../../../src/sources/postgres/plan';
import {
  POSTGRES_TYPES,
  postgresTypeOf,
  type ColumnType,
} from '../../../src/sources/postgres/types';
import { typeName } from '../../../src/types/logical';

const SETTINGS: ReadSettings = {
  excludeColumns: [],
  textColumns: [],
  masks: {},
  invalidDates: 'null',
};

function column(name: string, type: Partial<ColumnType>): PostgresColumn {
  return {
    name,
    sourceType: type.name ?? 'text',
    nullable: false,
    type: {
      name: 'text',
      kind: 'base',
      builtIn: true,
      schema: 'pg_catalog',
      modifier: -1,
      ...type,
    },
    outputFunction: `"pg_catalog"."${type.name ?? 'text'}out"`,
    castName: type.name ?? 'text',
  };
}

function plan(columns: readonly PostgresColumn[], settings: Partial<ReadSettings> = {}) {
  const description: PostgresDescription = {
    table: { id: 'public.t', schema: 'public', name: 't', kind: 'table' },
    oid: '1',
    columns,
    primaryKey: [],
  };
  return planColumns(description, { ...SETTINGS, ...settings });
}

describe('the plan of a PostgreSQL table', () => {
  it('reads PostGIS as WKB, from the schema that the extension lives in', () => {
    const postgis = { schema: 'gis"x', builtIn: false, extension: 'postgis' };
    const [geometry] = plan([column('where', { ...postgis, name: 'geometry' })]);
    assert.equal(geometry?.select, '"gis""x".ST_AsBinary("where")');
    assert.equal(geometry?.wire, 'bytes');
    assert.equal(geometry?.spec.type.kind, 'wkb');
    assert.throws(() => plan([column('r', { ...postgis, name: 'raster' })]), /no faithful type/);
    assert.throws(
      () => plan([column('g', { name: 'geometry', builtIn: false, schema: 'public' })]),
      /no faithful type/,
    );
  });

  it('makes place for NULL where an endless date will be one', () => {
    const columns = [column('d', { name: 'date' }), column('i', { name: 'int4' })];
    const nullable = (invalidDates: ReadSettings['invalidDates']) =>
      plan(columns, { invalidDates }).map(({ spec }) => spec.nullable);
    assert.deepEqual(nullable('null'), [true, false]);
    assert.deepEqual(nullable('fail'), [false, false]);
    assert.deepEqual(nullable('text'), [false, false]);
  });

  it('prints what is masked or wanted as text, and takes text as it is', () => {
    const columns = [column('a', { name: 'text' }), column('b', { name: 'bytea' })];
    const mask = { method: 'redact', text: 'x' } as const;
    const [a, b] = plan(columns, { textColumns: ['b'], masks: { a: mask } });
    assert.deepEqual([a?.select, a?.wire, a?.mask], ['"a"', 'bytes', mask]);
    assert.equal(b?.select, 'textin("pg_catalog"."byteaout"("b"))');
    assert.equal(b?.spec.type.kind, 'text');
  });

  it('refuses a table without a column that must be masked, if that is not left out', () => {
    const masks = { tax_id: { method: 'redact', text: 'x' } } as const;
    const settings = { masks, requiredColumns: ['tax_id'] };
    assert.equal(plan([column('TAX_ID', {})], settings).length, 1);
    const renamed = [column('taxid', {})];
    assert.throws(() => plan(renamed, settings), /the masked column tax_id is not in the table/);
    assert.equal(plan(renamed, { ...settings, excludeColumns: ['Tax_id'] }).length, 1);
  });

  it('prefers the column that is spelled as the setting to one in another case', () => {
    const columns = [column('Mail', {}), column('mail', {}), column('PHONE', {})];
    const left = plan(columns, { excludeColumns: ['mail', 'phone'] });
    assert.deepEqual(
      left.map(({ spec }) => spec.name),
      ['Mail'],
    );
  });
});

describe('the table of PostgreSQL types', () => {
  it('says in words what the code makes of each type', () => {
    const samples: readonly Partial<ColumnType>[] = [
      ...['bool', 'int2', 'int4', 'int8', 'oid', 'xid8', 'numeric', 'float4', 'float8'],
      ...['money', 'text', 'char', 'bytea', 'date', 'timestamp', 'timestamptz', 'time', 'timetz'],
      ...['interval', 'uuid', 'json', 'jsonb', 'xml', 'bit', 'inet', 'point', 'tsvector'],
      ...['regclass', 'pg_lsn'],
    ].map((name) => ({ name }));
    for (const sample of samples) {
      const { type } = column('c', sample);
      const mapping = postgresTypeOf(type);
      assert.ok(mapping, sample.name);
      assert.equal(typeName(mapping.type(type)), mapping.logicalType, sample.name);
    }
  });

  it('has each row once and a text for each', () => {
    const names = POSTGRES_TYPES.map(({ sourceType }) => sourceType);
    assert.equal(new Set(names).size, names.length);
    assert.ok(POSTGRES_TYPES.every(({ logicalType }) => logicalType !== ''));
  });
});
