import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BytesBounds, truncatedBounds } from '../../../src/columnar/parquet/bytes-bounds';
import type { Statistics } from '../../../src/columnar/parquet/format';
import { boundsCollector } from '../../../src/columnar/parquet/statistics';
import type { LogicalType } from '../../../src/types/logical';
import { batches, column, type Value } from '../../support/columns';

function boundsOf(type: LogicalType, values: readonly Value[]): Statistics['bounds'] {
  const collector = boundsCollector(type);
  const table = { columns: [column('v', type)], rows: values.map((value) => [value]) };
  for (const batch of batches(table, 2)) {
    const [vector] = batch.columns;
    if (vector !== undefined) collector.update(vector, 0, vector.values);
  }
  return collector.result();
}

function hex(bounds: Statistics['bounds']): string[] | undefined {
  return bounds && [bounds.min, bounds.max].map((bytes) => Buffer.from(bytes).toString('hex'));
}

const text = { kind: 'text' } as const;

describe('bounds of a column chunk', () => {
  const cases: [string, LogicalType, Value[], string[] | undefined][] = [
    ['signed', { kind: 'int', bits: 32, signed: true }, [1, -1, 0], ['ffffffff', '01000000']],
    [
      'unsigned 32',
      { kind: 'int', bits: 32, signed: false },
      [1, 4_294_967_295, 5],
      ['01000000', 'ffffffff'],
    ],
    [
      'signed 64, halves of different sign',
      { kind: 'int', bits: 64, signed: true },
      [-1n, 4_294_967_295n, -4_294_967_296n],
      ['00000000ffffffff', 'ffffffff00000000'],
    ],
    [
      'unsigned 64',
      { kind: 'int', bits: 64, signed: false },
      [2n ** 64n - 1n, 7n],
      ['0700000000000000', 'ffffffffffffffff'],
    ],
    [
      'decimal in four bytes',
      { kind: 'decimal', precision: 5, scale: 2 },
      [-1n, 300n],
      ['ffffffff', '2c010000'],
    ],
    [
      'decimal in nine bytes, signed',
      { kind: 'decimal', precision: 19, scale: 0 },
      [1n, -2n, 0n],
      ['fffffffffffffffffe', '000000000000000001'],
    ],
    ['booleans', { kind: 'boolean' }, [true, true], ['01', '01']],
    ['zeros take the sign that covers both', { kind: 'float' }, [0], ['00000080', '00000000']],
    ['negative zero', { kind: 'float' }, [-0], ['00000080', '00000000']],
    ['infinities', { kind: 'float' }, [Infinity, -Infinity], ['000080ff', '0000807f']],
    ['NaN has no place', { kind: 'double' }, [1, NaN, 2], undefined],
    ['only NaN', { kind: 'double' }, [NaN], undefined],
    ['only NULL', text, [null, null], undefined],
    ['the empty text', text, ['a', ''], ['', '61']],
    // U+FF5E precedes U+1F9A6 in UTF-8, not in UTF-16.
    ['bytes, not UTF-16', text, ['～', '🦦'], ['efbd9e', 'f09fa6a6']],
    ['shapes have no order', { kind: 'wkb' }, [Buffer.of(1)], undefined],
  ];
  for (const [name, type, values, expected] of cases) {
    it(name, () => assert.deepEqual(hex(boundsOf(type, values)), expected));
  }

  it('cuts long text between characters and raises the upper bound', () => {
    const bounds = boundsOf(text, [`${'a'.repeat(62)}€uro`, `${'b'.repeat(63)}é`]);
    assert.equal(bounds?.min.toString(), 'a'.repeat(62));
    assert.equal(bounds?.max.toString(), `${'b'.repeat(62)}c`);
    assert.deepEqual([bounds?.minExact, bounds?.maxExact], [false, false]);
  });

  it('has no bounds where no character can be raised', () => {
    assert.equal(boundsOf(text, ['\u{10ffff}'.repeat(20)]), undefined);
    assert.equal(boundsOf({ kind: 'binary' }, [Buffer.alloc(65, 0xff)]), undefined);
  });

  it('skips the surrogates when it raises', () => {
    const bounds = boundsOf(text, ['\ud7ff'.repeat(30)]);
    assert.equal(bounds?.max.toString(), '\ud7ff'.repeat(20) + '\ue000');
  });

  it('starts anew after a reset', () => {
    const collector = boundsCollector(text);
    const table = { columns: [column('v', text)], rows: [['x'.repeat(80)]] };
    for (const batch of batches(table, 1)) {
      const [vector] = batch.columns;
      if (vector !== undefined) collector.update(vector, 0, 1);
    }
    collector.reset();
    assert.equal(collector.result(), undefined);
  });

  it('encloses every value, in byte order, whatever is cut', () => {
    // Few different bytes and a short limit, so that beginnings often agree.
    const value = fc.array(fc.constantFrom('a', 'b', 'é', '\u{10ffff}'), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (all) => {
        const values = all.map((characters) => Buffer.from(characters.join('')));
        const offsets = Int32Array.from([0, ...values].map((_, i) => length(values.slice(0, i))));
        for (const content of ['utf8', 'bytes'] as const) {
          const collected = new BytesBounds(5, 0);
          const [starts, ends] = [offsets.subarray(0, -1), offsets.subarray(1)];
          collected.update(Buffer.concat(values), starts, ends, 0, values.length);
          const bounds = truncatedBounds(collected, content);
          if (bounds === undefined) continue;
          const sorted = values.toSorted((a, b) => Buffer.compare(a, b));
          const [first = Buffer.alloc(0), last = Buffer.alloc(0)] = [sorted[0], sorted.at(-1)];
          assert.ok(Buffer.compare(bounds.min, first) <= 0);
          assert.ok(Buffer.compare(bounds.max, last) >= 0);
          if (bounds.minExact) assert.deepEqual(bounds.min, first);
          if (bounds.maxExact) assert.deepEqual(bounds.max, last);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

function length(values: readonly Buffer[]): number {
  return values.reduce((sum, value) => sum + value.length, 0);
}
