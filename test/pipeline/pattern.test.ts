import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  coversPattern,
  matchesPattern,
  matchesTable,
  patternProblem,
} from '../../src/pipeline/pattern';

/** The slow twin: the pattern as a regular expression. */
function asExpression(pattern: string): RegExp {
  let source = '';
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/u, '\\$&');
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '\\') source += literal(characters[(index += 1)] ?? '');
    else source += literal(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

const piece = fc.constantFrom('a', 'b', '.', '*', '?', '\\*', '\\?', '\\\\', '/', '[', '😀');
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const text = fc
  .array(fc.constantFrom('a', 'b', '.', '*', '?', '\\', '/', '[', '😀'), { maxLength: 8 })
  .map((pieces) => pieces.join(''));

/** Every text of at most so many of these pieces. */
function words(pieces: readonly string[], longest: number): readonly string[] {
  if (longest === 0) return [''];
  const shorter = words(pieces, longest - 1);
  return [...new Set([...shorter, ...shorter.flatMap((word) => pieces.map((one) => word + one))])];
}

describe('patterns', () => {
  for (const [wanted, id, expected] of [
    ['orders', 'orders', true],
    ['orders', 'Orders', false],
    ['orders', 'orders2', false],
    ['*', 'any.thing at/all', true],
    ['tmp_*', 'tmp_', true],
    ['*_log', 'a_b_log', true],
    ['t?', 't1', true],
    ['t?', 't', false],
    ['t?', 't😀', true],
    ['t??', 't😀', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\b', 'a\\b', true],
    ['{a,b}[0-9]', '{a,b}[0-9]', true],
    ['{a,b}', 'a', false],
    ['!a', '!a', true],
    ['a/*', 'a/b/c', true],
  ] as const) {
    it(`${wanted} ${expected ? 'means' : 'does not mean'} ${id}`, () => {
      assert.equal(matchesPattern(wanted, id), expected);
    });
  }

  it('match as the regular expression they stand for', () => {
    fc.assert(
      fc.property(pattern, text, (wanted, id) => {
        assert.equal(matchesPattern(wanted, id), asExpression(wanted).test(id));
      }),
      { seed: 2, numRuns: 5_000 },
    );
  });

  it('cover only patterns whose every match they match', () => {
    const patterns = words(['a', '*', '?', '\\*'], 3);
    const ids = words(['a', 'b', '*'], 4);
    for (const wide of patterns) {
      for (const narrow of patterns.filter((one) => coversPattern(wide, one))) {
        const missed = ids.find((id) => matchesPattern(narrow, id) && !matchesPattern(wide, id));
        assert.equal(missed, undefined, `${wide} does not cover ${narrow}`);
      }
    }
  });

  it('cover the patterns that they plainly contain', () => {
    assert.ok(coversPattern('*', 'log_*'));
    assert.ok(coversPattern('log_*', 'log_*_2024'));
    assert.ok(coversPattern('log_?', 'log_?'));
    assert.ok(!coversPattern('log_?', 'log_*'));
    assert.ok(!coversPattern('log_a', 'log_?'));
  });

  it('take long hostile patterns without blowing up', () => {
    assert.equal(matchesPattern('*a'.repeat(200) + 'b', 'a'.repeat(5_000)), false);
  });

  it('are wrong when empty or ending in a lone backslash', () => {
    assert.match(patternProblem('') ?? '', /empty/);
    assert.match(patternProblem('a\\') ?? '', /backslash/);
    assert.equal(patternProblem('a\\\\'), undefined);
  });
});

describe('patterns over PostgreSQL ids', () => {
  for (const [wanted, id, expected] of [
    ['orders', 'public.orders', true],
    ['orders', 'sales.orders', false],
    ['sales.orders', 'sales.orders', true],
    ['*.orders', 'sales.orders', true],
    ['ord*', 'public.orders', true],
    ['public.*', 'public.orders', true],
    ['weird*', 'public."weird.name"', true],
    ['we"ird', 'public."we""ird"', true],
    ['weird.name', 'public."weird.name"', false],
    ['"a.b"', 'public."a.b"', false],
    ['public."a.b"', 'public."a.b"', true],
  ] as const) {
    it(`${wanted} ${expected ? 'means' : 'does not mean'} ${id}`, () => {
      assert.equal(matchesTable(wanted, id, true), expected);
    });
  }

  it('are not looked for in MySQL, where public.orders is one odd name', () => {
    assert.equal(matchesTable('orders', '"public.orders"', false), false);
  });
});

describe('patterns over MySQL ids', () => {
  for (const [wanted, id, expected] of [
    ['orders', 'orders', true],
    ['a.b', '"a.b"', true],
    ['"a.b"', '"a.b"', true],
    ['a.*', '"a.b"', true],
    ['we"ird', '"we""ird"', true],
    ['a?b', '"a""b"', true],
  ] as const) {
    it(`${wanted} ${expected ? 'means' : 'does not mean'} ${id}`, () => {
      assert.equal(matchesTable(wanted, id, false), expected);
    });
  }
});
