import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ComportaError } from '../../src/errors';
import { formatDuration, parseDuration } from '../../src/pipeline/duration';

describe('durations', () => {
  for (const [text, milliseconds] of [
    ['500ms', 500],
    ['5s', 5_000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['0s', 0],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), milliseconds));
  }

  for (const text of ['', '5', '5 s', 's', '-5s', '1.5h', '30m1h', '5S', '1h30', '5s5s', '10min']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseDuration(text),
        (error) => error instanceof ComportaError && error.code === 'ConfigurationInvalid',
      );
    });
  }

  it('writes what it reads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_153_600_000_000 }), (milliseconds) => {
        assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds);
      }),
      { seed: 1 },
    );
  });

  it('writes the shortest form', () => {
    assert.equal(formatDuration(86_400_000), '1d');
    assert.equal(formatDuration(5_400_000), '1h30m');
    assert.equal(formatDuration(0), '0s');
  });
});
