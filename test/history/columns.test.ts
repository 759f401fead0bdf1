import assert from 'node:assert/strict';
import fc from 'fast-check';
import { schemaChanges, schemaFingerprint } from '../../src/history/columns';
import type { ColumnSpec, LogicalType } from '../../src/types/logical';

const INT32: LogicalType = { kind: 'int', bits: 32, signed: true };
const INT64: LogicalType = { kind: 'int', bits: 64, signed: true };
const TEXT: LogicalType = { kind: 'text' };

function column(name: string, type: LogicalType = TEXT, nullable = true): ColumnSpec {
  return { name, type, nullable, sourceType: 'whatever' };
}

describe('schemaFingerprint', () => {
  it('is stable over releases: a stored one stays comparable', () => {
    const columns = [
      column('id', INT64, false),
      column('preço', { kind: 'decimal', precision: 12, scale: 2 }),
    ];
    assert.strictEqual(
      schemaFingerprint(columns),
      // sha256 of [["id","int64",false],["preço","decimal(12,2)",true]]
      'c46e07165e09e55fcad92b1fd22b665beaeae0b78b27231a562b13a91525e26f',
    );
  });

  it('ignores what the source calls the type, and comments', () => {
    const plain = column('a');
    const decorated = { ...plain, sourceType: 'varchar(10)', comment: 'c' };
    assert.strictEqual(schemaFingerprint([plain]), schemaFingerprint([decorated]));
  });
});

describe('schemaChanges', () => {
  const cases: [string, ColumnSpec[], ColumnSpec[], string[]][] = [
    ['nothing', [column('a')], [column('a')], []],
    ['an added column', [column('b')], [column('a', INT64), column('b')], ['added a int64']],
    ['a dropped column', [column('a'), column('b')], [column('a')], ['dropped b']],
    ['another type', [column('c', INT32)], [column('c', INT64)], ['retyped c int32 → int64']],
    ['NULL allowed', [column('d', TEXT, false)], [column('d')], ['nullable d']],
    ['NULL forbidden', [column('d')], [column('d', TEXT, false)], ['required d']],
    [
      'type and NULL',
      [column('d', INT32)],
      [column('d', TEXT, false)],
      ['retyped d int32 → text', 'required d'],
    ],
    [
      'another order, beside other changes',
      [column('a'), column('b'), column('gone')],
      [column('b'), column('new'), column('a')],
      ['dropped gone', 'added new text', 'reordered b, a'],
    ],
    ['a new name', [column('old')], [column('new')], ['dropped old', 'added new text']],
    [
      'names that need quotes',
      [column('a b')],
      [column('x, dropped y'), column('preço_2')],
      ['dropped "a b"', 'added "x, dropped y" text', 'added preço_2 text'],
    ],
    ['the first load of a table', [], [column('a')], ['added a text']],
  ];
  for (const [name, before, after, expected] of cases) {
    it(`tells ${name}`, () => assert.deepStrictEqual(schemaChanges(before, after), expected));
  }

  it('is empty exactly where the fingerprints agree', () => {
    const anyColumn = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      type: fc.constantFrom(INT32, TEXT),
      nullable: fc.boolean(),
      sourceType: fc.constantFrom('x', 'y'),
    });
    const anyColumns = fc.uniqueArray(anyColumn, { selector: ({ name }) => name, maxLength: 3 });
    fc.assert(
      fc.property(anyColumns, anyColumns, (before, after) => {
        const same = schemaFingerprint(before) === schemaFingerprint(after);
        assert.strictEqual(schemaChanges(before, after).length === 0, same);
      }),
      { seed: 20260302, numRuns: 2_000 },
    );
  });
});
