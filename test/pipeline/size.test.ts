import assert from 'node:assert/strict';
import { parseSize } from '../../src/pipeline/size';

describe('a size', () => {
  it('is a whole number and a unit', () => {
    assert.equal(parseSize('64KiB'), 65_536);
    assert.equal(parseSize('256MiB'), 268_435_456);
    assert.equal(parseSize('2GiB'), 2_147_483_648);
    for (const text of ['', '256', '256MB', '1.5GiB', '-1MiB', '256 MiB', '1GiB1MiB']) {
      assert.throws(() => parseSize(text), /is not a size/, text);
    }
  });
});
