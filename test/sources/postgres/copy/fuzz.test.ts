import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonical } from '../../../support/columns';
import { copyAnswer, cut } from './copy-bytes';
import { fastRead } from './copy-reading';
import { WIRE_KINDS } from './wire-values';

const KINDS = WIRE_KINDS.filter(({ column }) => column.invalidDates !== 'fail');
const COLUMNS = KINDS.map(({ column }) => column);
const fields = KINDS.map(({ values }) => fc.option(values, { freq: 5 }));
const tables = fc.array(fc.tuple(...fields), {
  minLength: 1,
  maxLength: 30,
});
const cuts = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 });

/** Something that happens to bytes at a place, given as a share of their length. */
type Damage = (bytes: Buffer, at: number) => Buffer;

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.integer({ min: 0, max: 7 }).map((bit): Damage => (bytes, at) => {
    bytes[at]! ^= 1 << bit;
    return bytes;
  }),
  fc.constantFrom(-2, 0, 3, 1000, 0x7fff_ffff, -0x8000_0000).map((value): Damage => (bytes, at) => {
    bytes.writeInt32BE(value, Math.min(at, bytes.length - 4));
    return bytes;
  }),
  fc.integer({ min: 1, max: 40 }).map(
    (length): Damage =>
      (bytes, at) =>
        Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map(
    (more): Damage =>
      (bytes, at) =>
        Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]),
  ),
);

describe('a stream of rows that is damaged', () => {
  it('is an error, or one value is another one; never a crash, a hang or rows that are none', async () => {
    let errors = 0;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.array(fc.tuple(damages, fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 3,
        }),
        cuts,
        async (rows, all, lengths) => {
          const whole = copyAnswer(rows);
          let broken: Buffer = Buffer.from(whole);
          for (const [damage, share] of all) {
            broken = damage(broken, Math.floor(share * (broken.length - 1)));
          }
          const read = await fastRead(COLUMNS, cut(broken, lengths));
          runs += 1;
          if (read.error !== undefined) {
            errors += 1;
            // The session makes one of ours of what pg says of the server's error or the connection's end.
            assert.ok(read.error instanceof Error);
            assert.ok(!(read.error instanceof RangeError), read.error.stack);
            assert.ok(!(read.error instanceof TypeError), read.error.stack);
            return;
          }
          for (const values of read.values) assert.equal(values.length, rows.length);
        },
      ),
      { seed: 9, numRuns: 500 },
    );
    assert.ok(errors > runs / 3, `${errors} of ${runs} were found out`);
  });

  it('is an error wherever it is cut', async () => {
    const [rows = []] = fc.sample(tables, { seed: 10, numRuns: 1 });
    const whole = copyAnswer(rows.slice(0, 3));
    for (let length = 0; length < whole.length; length++) {
      const { error } = await fastRead(COLUMNS, [whole.subarray(0, length)]);
      assert.ok(error instanceof Error, `${length} of ${whole.length} bytes`);
    }
  });

  it('is told from one that is whole', async () => {
    const [rows = []] = fc.sample(tables, { seed: 11, numRuns: 1 });
    const read = await fastRead(COLUMNS, [copyAnswer(rows)]);
    const again = await fastRead(COLUMNS, cut(copyAnswer(rows), [1]));
    assert.equal(String(again.error), String(read.error));
    assert.deepEqual(
      again.values.map((values) => values.map(canonical)),
      read.values.map((values) => values.map(canonical)),
    );
  });
});
