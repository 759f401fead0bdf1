import assert from 'node:assert/strict';
import { tailOf } from '../../../src/engines/jobs/tail';

describe('the tail of an output', () => {
  it('is all of a short one', () => {
    assert.equal(tailOf('one\ntwo\n'), 'one\ntwo');
  });

  it('is nothing where nothing was printed', () => {
    assert.equal(tailOf(' \n\n'), undefined);
  });

  it('is the last whole lines of a long one', () => {
    const lines = Array.from(
      { length: 300 },
      (_, number) => `line ${String(number).padStart(4, '0')}`,
    );
    const tail = tailOf(lines.join('\n'))?.split('\n') ?? [];
    assert.equal(tail.length, 200);
    assert.deepEqual(tail, lines.slice(-tail.length));
    const shifted = tailOf(`${lines.join('\n')}!`)?.split('\n') ?? [];
    assert.match(shifted[0] ?? '', /^line \d{4}$/);
  });

  it('is the end of a line that is longer', () => {
    assert.equal(tailOf('x'.repeat(5_000))?.length, 2_000);
  });
});
