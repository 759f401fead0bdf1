import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  specialNumeric,
  unscaledNumeric,
  writeInt128,
} from '../../../src/sources/postgres/numeric';
import { numericModifier } from '../../../src/sources/postgres/types';

/** The server's binary form of unscaled × 10^-scale, without needless zero digits. */
function encode(unscaled: bigint, scale: number): Buffer {
  const negative = unscaled < 0n;
  const text = String(negative ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  const fraction = text.slice(text.length - scale);
  const padded =
    whole.padStart(Math.ceil(whole.length / 4) * 4, '0') +
    fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups = (padded.match(/.{4}/g) ?? []).map(Number);
  let weight = Math.ceil(whole.length / 4) - 1;
  while (groups[0] === 0) {
    groups.shift();
    weight -= 1;
  }
  while (groups.at(-1) === 0) groups.pop();
  return header(groups, groups.length === 0 ? 0 : weight, negative ? 0x4000 : 0, scale);
}

function header(groups: number[], weight: number, sign: number, scale: number): Buffer {
  const bytes = Buffer.alloc(8 + 2 * groups.length);
  bytes.writeUInt16BE(groups.length, 0);
  bytes.writeInt16BE(weight, 2);
  bytes.writeUInt16BE(sign, 4);
  bytes.writeUInt16BE(scale, 6);
  groups.forEach((group, i) => bytes.writeUInt16BE(group, 8 + 2 * i));
  return bytes;
}

describe('binary numeric', () => {
  const bound = 10n ** 38n - 1n;

  it('is the number that was encoded, wherever it stands in its row', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.bigInt({ min: -bound, max: bound }),
          fc.bigInt({ min: -20_000n, max: 20_000n }),
        ),
        fc.integer({ min: 0, max: 38 }),
        fc.integer({ min: 0, max: 5 }),
        (unscaled, scale, offset) => {
          const row = Buffer.concat([Buffer.alloc(offset, 0xff), encode(unscaled, scale)]);
          assert.equal(specialNumeric(row, offset), undefined);
          assert.equal(unscaledNumeric(row, offset, scale), unscaled);
        },
      ),
      { seed: 11, numRuns: 2_000 },
    );
  });

  it('is undefined at a scale that would round it', () => {
    assert.equal(unscaledNumeric(encode(1_005n, 3), 0, 2), undefined);
    assert.equal(unscaledNumeric(encode(1_000n, 3), 0, 2), 100n);
    assert.equal(unscaledNumeric(encode(1n, 38), 0, 0), undefined);
  });

  it('names what is no number', () => {
    assert.equal(specialNumeric(header([], 0, 0xc000, 0), 0), 'NaN');
    assert.equal(specialNumeric(header([], 0, 0xd000, 0), 0), 'Infinity');
    assert.equal(specialNumeric(header([], 0, 0xf000, 0), 0), '-Infinity');
  });

  it('becomes sixteen bytes of two’s complement', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -bound, max: bound }), (value) => {
        const bytes = Buffer.alloc(16);
        writeInt128(bytes, value);
        assert.equal(BigInt.asIntN(128, BigInt(`0x${bytes.toString('hex')}`)), value);
      }),
      { seed: 11 },
    );
  });
});

describe('the modifier of a numeric', () => {
  it('has precision and scale, which may be negative or larger than the precision', () => {
    const modifier = (precision: number, scale: number) =>
      ((precision << 16) | (scale & 0x7ff)) + 4;
    assert.equal(numericModifier(-1), undefined);
    for (const [precision, scale] of [
      [12, 2],
      [1, 0],
      [1000, 1000],
      [3, -2],
      [2, 4],
    ] as const) {
      assert.deepEqual(numericModifier(modifier(precision, scale)), { precision, scale });
    }
  });
});
