import type { MetricMeter } from '@temporalio/common';
import type { Metrics } from './metrics';

/**
 * Metrics through the meter of Temporal's runtime, so that one Prometheus endpoint serves them and
 * the SDK's own.
 */
export function createTemporalMetrics(meter: MetricMeter): Metrics {
  const counter = (name: string, description: string) =>
    meter.createCounter(`comporta_${name}`, undefined, description);
  const gauge = (name: string, description: string) =>
    meter.createGauge(`comporta_${name}`, 'float', undefined, description);

  const loaded = counter('tables_loaded', 'Tables that were loaded and published');
  const failed = counter('tables_failed', 'Loads that failed after their last attempt, by code');
  const skipped = counter('tables_skipped', 'Tables that a plan found unchanged');
  const rows = counter('rows_loaded', 'Rows read from sources');
  const bytes = counter('bytes_written', 'Bytes of published files');
  const duration = meter.createHistogram(
    'comporta_load_duration_seconds',
    'float',
    undefined,
    'From the start of the successful attempt to its record',
  );
  const verified = gauge(
    'table_verified_timestamp_seconds',
    'When the published table was last known to equal its source, seconds since 1970',
  );
  const planned = gauge(
    'batch_planned_timestamp_seconds',
    'When the last batch was planned, seconds since 1970',
  );
  const toLoad = gauge('batch_tables_to_load', 'Tables that the last plan loads');
  const lag = gauge(
    'schedule_lag_seconds',
    'How long after its scheduled time the last scheduled batch was planned',
  );
  /** A gauge is never taken back: what is known of a table only gets newer. */
  const newest = new Map<string, number>();

  return {
    loaded(load) {
      const tags = { pipeline: load.pipeline, engine: load.engine };
      loaded.add(1, tags);
      rows.add(load.rows, tags);
      bytes.add(load.bytes, tags);
      duration.record(load.durationMs / 1000, tags);
    },
    failed: ({ pipeline, code }) => failed.add(1, { pipeline, code }),
    planned(batch) {
      const tags = { pipeline: batch.pipeline };
      planned.set(secondsOf(batch.plannedAt), tags);
      toLoad.set(batch.toLoad, tags);
      skipped.add(batch.skipped, tags);
      if (batch.scheduledFor !== undefined) {
        const late = secondsOf(batch.plannedAt) - secondsOf(batch.scheduledFor);
        lag.set(Math.max(0, late), tags);
      }
    },
    verified(pipeline, tables) {
      for (const { table, at } of tables) {
        const key = JSON.stringify([pipeline, table]);
        const seconds = secondsOf(at);
        if (seconds <= (newest.get(key) ?? -Infinity)) continue;
        newest.set(key, seconds);
        verified.set(seconds, { pipeline, table });
      }
    },
  };
}

function secondsOf(date: Date): number {
  return date.getTime() / 1000;
}
