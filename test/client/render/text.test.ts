import assert from 'node:assert/strict';
import fc from 'fast-check';
import { displayWidth, printable, wrap } from '../../../src/client/render/text';

describe('displayWidth', () => {
  const widths: [string, number][] = [
    ['orders', 6],
    ['', 0],
    ['café', 4],
    ['cafe\u0301', 4],
    ['注文', 4],
    ['📦', 2],
    ['👩‍👩‍👧', 2],
    ['→…', 2],
  ];
  for (const [text, width] of widths) {
    it(`of ${JSON.stringify(text)} is ${width}`, () => assert.equal(displayWidth(text), width));
  }
});

describe('printable', () => {
  it('shows control characters instead of obeying them', () => {
    assert.equal(printable('a\nb\t\x1b[31mc'), 'a␊b␉␛[31mc');
    assert.equal(printable('\x7f\x9b\u202e'), '���');
  });

  it('leaves ordinary text alone', () => {
    assert.equal(printable('naïve `name` 📦 注文 100 %'), 'naïve `name` 📦 注文 100 %');
  });
});

describe('wrap', () => {
  it('breaks between words, and inside one that is too long', () => {
    assert.deepEqual(wrap('one two three', 8), ['one two', 'three']);
    assert.deepEqual(wrap('ab abcdefgh c', 4), ['ab', 'abcd', 'efgh', 'c']);
    assert.deepEqual(wrap('', 4), ['']);
  });

  it('keeps every character and stays within the width', () => {
    const words = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'é', '注', '📦'), minLength: 1 }),
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 20 }), (parts, width) => {
        const lines = wrap(parts.join(' '), width);
        assert.equal(lines.join('').replaceAll(' ', ''), parts.join(''));
        for (const line of lines) assert(displayWidth(line) <= width);
      }),
      { seed: 7 },
    );
  });
});
