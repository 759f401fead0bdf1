import type { TableSettings } from '../../src/pipeline/pipeline';

/** As a pipeline file without a word about its tables has them, but for chunks: tables stay whole. */
export const FULL_LOAD: TableSettings = {
  engine: 'embedded',
  mode: 'full',
  detection: { strategy: 'auto', settleMarginMs: 5_000, maxSkipAgeMs: 86_400_000 },
  timeoutMs: 7_200_000,
  maximumAttempts: 3,
  excludeColumns: [],
  textColumns: [],
  masks: {},
  invalidDates: 'null',
  onSchemaChange: 'accept',
  chunkBytes: 'off',
  guard: { maxDropShare: 0.5 },
};
