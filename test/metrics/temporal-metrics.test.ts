import assert from 'node:assert/strict';
import type { MetricMeter, MetricTags } from '@temporalio/common';
import { createTemporalMetrics } from '../../src/metrics/temporal-metrics';

/** A meter that writes down what was recorded. */
function recordingMeter(): { meter: MetricMeter; recorded: [string, number, MetricTags][] } {
  const recorded: [string, number, MetricTags][] = [];
  const record = (name: string) => (value: number, tags: MetricTags) =>
    recorded.push([name, value, tags]);
  const meter = {
    createCounter: (name: string) => ({ add: record(name) }),
    createHistogram: (name: string) => ({ record: record(name) }),
    createGauge: (name: string) => ({ set: record(name) }),
  } as unknown as MetricMeter;
  return { meter, recorded };
}

describe('metrics', () => {
  it('never take a table back to an older time', () => {
    const { meter, recorded } = recordingMeter();
    const metrics = createTemporalMetrics(meter);
    const at = (second: number) => [{ table: 'orders', at: new Date(second * 1000) }];
    metrics.verified('sales', at(20));
    metrics.verified('sales', at(10));
    metrics.verified('finance', at(5));
    metrics.verified('sales', at(30));
    assert.deepEqual(
      recorded.map(([, value, { pipeline }]) => [pipeline, value]),
      [
        ['sales', 20],
        ['finance', 5],
        ['sales', 30],
      ],
    );
  });

  it('know the delay of a scheduled batch, and of no other', () => {
    const { meter, recorded } = recordingMeter();
    const metrics = createTemporalMetrics(meter);
    const batch = { pipeline: 'sales', plannedAt: new Date(100_000), toLoad: 2, skipped: 3 };
    const lags = () =>
      recorded.flatMap(([name, value]) =>
        name === 'comporta_schedule_lag_seconds' ? [value] : [],
      );
    metrics.planned(batch);
    assert.deepEqual(lags(), []);
    metrics.planned({ ...batch, scheduledFor: new Date(40_000) });
    // A clock that is behind the server's does not make a batch early.
    metrics.planned({ ...batch, scheduledFor: new Date(101_000) });
    assert.deepEqual(lags(), [60, 0]);
  });
});
