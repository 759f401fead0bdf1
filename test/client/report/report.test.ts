import assert from 'node:assert/strict';
import { buildReport } from '../../../src/client/report/report';
import { createMemoryHistory } from '../../support/memory-history';
import { event, loaded } from './events';

const NOW = new Date('2026-01-10T12:00:00.000Z');

describe('the data of the report', () => {
  it('has every table with its standing, its loads in order, and totals per day', async () => {
    const history = createMemoryHistory();
    await history.append([
      loaded('orders', '2025-11-01T03:00:00.000Z', 5),
      loaded('orders', '2026-01-08T03:00:00.000Z', 100, 2_000),
      loaded('orders', '2026-01-09T03:00:00.000Z', 120, 3_000),
      event('SKIPPED', 'orders', '2026-01-10T03:00:00.000Z', { verdict: 'unchanged' }),
      loaded('items', '2026-01-09T03:00:00.000Z', 7),
      event('FAILED', 'items', '2026-01-10T03:00:00.000Z', {
        ...{ errorCode: 'ConnectionFailed', error: 'cut', workflowId: 'w', workflowRunId: 'r' },
      }),
      event('STARTED', 'new', '2026-01-10T03:00:00.000Z'),
    ]);
    const report = await buildReport(history, ['sales'], { now: NOW, days: 3 });
    const [sales] = report.pipelines;
    assert.deepEqual(
      sales?.tables.map(({ table, status, verifiedAt, rows }) => [table, status, verifiedAt, rows]),
      [
        ['items', 'failed', '2026-01-09T03:00:00.000Z', 7],
        ['new', 'running', undefined, undefined],
        ['orders', 'well', '2026-01-10T03:00:00.000Z', 120],
      ],
    );
    assert.deepEqual(sales.tables[0]?.failure, {
      ...{ code: 'ConnectionFailed', error: 'cut', at: '2026-01-10T03:00:00.000Z' },
      ...{ workflowId: 'w', workflowRunId: 'r' },
    });
    assert.deepEqual(sales.tables[2]?.loads, [
      { at: '2026-01-08T03:00:00.000Z', rows: 100, durationMs: 2_000 },
      { at: '2026-01-09T03:00:00.000Z', rows: 120, durationMs: 3_000 },
    ]);
    assert.deepEqual(sales.daily, [
      { day: '2026-01-08', loads: 1, rows: 100, durationMs: 2_000 },
      { day: '2026-01-09', loads: 2, rows: 127, durationMs: 4_000 },
      { day: '2026-01-10', loads: 0, rows: 0, durationMs: 0 },
    ]);
  });

  it('shows the last loads of a table that loads often', async () => {
    const history = createMemoryHistory();
    const times = Array.from(
      { length: 40 },
      (_, minute) => `2026-01-10T03:${String(minute).padStart(2, '0')}:00.000Z`,
    );
    await history.append(times.map((time, index) => loaded('orders', time, index)));
    const { pipelines } = await buildReport(history, ['sales'], { now: NOW, days: 30 });
    const rows = pipelines[0]?.tables[0]?.loads.map((load) => load.rows);
    assert.deepEqual(
      rows,
      Array.from({ length: 30 }, (_, index) => index + 10),
    );
  });

  it('is empty for a pipeline that never ran', async () => {
    const report = await buildReport(createMemoryHistory(), ['sales'], { now: NOW, days: 1 });
    assert.deepEqual(report.pipelines, [
      {
        pipeline: 'sales',
        tables: [],
        daily: [{ day: '2026-01-10', loads: 0, rows: 0, durationMs: 0 }],
      },
    ]);
  });
});
