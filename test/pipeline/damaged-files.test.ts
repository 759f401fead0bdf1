import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { mistakesOf } from './project-folder';

const EXAMPLES = path.resolve(__dirname, '../../pipelines');

/** What somebody's hand or a merge may leave in a file. */
const DEBRIS = [
  '',
  ' ',
  '\n',
  '\t',
  ':',
  '- ',
  '*',
  '&a ',
  '{',
  ']',
  '"',
  "'",
  '#',
  '|',
  '? ',
  '~',
  '!x ',
  '<<: ',
  '---\n',
  '\uFEFF',
  '😀',
  '__proto__: 1\n',
  '-1',
  'env:',
];

const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(30),
    added: fc.constantFrom(...DEBRIS),
  }),
  { minLength: 1, maxLength: 4 },
);

describe('damaged files', () => {
  it('give mistakes with a place and a fix, and no other error', async () => {
    const texts = Object.fromEntries(
      await Promise.all(
        ['connections.yaml', 'sales.yaml', 'finance.yaml'].map(async (name) => {
          const text = await readFile(path.join(EXAMPLES, name), 'utf8');
          return [name, text.replace(/^ *#.*\n/gm, '')] as const;
        }),
      ),
    );
    const names = fc.constantFrom(...Object.keys(texts));
    await fc.assert(
      fc.asyncProperty(names, damage, async (name, wounds) => {
        let text = texts[name] ?? '';
        for (const { at, removed, added } of wounds) {
          const from = Math.floor(at * text.length);
          text = text.slice(0, from) + added + text.slice(from + removed);
        }
        const { mistakes } = await mistakesOf({ ...texts, [name]: text }, {});
        // The variables of the examples are not set here, so there always are some.
        assert.ok(mistakes.length > 0);
        for (const mistake of mistakes) {
          assert.ok(mistake.problem !== '' && mistake.fix !== '', JSON.stringify(mistake));
          const lines = mistake.file === name ? text.split(/\n/).length : Infinity;
          assert.ok(mistake.line >= 0 && mistake.line <= lines, JSON.stringify(mistake));
        }
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});
