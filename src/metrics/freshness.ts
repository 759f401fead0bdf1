import type { BriefState } from '../history/history';
import type { VerifiedTable } from './metrics';

/**
 * When each table was last known to equal its source, from the history: its last load began then, or
 * the last that was heard of it is a skip. After a skip and a failure only the load is known, so a
 * table may seem older than it is, never newer.
 */
export function verifiedTables(states: Iterable<BriefState>): VerifiedTable[] {
  return [...states].flatMap(({ table, lastSuccess, last }) => {
    const times = [
      lastSuccess?.startedAt,
      // An operator's skip proves nothing.
      last?.kind === 'SKIPPED' && last.verdict === 'unchanged' ? last.recordedAt : undefined,
    ].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]));
    return times.length === 0 ? [] : [{ table, at: new Date(Math.max(...times)) }];
  });
}
