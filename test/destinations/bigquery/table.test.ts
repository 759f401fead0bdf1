import assert from 'node:assert/strict';
import {
  assertTable,
  sameColumns,
  tableName,
  tableShape,
} from '../../../src/destinations/bigquery/table';
import { bigqueryType } from '../../../src/destinations/bigquery/types';
import { ComportaError } from '../../../src/errors';
import { entityOf } from '../../../src/pipeline/entity';
import type { BigqueryTableSettings } from '../../../src/pipeline/pipeline';
import type { ColumnSpec, LogicalType } from '../../../src/types/logical';
import { column } from '../../support/columns';

const id = column('id', { kind: 'int', bits: 64, signed: true });
const day = column('day', { kind: 'date' });
const at = column('at', { kind: 'timestamp', utc: true });
const data = column('data', { kind: 'json' });

describe('a table of BigQuery', () => {
  it('has a name that it takes, whatever the source calls it', () => {
    assert.equal(tableName('', 'orders'), 'orders');
    assert.equal(tableName('shop_', entityOf('sales.orders', 'postgres')), 'shop_sales_orders');
    assert.equal(tableName('', entityOf('preços', 'mysql')), 'preços');
    assert.equal(tableName('', entityOf('a b/c-d', 'mysql')), 'a_b_c-d');
    const long = entityOf('é'.repeat(200), 'mysql');
    assert.match(tableName('', long), /^[\p{L}\p{N}_-]+$/u);
  });

  it('has the type by which a decimal is exact', () => {
    const type = (precision: number, scale: number) =>
      bigqueryType({ kind: 'decimal', precision, scale });
    assert.deepEqual(
      [type(1, 0), type(29, 0), type(38, 9), type(12, 9)],
      ['NUMERIC', 'NUMERIC', 'NUMERIC', 'NUMERIC'],
    );
    assert.deepEqual(
      [type(30, 0), type(38, 8), type(10, 10), type(38, 38)],
      ['BIGNUMERIC', 'BIGNUMERIC', 'BIGNUMERIC', 'BIGNUMERIC'],
    );
  });

  it('is arranged and described as the settings and the source say', () => {
    const options = {
      columns: [{ ...id, comment: 'x'.repeat(2_000) }, day, data],
      comment: 'all that was sold',
      settings: {
        partitionBy: { column: 'day', granularity: 'month' },
        clusterBy: ['id'],
      } as const,
    };
    const arranged = {
      timePartitioning: { type: 'MONTH', field: 'day' },
      clustering: { fields: ['id'] },
      description: 'all that was sold',
    };
    const fields = (json: string) => [
      { name: 'id', type: 'INT64', mode: 'NULLABLE', description: 'x'.repeat(1_024) },
      { name: 'day', type: 'DATE', mode: 'NULLABLE' },
      { name: 'data', type: json, mode: 'NULLABLE' },
    ];
    const shape = (staged: boolean) => tableShape(options, { staged });
    assert.deepEqual(shape(false), { schema: { fields: fields('JSON') }, ...arranged });
    assert.deepEqual(shape(true), { schema: { fields: fields('STRING') }, ...arranged });
  });

  const cases: [string, readonly ColumnSpec[], BigqueryTableSettings, RegExp][] = [
    ['a name with a blank', [column('a b', { kind: 'text' })], {}, /no column of the name "a b"/],
    ['a reserved name', [column('_PARTITIONDATE', { kind: 'date' })], {}, /_PARTITIONDATE/],
    ['names that differ in case', [id, { ...id, name: 'ID' }], {}, /two columns "ID"/],
    [
      'partitions by a column that is not there',
      [id],
      { partitionBy: { column: 'day', granularity: 'day' } },
      /column day of bigquery.partitionBy is not loaded/,
    ],
    [
      'partitions by numbers',
      [id],
      { partitionBy: { column: 'id', granularity: 'day' } },
      /of type INT64 — name a column with dates/,
    ],
    [
      'hours of dates',
      [day],
      { partitionBy: { column: 'day', granularity: 'hour' } },
      /has dates and no hours/,
    ],
    ['an order by an absent column', [id], { clusterBy: ['x'] }, /clusterBy is not loaded/],
    ['an order by documents', [id, data], { clusterBy: ['data'] }, /of type JSON/],
  ];
  for (const [what, columns, settings, message] of cases) {
    it(`cannot have ${what}`, () => {
      assert.throws(
        () => assertTable({ pipeline: 'shop', table: 'orders' }, columns, settings),
        (error) =>
          error instanceof ComportaError &&
          error.code === 'ConfigurationInvalid' &&
          message.test(error.message),
      );
    });
  }

  it('can have everything else', () => {
    const byHour = { partitionBy: { column: 'at', granularity: 'hour' }, clusterBy: ['id', 'day'] };
    const types: readonly LogicalType[] = [{ kind: 'uuid' }, { kind: 'wkb' }, { kind: 'float' }];
    const columns = [id, day, at, data, ...types.map((type, i) => column(`c${i}`, type))];
    assertTable({ pipeline: 'p', table: 't' }, columns, byHour as BigqueryTableSettings);
  });

  it('has the same columns in any order, and under the older names of types', () => {
    const fields = (...types: readonly string[]) => ({
      fields: types.map((type) => ({ name: `of ${type.slice(0, 3)}`, type })),
    });
    const wanted = fields('INT64', 'BOOL', 'FLOAT64', 'DATE');
    assert.ok(sameColumns(fields('DATE', 'FLOAT', 'INTEGER', 'BOOLEAN'), wanted));
    assert.ok(!sameColumns(fields('DATE', 'FLOAT', 'INTEGER'), wanted));
    assert.ok(!sameColumns(fields('DATETIME', 'FLOAT', 'INTEGER', 'BOOLEAN'), wanted));
    assert.ok(!sameColumns(undefined, wanted));
  });
});
