import type { Logger as TemporalLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

/** What the SDK tells of itself while all goes well is of use only when looking for a fault. */
const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug',
  WARN: 'warn',
  ERROR: 'error',
} as const;

/** Lets the Temporal SDK log through the project's own logger, at the same levels. */
export function temporalLogger(log: Logger): TemporalLogger {
  return {
    log: (level, message, meta) => log[LEVELS[level]]({ ...meta }, message),
    trace: (message, meta) => log.trace({ ...meta }, message),
    debug: (message, meta) => log.debug({ ...meta }, message),
    info: (message, meta) => log.debug({ ...meta }, message),
    warn: (message, meta) => log.warn({ ...meta }, message),
    error: (message, meta) => log.error({ ...meta }, message),
  };
}
