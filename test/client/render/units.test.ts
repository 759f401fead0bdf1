import assert from 'node:assert/strict';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatRate,
  formatTime,
} from '../../../src/client/render/units';

describe('units', () => {
  const cases: [string, string, string][] = [
    ['a count', formatCount(1234567), '1,234,567'],
    ['no count', formatCount(undefined), ''],
    ['bytes', formatBytes(999), '999 B'],
    ['kilobytes', formatBytes(1000), '1.0 kB'],
    ['a rounding up to the next unit', formatBytes(999_960), '1.0 MB'],
    ['gigabytes', formatBytes(12_345_678_901), '12.3 GB'],
    ['no bytes', formatBytes(undefined), ''],
    ['seconds', formatElapsed(840), '0.8 s'],
    ['almost a minute', formatElapsed(59_949), '59.9 s'],
    ['a minute', formatElapsed(59_999), '1 min 00 s'],
    ['minutes', formatElapsed(245_000), '4 min 05 s'],
    ['hours', formatElapsed(7_620_000), '2 h 07 min'],
    ['no time', formatElapsed(undefined), ''],
    ['a rate', formatRate(90_000, 2_000), '45,000/s'],
    ['a rate too early to tell', formatRate(5, 100), ''],
    ['a time', formatTime('2026-11-21T03:00:12.345Z'), '2026-11-21 03:00:12'],
    ['a time elsewhere', formatTime('2026-11-21T00:00:12-03:00'), '2026-11-21 03:00:12'],
    ['what is no time', formatTime('yesterday'), 'yesterday'],
  ];
  for (const [name, actual, expected] of cases) {
    it(name, () => assert.equal(actual, expected));
  }
});
