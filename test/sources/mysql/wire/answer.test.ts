import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HEAP } from '../../../../src/columnar/allocator';
import { ComportaError } from '../../../../src/errors';
import { Incoming } from '../../../../src/sources/mysql/wire/incoming';
import { WIRE } from '../../../../src/sources/mysql/wire/wire-types';
import {
  answer,
  definitionPayload,
  EOF,
  errorPayload,
  lengthEncoded,
  LOST,
  packets,
  readAnswer,
  rowPayload,
  type SentColumn,
  type SentValue,
} from './answers';

const VARCHAR = 253;
const DECIMAL = 246;
const int = (bits: 8 | 16 | 32 | 64, signed = true) => ({ kind: 'int', bits, signed }) as const;
const TEXT: SentColumn = { type: VARCHAR, logical: { kind: 'text' } };
const NUMBER: SentColumn = { type: WIRE.long, logical: int(32) };

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function isComportaError(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.match(error.message, message);
    return true;
  };
}

const NO_ANSWER = isComportaError(/no answer in its binary protocol/);

/** A column of some type and bytes that are a value of it, or could be for all the server cares. */
const bytesOf = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
const anyText = fc.string({ unit: 'binary', maxLength: 400 }).map((text) => Buffer.from(text));
const parts = (...lengths: number[]) => fc.constantFrom(...lengths).chain(bytesOf);
const moment = fc
  .tuple(
    fc.integer({ min: 0, max: 9999 }),
    fc.constantFrom(0, 1, 12),
    fc.integer({ min: 1, max: 28 }),
  )
  .chain(([year, month, day]) =>
    fc.constantFrom(4, 7, 11).map((length) => {
      const bytes = Buffer.alloc(length);
      bytes.writeUInt16LE(year);
      bytes[2] = month;
      bytes[3] = day;
      return bytes;
    }),
  );

const KINDS: readonly (readonly [SentColumn, fc.Arbitrary<Buffer>])[] = [
  [{ type: WIRE.tiny, logical: int(8) }, bytesOf(1)],
  [{ type: WIRE.tiny, logical: int(8, false), unsigned: true }, bytesOf(1)],
  [{ type: WIRE.short, logical: int(16) }, bytesOf(2)],
  [NUMBER, bytesOf(4)],
  [{ type: WIRE.longlong, logical: int(64) }, bytesOf(8)],
  [{ type: WIRE.longlong, logical: int(64, false), unsigned: true }, bytesOf(8)],
  [{ type: WIRE.float, logical: { kind: 'float' } }, bytesOf(4)],
  [{ type: WIRE.double, logical: { kind: 'double' } }, bytesOf(8)],
  [{ type: WIRE.bit, logical: int(64, false), wire: 'bits' }, parts(1, 2, 8)],
  [
    { type: WIRE.datetime, logical: { kind: 'timestamp', utc: false }, invalidDates: 'null' },
    moment,
  ],
  [{ type: WIRE.date, logical: { kind: 'date' }, invalidDates: 'null' }, parts(0, 4, 7)],
  [TEXT, anyText],
  [
    { type: DECIMAL, logical: { kind: 'decimal', precision: 12, scale: 2 } },
    fc.integer().map((n) => Buffer.from((n / 100).toFixed(2))),
  ],
];

interface Table {
  readonly columns: readonly SentColumn[];
  readonly rows: readonly (readonly SentValue[])[];
}

const table: fc.Arbitrary<Table> = fc
  .array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 20 })
  .chain((kinds) =>
    fc.record({
      columns: fc.constant(kinds.map(([column]) => column)),
      rows: fc.array(fc.tuple(...kinds.map(([, values]) => fc.option(values))), { maxLength: 25 }),
    }),
  );

function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let from = 0;
  for (let index = 0; from < bytes.length; index++) {
    const length = lengths.length === 0 ? bytes.length : lengths[index % lengths.length]!;
    yield bytes.subarray(from, from + length);
    from += length;
  }
}

const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 });

