import assert from 'node:assert/strict';
import {
  contains,
  isSubset,
  parseGtid,
  parseGtidSet,
  sizeOf,
  type GtidSet,
} from '../../../../src/sources/mysql/tokens/gtid-set';

const A = '8f60cc39-e5a2-11f1-8894-02fc00000001';
const B = '00000000-0000-0000-0000-00000000000b';

function set(text: string): GtidSet {
  const parsed = parseGtidSet(text);
  assert.ok(parsed, text);
  return parsed;
}

describe('GTID sets', () => {
  it('are read as the server writes them, tags included', () => {
    assert.equal(sizeOf(set('')), 0);
    assert.equal(sizeOf(set(`${A}:1-5`)), 5);
    assert.equal(sizeOf(set(`${A}:1-5:7:9-10,\n${B}:3`)), 9);
    assert.equal(sizeOf(set(`${A}:1-5:nightly:1-2:daily:4`)), 8);
    assert.equal(parseGtidSet(A), undefined);
  });

  it('contain what they contain', () => {
    const gtids = set(`${A.toUpperCase()}:1-5:7:nightly:2`);
    assert.equal(contains(gtids, parseGtid(`${A}:5`)!), true);
    assert.equal(contains(gtids, parseGtid(`${A}:6`)!), false);
    assert.equal(contains(gtids, parseGtid(`${A}:nightly:2`)!), true);
    assert.equal(contains(gtids, parseGtid(`${A}:2`)!), true);
    assert.equal(contains(gtids, parseGtid(`${A}:nightly:7`)!), false);
    assert.equal(contains(gtids, parseGtid(`${B}:5`)!), false);
    assert.equal(parseGtid('ANONYMOUS'), undefined);
    assert.equal(parseGtid('AUTOMATIC'), undefined);
  });

  it('tell whether one is part of another', () => {
    assert.equal(isSubset(set(`${A}:2-3`), set(`${A}:1-5`)), true);
    assert.equal(isSubset(set(`${A}:1-6`), set(`${A}:1-5`)), false);
    assert.equal(isSubset(set(`${A}:1-5,${B}:1`), set(`${A}:1-5`)), false);
    assert.equal(isSubset(set(`${A}:1-3:5`), set(`${A}:1-3:5-9`)), true);
    assert.equal(isSubset(set(''), set(`${A}:1`)), true);
  });
});
