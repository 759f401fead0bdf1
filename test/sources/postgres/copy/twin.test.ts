import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ComportaError } from '../../../../src/errors';
import type { PlannedColumn } from '../../../../src/sources/postgres/plan';
import { typeName } from '../../../../src/types/logical';
import { canonical } from '../../../support/columns';
import { copyAnswer, cut, type Field } from './copy-bytes';
import { fastRead, slowRead, type Outcome } from './copy-reading';
import { WIRE_KINDS, type WireKind } from './wire-values';

const comparable = ({ values, invalidValues, error }: Outcome) => ({
  values: values.map((all) => all.map(canonical)),
  invalidValues,
  error: error instanceof ComportaError ? `${error.code} ${error.message}` : error,
});

const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1_000_000]),
  fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 20 }),
  fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
);

function table(kinds: readonly WireKind[], maxLength: number): fc.Arbitrary<Field[][]> {
  const fields = kinds.map(({ values }, i) => fc.option(values, { freq: 2 + (i % 3) * 20 }));
  return fc.array(fc.tuple(...fields), { maxLength });
}

async function agree(
  columns: readonly PlannedColumn[],
  rows: Field[][],
  lengths: readonly number[],
) {
  const fast = await fastRead(columns, cut(copyAnswer(rows), lengths));
  const slow = slowRead(columns, rows);
  if (columns.length === 1 || slow.error === undefined) {
    assert.deepEqual(comparable(fast), comparable(slow));
  } else {
    // Which column's error comes first is another matter.
    assert.ok(fast.error instanceof ComportaError);
  }
}

describe('the fast way and the slow way agree on', () => {
  for (const kind of WIRE_KINDS) {
    const { spec, invalidDates = '' } = kind.column;
    it(`${typeName(spec.type)} ${invalidDates}`, () =>
      fc.assert(
        fc.asyncProperty(table([kind], 400), cuts, (rows, lengths) =>
          agree([kind.column], rows, lengths),
        ),
        { seed: 5, numRuns: 60 },
      ));
  }

  it('tables of any columns', () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.constantFrom(...WIRE_KINDS), { minLength: 1, maxLength: 12 })
          .chain((kinds) => fc.tuple(fc.constant(kinds), table(kinds, 60))),
        cuts,
        ([kinds, rows], lengths) =>
          agree(
            kinds.map(({ column }) => column),
            rows,
            lengths,
          ),
      ),
      { seed: 6, numRuns: 150 },
    ));

  it('a table of more than a piece', async () => {
    const kinds = WIRE_KINDS.filter(({ column }) => column.invalidDates !== 'fail');
    const [some = []] = fc.sample(table(kinds, 500), { seed: 8, numRuns: 1 });
    const rows = Array.from({ length: 9000 }, (_, i) => some[i % some.length] ?? []);
    await agree(
      kinds.map(({ column }) => column),
      rows,
      [70_000, 8192, 3],
    );
  });
});
