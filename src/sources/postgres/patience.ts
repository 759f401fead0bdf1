import { isDeepStrictEqual } from 'node:util';
import type { Evidence, EvidenceStrategy, TableToken } from '../../detection/detection';
import type { TokenRequest } from '../source';
import type { Session } from './session';

/**
 * Counters come late. A session hands its counts over when it falls quiet, but not twice within a
 * second; since PostgreSQL 15 what it kept back follows after 10 quiet seconds
 * (src/backend/utils/activity/pgstat.c, PGSTAT_MIN_INTERVAL and PGSTAT_IDLE_INTERVAL). Before that
 * it keeps them until its next statement or its end, and a collector process adds half a second.
 * Nothing is lost by this, since a later token differs from the saved one; but a change could be
 * seen one check late. So where a table would be skipped on its token alone, and a session may
 * still hold counts, the answer is worth a short wait.
 */
const IDLE_FLUSH_MS = 10_500;
const BUSY_FLUSH_MS = 1_500;
const COLLECTOR_MS = 1_000;

/** The longest that any other session of this database may still hold back counts, in milliseconds. */
const LATEST_FLUSH = `
SELECT coalesce(ceil(max(CASE
  WHEN backend_type IS NULL THEN $1::float8
  WHEN state IS DISTINCT FROM 'idle' THEN $2::float8
  ELSE $1::float8 - 1000 * extract(epoch FROM clock_timestamp() - state_change)
END)), 0) AS milliseconds
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND backend_type IS DISTINCT FROM 'autovacuum worker'
  AND backend_type IS DISTINCT FROM 'parallel worker'
  AND backend_type IS DISTINCT FROM 'walsender'`;

/**
 * How long to wait before counters that did not move are believed: 0 where no table depends on it,
 * at most the largest `settleMarginMs` of those that do. Sessions of other roles are hidden from a
 * user without pg_read_all_stats; for them the whole time counts.
 */
export async function counterPatience(
  session: Session,
  requests: readonly TokenRequest[],
  tokens: ReadonlyMap<string, TableToken>,
): Promise<number> {
  const margins = requests
    .filter((request) => restsOnCounters(request.previous, tokens.get(request.table.id)))
    .map(({ settleMarginMs }) => settleMarginMs);
  const margin = Math.max(0, ...margins);
  if (margin === 0) return 0;
  const isPrompt = session.version >= 150_000;
  const [row] = await session.query(LATEST_FLUSH, [
    isPrompt ? IDLE_FLUSH_MS : COLLECTOR_MS,
    isPrompt ? BUSY_FLUSH_MS : COLLECTOR_MS,
  ]);
  return Math.max(0, Math.min(margin, Number(row?.milliseconds)));
}

/** Whether nothing but unmoved counters would let the table be skipped. */
function restsOnCounters(before: TableToken | undefined, now: TableToken | undefined): boolean {
  return isSame('token', before, now) && !isSame('log', before, now);
}

function isSame(
  strategy: EvidenceStrategy,
  before: TableToken | undefined,
  now: TableToken | undefined,
): boolean {
  const [old, current] = [before, now].map((token): Evidence | undefined =>
    token?.evidence.find(
      (evidence) => evidence.strategy === strategy && evidence.distrust === undefined,
    ),
  );
  if (old === undefined || current === undefined) return false;
  return (
    isDeepStrictEqual(old.identity, current.identity) &&
    isDeepStrictEqual(old.values, current.values)
  );
}
