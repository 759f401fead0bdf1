import assert from 'node:assert/strict';
import { HEAP } from '../../../../src/columnar/allocator';
import { ReceiveBuffer, WINDOW_BYTES } from '../../../../src/sources/postgres/copy/receive-buffer';

const fill = (buffer: ReceiveBuffer, bytes: number, value = 0x61) => {
  buffer.room().fill(value, 0, bytes);
  buffer.filled += bytes;
};

describe('the buffer that a wire is read into', () => {
  it('keeps what has not been taken, at its beginning', () => {
    const buffer = new ReceiveBuffer(HEAP);
    fill(buffer, 10);
    fill(buffer, 5, 0x62);
    buffer.keepFrom(8);
    assert.equal(buffer.bytes.toString('latin1', 0, buffer.filled), 'aabbbbb');
    assert.equal(buffer.room().length, WINDOW_BYTES - 7);
  });

  it('grows with what has come, not with what was promised, and is small again for the next piece', () => {
    const buffer = new ReceiveBuffer(HEAP);
    fill(buffer, WINDOW_BYTES);
    assert.ok(buffer.isFull);
    buffer.growTowards(2 ** 30);
    assert.equal(buffer.room().length, WINDOW_BYTES);
    assert.ok(buffer.bytes.length < 3 * WINDOW_BYTES);
    fill(buffer, WINDOW_BYTES, 0x62);
    buffer.growTowards(2 * WINDOW_BYTES + 5);
    assert.equal(buffer.room().length, 5);
    buffer.keepFrom(buffer.filled);
    assert.equal(buffer.room().length, WINDOW_BYTES);
  });

  it('gives memory for large rows back when none comes any more', () => {
    const buffer = new ReceiveBuffer(HEAP);
    fill(buffer, WINDOW_BYTES);
    buffer.growTowards(2 * WINDOW_BYTES);
    fill(buffer, WINDOW_BYTES, 0x62);
    buffer.growTowards(3 * WINDOW_BYTES);
    const large = buffer.bytes;
    buffer.keepFrom(2 * WINDOW_BYTES - 3);
    assert.equal(buffer.bytes, large, 'the next row may be large too');
    for (let i = 0; i < 100; i++) buffer.keepFrom(0);
    assert.ok(buffer.bytes.length < 2 * WINDOW_BYTES);
    assert.equal(buffer.bytes.toString('latin1', 0, buffer.filled), 'bbb');
  });

  it('leaves memory alone that others still read', () => {
    const buffer = new ReceiveBuffer(HEAP);
    fill(buffer, 10);
    const { bytes } = buffer;
    buffer.leaveBefore(8);
    fill(buffer, 10, 0x62);
    assert.equal(bytes.toString('latin1', 0, 10), 'aaaaaaaaaa');
    assert.equal(buffer.bytes.toString('latin1', 0, 4), 'aabb');
  });
});
