import { createHash } from 'node:crypto';
import type { Destination } from '../destinations/destination';
import type { Pipeline, TableSettings } from '../pipeline/pipeline';

/**
 * Hex digest of everything in the pipeline file that decides what ends up in the lake for a table.
 * Timeouts, detection, guards and engines are left out: they change how, not what.
 */
export function settingsFingerprint(
  pipeline: Pipeline,
  settings: TableSettings,
  destination: Destination,
): string {
  const shaping = [
    destination.description,
    pipeline.domain,
    settings.mode,
    settings.key ?? null,
    settings.cursor?.column ?? null,
    settings.excludeColumns,
    settings.textColumns,
    Object.entries(settings.masks).sort(([a], [b]) => (a < b ? -1 : 1)),
    settings.where ?? null,
    settings.invalidDates,
    // Of a pipeline that does not say it the digest stays what it was.
    ...(settings.bigquery === undefined ? [] : [settings.bigquery]),
  ];
  return createHash('sha256').update(JSON.stringify(shaping)).digest('hex').slice(0, 32);
}