describe('MySQL: an answer in the binary protocol', () => {
  it('is the same however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(table, cuts, async ({ columns, rows }, lengths) => {
        const bytes = answer(columns, rows);
        const whole = await readAnswer(columns, [bytes], { rows: 1000, bytes: 1024 * 1024 });
        assert.equal(whole.rows.length, rows.length);
        rows.forEach((row, index) =>
          row.forEach((value, column) => {
            if (value === null) assert.equal(whole.rows[index]![column], null);
          }),
        );
        const pieces = await readAnswer(columns, cut(bytes, lengths));
        assert.deepEqual(pieces.rows, whole.rows);
        assert.deepEqual(pieces.statistics, whole.statistics);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('that ends too early is an error, wherever it ends', async () => {
    const columns = [NUMBER, TEXT];
    const rows = [1, 2, 3].map((value) => [number(value), Buffer.from('x'.repeat(300 * value))]);
    const bytes = answer(columns, rows);
    for (let length = 0; length < bytes.length; length++) {
      await assert.rejects(readAnswer(columns, [bytes.subarray(0, length)]), LOST);
    }
  });

  it('that is damaged is an error or rows, and comes to an end', async () => {
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      how: fc.constantFrom('flip', 'set', 'remove', 'insert', 'repeat'),
      byte: fc.constantFrom(0, 1, 4, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff),
    });
    let errors = 0;
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        cuts,
        async (sent, damages, lengths) => {
          let bytes = answer(sent.columns, sent.rows);
          for (const { at, how, byte } of damages) {
            const place = Math.floor(at * bytes.length);
            const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
            const changed = Buffer.from(bytes);
            if (how === 'flip') changed[place]! ^= 1 << (byte & 7);
            if (how === 'set') changed[place] = byte;
            bytes =
              how === 'remove'
                ? Buffer.concat([before, after.subarray(1)])
                : how === 'insert'
                  ? Buffer.concat([before, Buffer.from([byte]), after])
                  : how === 'repeat'
                    ? Buffer.concat([before, after.subarray(0, 40), after])
                    : changed;
          }
          try {
            const { rows } = await readAnswer(sent.columns, cut(bytes, lengths));
            assert.ok(rows.length <= bytes.length);
          } catch (error) {
            assert.ok(error instanceof ComportaError, (error as Error).stack);
            errors++;
          }
        },
      ),
      { seed: 2, numRuns: 3000 },
    );
    assert.ok(errors > 1500, String(errors));
  }).timeout(60_000);

  it('of nothing but noise is an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), cuts, async (noise, lengths) => {
        const reading = readAnswer([NUMBER, TEXT], cut(Buffer.from(noise), lengths));
        await assert.rejects(reading, ComportaError);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('ends with the error of the server at any place', async () => {
    const columns = [NUMBER];
    const failure = errorPayload(1317, 'Query execution was interrupted');
    const refused = isComportaError(/Query execution was interrupted/);
    const head = [lengthEncoded(1), definitionPayload(NUMBER, 0), EOF];
    const row = rowPayload(columns, [number(1)]);
    for (const payloads of [[], head.slice(0, 1), head.slice(0, 2), head, [...head, row, row]]) {
      const bytes = packets([...payloads, failure]);
      await assert.rejects(readAnswer(columns, [bytes]), refused);
      await assert.rejects(readAnswer(columns, cut(bytes, [3])), refused);
    }
    // What a server says while it shuts down is numbered anew.
    const late = Buffer.concat([
      packets([...head, row]),
      Buffer.from([failure.length, 0, 0, 0]),
      failure,
    ]);
    await assert.rejects(readAnswer(columns, [late]), refused);
  });

  it('must have the columns that were asked for, and packets in order', async () => {
    const bytes = answer([NUMBER, TEXT], [[number(1), Buffer.from('a')]]);
    await assert.rejects(readAnswer([NUMBER], [bytes]), isComportaError(/2 columns where 1 were/));
    const row = bytes.length - 9 - 12;
    for (const place of [3, row + 3, bytes.length - 6]) {
      const damaged = Buffer.from(bytes);
      damaged[place]! ^= 1;
      await assert.rejects(readAnswer([NUMBER, TEXT], [damaged]), NO_ANSWER, String(place));
    }
  });

  it('may have values of any length and rows of several packets', async () => {
    const lengths = [250, 251, 65_535, 65_536, 0xff_ff_ff - 20, 0xff_ff_ff - 7, 0xff_ff_ff - 6];
    const columns = [TEXT, NUMBER];
    const larger = [0xff_ff_ff, 2 * 0xff_ff_ff - 11, 40_000_000];
    const values = [...lengths, ...larger].map((length) => Buffer.alloc(length, length % 251));
    const bytes = answer(
      columns,
      values.map((value, index) => [value, number(index)]),
    );
    const { rows } = await readAnswer(columns, cut(bytes, [65_536]), { rows: 100, bytes: 300_000 });
    rows.forEach(([text, index]) => {
      assert.equal(
        index,
        rows.findIndex((row) => row[1] === index),
      );
      assert.ok(text === values[index]!.toString('utf8'), String(index));
    });
    assert.equal(rows.length, values.length);
  }).timeout(60_000);

  it('never makes more room than the largest row may need', async () => {
    const sizes: number[] = [];
    const incoming: Incoming = new Incoming(feed, 4096, HEAP, 100_000);
    function feed() {
      queueMicrotask(() => {
        const space = incoming.space();
        if (space === undefined) return;
        sizes.push(incoming.bytes.length);
        // The header of a packet of 16 MiB again and again.
        space.fill(0xff);
        if (incoming.received(space.length)) feed();
      });
    }
    const never = incoming.until(() => false);
    await assert.rejects(never, isComportaError(/longer than any may be/));
    assert.ok(Math.max(...sizes) <= 100_000);
  });

  it('of rows without end is read for as long as it is wanted', async () => {
    const head = packets([lengthEncoded(1), definitionPayload(NUMBER, 0), EOF]);
    function* endless(): Generator<Buffer> {
      yield head;
      const row = packets([rowPayload([NUMBER], [number(7)])]);
      for (let sequence = 4; sequence < 100_000; sequence++) {
        row[3] = sequence & 0xff;
        yield Buffer.from(row);
      }
    }
    await assert.rejects(readAnswer([NUMBER], endless()), LOST);
  });
});
