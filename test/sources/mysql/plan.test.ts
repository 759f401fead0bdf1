import assert from 'node:assert/strict';
import type { ComportaError } from '../../../src/errors';
import type { MysqlColumn, MysqlDescription } from '../../../src/sources/mysql/catalog';
import { planColumns } from '../../../src/sources/mysql/plan';
import { MYSQL_TYPES, mysqlTypeOf, type ColumnType } from '../../../src/sources/mysql/types';
import { typeName } from '../../../src/types/logical';

function column(name: string, columnType: string, nullable = false): MysqlColumn {
  const dataType = columnType.replace(/[ (].*$/, '');
  const [, precision, scale] = /\((\d+)(?:,(\d+))?\)/.exec(columnType) ?? [];
  return {
    name,
    dataType,
    columnType,
    sourceType: columnType,
    nullable,
    precision: precision === undefined ? undefined : Number(precision),
    scale: scale === undefined ? undefined : Number(scale),
  };
}

function described(...columns: MysqlColumn[]): MysqlDescription {
  const table = { id: 'orders', schema: 'shop', name: 'orders', kind: 'table' } as const;
  return { table, columns, primaryKey: [] };
}

const PLAIN = { excludeColumns: [], textColumns: [], masks: {}, invalidDates: 'null' } as const;

describe('MySQL plan', () => {
  it('names every column without a mapping, and the way out', () => {
    const description = described(
      column('id', 'int'),
      column('a', 'hyperloglog'),
      column('b', 'xmltype'),
    );
    assert.throws(
      () => planColumns(description, PLAIN),
      (error: ComportaError) =>
        error.code === 'TypeUnsupported' &&
        error.message ===
          'orders: no faithful type for: a (hyperloglog), b (xmltype) — exclude a, b or list them under columns.text',
    );
    const planned = planColumns(description, {
      ...PLAIN,
      excludeColumns: ['A'],
      textColumns: ['B'],
    });
    assert.deepEqual(
      planned.map(({ spec }) => `${spec.name} ${typeName(spec.type)}`),
      ['id int32', 'b text'],
    );
  });

  it('lets a mask win over everything else', () => {
    const mask = { method: 'redact', text: 'x' } as const;
    const [planned] = planColumns(described(column('d', 'date')), {
      ...PLAIN,
      textColumns: ['d'],
      masks: { D: mask },
    });
    assert.equal(planned!.spec.type.kind, 'text');
    assert.equal(planned!.mask, mask);
    assert.equal(planned!.invalidDates, undefined);
  });

  it('refuses a table without a column that must be masked, if that is not left out', () => {
    const masks = { Tax_Id: { method: 'redact', text: 'x' } } as const;
    const settings = { ...PLAIN, masks, requiredColumns: ['Tax_Id'] };
    assert.equal(planColumns(described(column('tax_id', 'int')), settings).length, 1);
    const renamed = described(column('taxid', 'int'));
    assert.throws(
      () => planColumns(renamed, settings),
      /orders: the masked column Tax_Id is not in the table — see what/,
    );
    assert.equal(planColumns(renamed, { ...settings, excludeColumns: ['tax_id'] }).length, 1);
  });

  it('makes room for NULL only where a date may turn into one', () => {
    const description = described(column('d', 'date'), column('n', 'int'));
    const nullable = (invalidDates: 'null' | 'text' | 'fail') =>
      planColumns(description, { ...PLAIN, invalidDates }).map(({ spec }) => spec.nullable);
    assert.deepEqual(nullable('null'), [true, false]);
    assert.deepEqual(nullable('text'), [false, false]);
    assert.deepEqual(nullable('fail'), [false, false]);
  });

  it('quotes names in what it selects', () => {
    const description = described(column('a`b', 'float'));
    const select = (textColumns: string[]) =>
      planColumns(description, { ...PLAIN, textColumns })[0]!.select;
    assert.equal(select([]), '`a``b`');
    assert.equal(select(['a`b']), 'CAST(`a``b` AS CHAR)');
  });
});

describe('MySQL types', () => {
  it('has one row for each type that it names, and that row alone is found', () => {
    for (const row of MYSQL_TYPES) {
      for (const name of row.sourceType.split(/, (?!p [≤>])/)) {
        const wide = name.includes('> 38');
        const columnType: ColumnType = {
          dataType: name.replace(/[ (,].*$/, ''),
          columnType: name,
          precision: wide ? 65 : 38,
          scale: 0,
        };
        assert.equal(mysqlTypeOf(columnType), row, name);
      }
    }
  });

  it('knows nothing of types that nobody has mapped', () => {
    assert.equal(mysqlTypeOf(column('x', 'hyperloglog')), undefined);
  });
});
