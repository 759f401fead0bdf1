import assert from 'node:assert/strict';
import {
  quoteIdentifier,
  quoteList,
  quoteLiteral,
  quoteTable,
} from '../../../src/sources/mysql/identifiers';

describe('MySQL identifiers', () => {
  it('quotes any name', () => {
    assert.equal(quoteIdentifier('order'), '`order`');
    assert.equal(quoteIdentifier('a`; DROP TABLE x; --'), '`a``; DROP TABLE x; --`');
    assert.equal(quoteTable({ schema: 'my.shop', name: '100% 😀' }), '`my.shop`.`100% 😀`');
  });

  it('quotes any text', () => {
    assert.equal(quoteLiteral("it's"), "'it''s'");
    assert.equal(quoteLiteral('back\\slash'), "'back\\\\slash'");
    assert.equal(quoteLiteral('\0'), "'\\0'");
    assert.equal(quoteList(['a', "b'"]), "'a', 'b'''");
  });
});
