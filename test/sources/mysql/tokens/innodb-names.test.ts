import assert from 'node:assert/strict';
import {
  keyOfEncodedName,
  keyOfName,
  keyOfTable,
} from '../../../../src/sources/mysql/tokens/innodb-names';

/** A table, and the name that a real server gave it in INNODB_TABLES. */
const SEEN: readonly (readonly [name: string, encoded: string])[] = [
  ['orders', 'shop/orders'],
  ['orders', 'shop/orders#p#p0'],
  ['orders', 'shop/orders#P#p0#SP#s1'],
  ['a b.é漢#-ß%/', 'shop/a@0020b@002e@0p@6f22@0023@002d@1j@0025@002f#p#p@00200'],
  ['Mixed$Case', 'shop/Mixed@0024Case'],
  ['f k.é', 'shop/f@0020k@002e@0p'],
];

describe('names of tables in different places', () => {
  for (const [name, encoded] of SEEN) {
    it(`finds ${name} again in ${encoded}`, () => {
      const key = keyOfTable({ schema: 'shop', name });
      assert.equal(keyOfEncodedName(encoded), key);
      assert.equal(keyOfName(`shop.${name}`), key);
      assert.equal(keyOfName(`shop/${name}`), key);
    });
  }

  it('keeps plain names apart', () => {
    const keys = ['a', 'b', 'a_b', 'a b', 'ab', 'a-b', '漢', '字'].map((name) =>
      keyOfTable({ schema: 's', name }),
    );
    assert.equal(new Set(keys).size, keys.length);
  });

  it('gives letters with special codes one key, so that no table is missed', () => {
    assert.equal(
      keyOfTable({ schema: 's', name: 'café' }),
      keyOfTable({ schema: 's', name: 'cafè' }),
    );
  });
});
