import type { Session } from './session';

/** What a server says of itself when tokens are read. */
export interface ServerFacts {
  /** UTC, ISO 8601, microseconds. */
  readonly sourceTime: string;
  /** `xmin:xmax:xip` of pg_current_snapshot(). */
  readonly snapshot: string;
  readonly isReplica: boolean;
  /** Undefined: rows are counted for every role and database. */
  readonly uncounted: string | undefined;
  /** Which server, and since when it has run without losing its memory. */
  readonly identity: ServerIdentity;
  /** Since when the database's counters count; null: always. */
  readonly countersReset: string | null;
}

export interface ServerIdentity extends Readonly<Record<string, string | null>> {
  /** The cluster's identifier; null where this user may not read it. */
  readonly system: string | null;
  readonly database: string | null;
  readonly started: string | null;
  /**
   * When the server's statistics last began anew. They do after every unclean stop, also when one
   * killed process took the others down and the postmaster lived on with its old start time: row
   * counters begin at 0 then, and unlogged tables are empty without any transaction.
   */
  readonly statisticsKeptSince: string | null;
}

/** Functions, not the views over them: some administrators take the views from the public. */
const FACTS = `
SELECT
  to_char(clock_timestamp() AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS source_time,
  pg_current_snapshot() AS snapshot,
  pg_is_in_recovery()::int4 AS replica,
  pg_postmaster_start_time() AS started,
  pg_stat_get_bgwriter_stat_reset_time() AS statistics_kept_since,
  pg_stat_get_db_stat_reset_time(d.oid) AS counters_reset,
  d.oid AS database,
  current_setting('track_counts') AS track_counts,
  (SELECT count(*) FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
   WHERE setting ILIKE 'track_counts=%') AS overrides,
  has_function_privilege('pg_control_system()', 'EXECUTE')::int4
    AS may_read_control
FROM pg_database d
WHERE d.datname = current_database()`;

const SYSTEM = 'SELECT system_identifier AS system FROM pg_control_system()';

/** Reads the facts; inside a transaction that printed dates in UTC. */
export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [facts] = await session.query(FACTS);
  const [control] = facts?.may_read_control === '1' ? await session.query(SYSTEM) : [];
  return {
    sourceTime: facts?.source_time ?? '',
    snapshot: facts?.snapshot ?? '',
    isReplica: facts?.replica !== '0',
    uncounted: uncounted(facts?.track_counts, facts?.overrides),
    identity: {
      system: control?.system ?? null,
      database: facts?.database ?? null,
      started: facts?.started ?? null,
      statisticsKeptSince: facts?.statistics_kept_since ?? null,
    },
    countersReset: facts?.counters_reset ?? null,
  };
}

function uncounted(
  setting: string | null | undefined,
  overrides: string | null | undefined,
): string | undefined {
  if (setting !== 'on') return 'track_counts is off, so the server does not count changes';
  if (overrides !== '0') return 'track_counts is set for some role or database of its own';
  return undefined;
}
