import assert from 'node:assert/strict';
import { partitionFilter } from '../../../src/destinations/bigquery/partitions';

const seconds = (iso: string) => Date.parse(iso) / 1000;
const starts = (...days: readonly string[]) => days.map((day) => seconds(`${day}T00:00:00Z`));

describe('the partitions that a merge may touch', () => {
  it('are days, joined where they follow each other', () => {
    assert.equal(
      partitionFilter(
        'd',
        'DATE',
        'day',
        starts('2026-01-03', '2026-01-01', '2026-01-02', '2026-02-28'),
      ),
      "((d >= DATE '2026-01-01' AND d < DATE '2026-01-04') OR (d >= DATE '2026-02-28' AND d < DATE '2026-03-01'))",
    );
  });

  it('are hours, months and years', () => {
    assert.equal(
      partitionFilter('t', 'TIMESTAMP', 'hour', [seconds('2026-01-31T23:00:00Z')]),
      "((t >= TIMESTAMP '2026-01-31 23:00:00+00:00' AND t < TIMESTAMP '2026-02-01 00:00:00+00:00'))",
    );
    assert.equal(
      partitionFilter('t', 'DATETIME', 'month', starts('1969-12-01', '2026-02-01')),
      "((t >= DATETIME '1969-12-01 00:00:00' AND t < DATETIME '1970-01-01 00:00:00') OR (t >= DATETIME '2026-02-01 00:00:00' AND t < DATETIME '2026-03-01 00:00:00'))",
    );
    assert.equal(
      partitionFilter('t', 'DATE', 'year', starts('0001-01-01', '2024-01-01')),
      "((t >= DATE '0001-01-01' AND t < DATE '0002-01-01') OR (t >= DATE '2024-01-01' AND t < DATE '2025-01-01'))",
    );
  });

  it('have no end where BigQuery has no later day', () => {
    assert.equal(
      partitionFilter('d', 'DATE', 'day', starts('9999-12-31')),
      "(d >= DATE '9999-12-31')",
    );
  });

  it('hold rows without a value, also nothing else', () => {
    assert.equal(partitionFilter('d', 'DATE', 'day', [null]), '(d IS NULL)');
    assert.equal(
      partitionFilter('d', 'DATE', 'day', [null, ...starts('2026-01-01')]),
      "((d >= DATE '2026-01-01' AND d < DATE '2026-01-02') OR d IS NULL)",
    );
  });

  it('are none for a load without rows', () => {
    assert.equal(partitionFilter('d', 'DATE', 'day', []), 'FALSE');
  });

  it('are one span where they are too many for a statement', () => {
    const scattered = Array.from({ length: 500 }, (_, i) => i * 2 * 86_400);
    assert.equal(
      partitionFilter('d', 'DATE', 'day', scattered),
      "((d >= DATE '1970-01-01' AND d < DATE '1972-09-26'))",
    );
  });
});
