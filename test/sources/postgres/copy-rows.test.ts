import assert from 'node:assert/strict';
import { BatchBuilder, type BytesVector } from '../../../src/columnar/vectors';
import { ComportaError } from '../../../src/errors';
import { BATCH_BYTES, CopyRows } from '../../../src/sources/postgres/copy-rows';
import { createFieldDecoder } from '../../../src/sources/postgres/decode';
import { column } from '../../support/columns';

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

function row(text: string | null): Buffer {
  const value = Buffer.from(text ?? '');
  const head = Buffer.alloc(6);
  head.writeInt16BE(1, 0);
  head.writeInt32BE(text === null ? -1 : value.length, 2);
  return text === null ? head : Buffer.concat([head, value]);
}

/** A connection that notes whether the socket is held back. */
function setUp() {
  const spec = column('v', { kind: 'text' });
  const builder = new BatchBuilder([spec]);
  const statistics = { rows: 0, invalidValues: 0 };
  const decoder = createFieldDecoder({ spec, select: '"v"', wire: 'bytes' }, builder.columns[0]!, {
    table: 'public.t',
    statistics,
  });
  const rows = new CopyRows('COPY …', builder, [decoder]);
  const state = { paused: false };
  const nothing = () => undefined;
  rows.submit({
    parse: nothing,
    bind: nothing,
    execute: nothing,
    sync: nothing,
    stream: { pause: () => (state.paused = true), resume: () => (state.paused = false) },
  });
  const send = (chunk: Buffer) => rows.handleCopyData({ chunk });
  const texts = () => {
    const vector = builder.columns[0] as BytesVector;
    return Array.from({ length: vector.values }, (_, i) =>
      vector.data.toString('utf8', vector.starts[i], vector.ends[i]),
    );
  };
  return { rows, builder, send, state, texts };
}

describe('rows of a binary COPY', () => {
  it('come whether the header has a message of its own or not', async () => {
    for (const messages of [
      [HEADER, row('a'), row(null), TRAILER],
      [Buffer.concat([HEADER, row('a')]), row(null), TRAILER],
    ]) {
      const { rows, builder, send, texts } = setUp();
      const filled = rows.fill();
      messages.forEach(send);
      rows.handleReadyForQuery();
      assert.equal(await filled, true);
      assert.deepEqual([builder.rows, texts()], [2, ['a']]);
      builder.clear();
      assert.equal(await rows.fill(), false);
    }
  });

  it('are none in an empty table', async () => {
    const { rows, send } = setUp();
    const filled = rows.fill();
    send(Buffer.concat([HEADER, TRAILER]));
    rows.handleReadyForQuery();
    assert.equal(await filled, false);
  });

  it('skip a header extension', async () => {
    const { rows, send, texts } = setUp();
    const header = Buffer.from(HEADER);
    header.writeInt32BE(3, 15);
    const filled = rows.fill();
    send(Buffer.concat([header, Buffer.from('ext'), row('a')]));
    rows.handleReadyForQuery();
    await filled;
    assert.deepEqual(texts(), ['a']);
  });

  it('hold the socket back while a batch is out, and lose nothing that had come already', async () => {
    const { rows, builder, send, state, texts } = setUp();
    const large = 'x'.repeat(BATCH_BYTES / 2);
    const first = rows.fill();
    send(Buffer.concat([HEADER, row(large)]));
    assert.equal(state.paused, false);
    const reused = Buffer.concat([row(large), row('late')]);
    send(reused.subarray(0, 6 + large.length));
    assert.equal(state.paused, true);
    const late = reused.subarray(6 + large.length);
    send(late);
    send(row('later'));
    // The driver reads its next bytes into the same buffer.
    late.fill(0);
    assert.equal(await first, true);
    assert.deepEqual(texts(), [large, large]);

    builder.clear();
    const second = rows.fill();
    assert.equal(state.paused, false);
    send(TRAILER);
    rows.handleReadyForQuery();
    assert.equal(await second, true);
    assert.deepEqual(texts(), ['late', 'later']);
  });

  it('end with the error of the server, also while a batch is out', async () => {
    const { rows, builder, send } = setUp();
    const first = rows.fill();
    send(Buffer.concat([HEADER, row('x'.repeat(BATCH_BYTES))]));
    await first;
    rows.handleError(new Error('division by zero'));
    builder.clear();
    await assert.rejects(rows.fill(), /division by zero/);
    await rows.ended;
  });

  it('end when they are given up, and let the rest pass', async () => {
    const { rows, builder, send, state } = setUp();
    const filled = rows.fill();
    send(Buffer.concat([HEADER, row('a')]));
    rows.giveUp(new ComportaError('SourceInterrupted', 'enough'));
    await assert.rejects(filled, /enough/);
    send(row('b'));
    assert.equal(builder.rows, 1);
    assert.equal(state.paused, false);
    assert.equal(rows.isEnded, false);
  });

  it('are refused when they have other fields than were asked for', async () => {
    const { rows, send } = setUp();
    const filled = rows.fill();
    send(Buffer.concat([HEADER, Buffer.from([0, 2, 0, 0, 0, 0, 0, 0, 0, 0])]));
    await assert.rejects(filled, /2 fields, not 1/);
  });
});
