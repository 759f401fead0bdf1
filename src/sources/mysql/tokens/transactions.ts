import type { Session } from '../connection';

/** An open transaction of another session that may still write. */
export interface OpenTransaction {
  /** Microseconds since 1970 UTC, whole seconds. The earlier one where the clock was set back. */
  readonly startedAt: bigint;
  /** Whether it has changed rows that it has not committed yet. */
  readonly modified: boolean;
}

/** How often to ask for a list that is current, see {@link readOpenTransactions}. */
const ATTEMPTS = 8;

/**
 * The server's list of transactions is a copy, renewed only when nobody has read it for 100 ms
 * (CACHE_MIN_IDLE_TIME in storage/innobase/trx/trx0i_s.cc of both servers): a monitor that looks
 * more often freezes it.
 */
const RENEWAL_MS = 100;

/**
 * The open transactions that are not read-only, current as of a moment after this call began;
 * undefined when the server keeps answering with an old list. Needs the right PROCESS.
 *
 * What tells a current list from an old one is a transaction that this session begins for the
 * purpose. TRX_STARTED is in the time zone of the operating system, whatever the session's;
 * where clocks were set back, an hour exists twice and the earlier one is taken.
 */
export async function readOpenTransactions(
  session: Session,
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<readonly OpenTransaction[] | undefined> {
  await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const rows = await session.query(LIST);
      if (rows.some((row) => row['own'] === '1')) {
        return rows
          .filter((row) => row['own'] !== '1' && row['read_only'] !== '1')
          .map((row) => ({
            startedAt: BigInt(row['started'] ?? 0) * 1_000_000n,
            modified: row['modified'] !== '0',
          }));
      }
      // Others who wait in the same way must not keep meeting.
      await wait(RENEWAL_MS * (1 + Math.random() * attempt));
    }
    return undefined;
  } finally {
    await session.query('ROLLBACK');
  }
}

/**
 * Lets callers share readings: each gets one that began after its call, and only one is under way
 * at a time. So many loads at once do not keep the server's list from being renewed.
 */
export function sharedReading<Answer>(read: () => Promise<Answer>): () => Promise<Answer> {
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<Answer> | undefined;
  return () => {
    next ??= current.then(() => {
      const reading = read();
      current = reading.catch(() => undefined);
      next = undefined;
      return reading;
    });
    return next;
  };
}

const LIST = `
  SELECT own, read_only, modified,
         TIMESTAMPDIFF(SECOND, '1970-01-01', IF(CONVERT_TZ(utc - INTERVAL 1 HOUR, '+00:00', 'SYSTEM') = local,
                                                utc - INTERVAL 1 HOUR, utc)) AS started
  FROM (SELECT trx_mysql_thread_id = CONNECTION_ID() AS own, trx_is_read_only AS read_only,
               trx_rows_modified AS modified, trx_started AS local,
               CONVERT_TZ(trx_started, 'SYSTEM', '+00:00') AS utc
        FROM information_schema.INNODB_TRX) AS transactions`;
