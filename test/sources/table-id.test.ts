import assert from 'node:assert/strict';
import { tableId } from '../../src/sources/table-id';

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
