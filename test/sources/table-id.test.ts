import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ComportaError } from '../../src/errors';
import { parseTableId, tableId } from '../../src/sources/table-id';

describe('tableId', () => {
  it('joins schema and name, quoting only what would be ambiguous', () => {
    assert.equal(tableId(undefined, 'orders'), 'orders');
    assert.equal(tableId('public', 'orders'), 'public.orders');
    assert.equal(tableId('public', 'a.b'), 'public."a.b"');
    assert.equal(tableId('a.b', 'c'), '"a.b".c');
    assert.equal(tableId(undefined, 'say "hi"'), '"say ""hi"""');
    assert.equal(tableId(undefined, 'with space `x` % 😀'), 'with space `x` % 😀');
  });

  it('gives different tables different ids', () => {
    assert.notEqual(tableId('a', 'b.c'), tableId('a.b', 'c'));
    assert.notEqual(tableId('a', 'b'), tableId(undefined, 'a.b'));
  });
});

describe('parseTableId', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.string({ unit: fc.constantFrom('.', '"', 'a', '`', ' ', '%', '😀'), minLength: 1 }),
  );

  it('gives back the parts that the id was made of', () => {
    fc.assert(
      fc.property(part, part, (schema, name) => {
        assert.deepEqual(parseTableId(tableId(schema, name), 'postgres'), { schema, name });
        assert.deepEqual(parseTableId(tableId(undefined, name), 'mysql'), { schema: '', name });
      }),
      { seed: 7 },
    );
  });

  it('gives no two tables one id', () => {
    fc.assert(
      fc.property(part, part, part, part, (schema, name, otherSchema, otherName) => {
        fc.pre(schema !== otherSchema || name !== otherName);
        assert.notEqual(tableId(schema, name), tableId(otherSchema, otherName));
      }),
      { seed: 7 },
    );
  });

  for (const id of ['', '.', 'a.', '.a', 'a..b', '"a', 'a"b.c', '"a"b.c', 'a.b.c', '""."a"']) {
    it(`refuses ${id === '' ? 'the empty text' : id} as an id of PostgreSQL`, () => {
      assert.throws(
        () => parseTableId(id, 'postgres'),
        (error) => error instanceof ComportaError && error.code === 'ConfigurationInvalid',
      );
    });
  }

  it('refuses a schema for MySQL and its absence for PostgreSQL', () => {
    assert.throws(() => parseTableId('shop.orders', 'mysql'), /"shop.orders" is no table/);
    assert.throws(() => parseTableId('orders', 'postgres'), /write schema.table/);
  });
});
