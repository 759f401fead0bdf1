/**
 * What holds where a file says nothing, in the words of the files. The schema publishes these as
 * its defaults and `build.ts` reads them as it reads a file, so the two cannot differ.
 */
export const DEFAULT_SETTINGS = {
  engine: 'embedded',
  mode: 'full',
  detection: { strategy: 'auto', settleMargin: '5s', maxSkipAge: '24h' },
  timeout: '2h',
  attempts: 3,
  invalidDates: 'null',
  onSchemaChange: 'accept',
  chunkSize: '256MiB',
  guard: { maxDropShare: 0.5 },
} as const;

export const DEFAULT_GRANULARITY = 'day';
export const DEFAULT_LOOK_BACK = 0;
export const DEFAULT_REDACTION = '***';
export const DEFAULT_INCLUDE = ['*'] as const;
export const DEFAULT_SCHEMAS = ['public'] as const;
export const DEFAULT_COMPRESSION = 'zstd';
export const DEFAULT_ZSTD_LEVEL = 1;
export const DEFAULT_RETENTION = { runs: 3, days: 0 } as const;
export const DEFAULT_SCHEDULE = {
  timeZone: 'UTC',
  overlap: 'skip',
  catchUp: '1h',
  paused: false,
} as const;
export const DEFAULT_CONCURRENCY = 8;

export const DEFAULT_PORTS = { mysql: 3306, postgres: 5432, smtp: 587 } as const;
export const DEFAULT_TLS_MODE = 'prefer';
export const DEFAULT_CONNECT_TIMEOUT = '10s';
export const DEFAULT_SILENCE_TIMEOUT = '15s';
export const DEFAULT_REGION = 'us-east-1';
export const DEFAULT_BATCH_TTL = '4h';
export const DEFAULT_CLUSTER_WORKERS = 2;
export const DEFAULT_CLUSTER_IDLE_TTL = '10m';
export const DEFAULT_CLUSTER_MAX_AGE = '1d';
export const DEFAULT_RUN_TIMEOUT = '4h';
/** Relative to the pipelines folder. */
export const DEFAULT_HISTORY_PATH = '../.comporta/history.db';
export const DEFAULT_HISTORY_SCHEMA = 'comporta';
