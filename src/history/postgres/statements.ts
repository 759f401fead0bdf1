import { quoteIdentifier } from '../../sources/postgres/identifiers';
import { EVENT_COLUMNS, isBrief, type FieldColumn, type FieldKind } from '../event-row';

/** Every statement of the history, for one schema. */
export interface Statements {
  /** One array per column of the event, `$1` to `$31`. */
  readonly append: string;
  /** `$1` pipeline. */
  readonly states: string;
  /** `$1` pipeline. */
  readonly briefStates: string;
  /** `$1` pipeline, `$2` table names. */
  readonly namedStates: string;
  /** Begins a query over events, to be continued with conditions. */
  readonly events: string;
  /** `$1` pipeline, `$2` batch. */
  readonly outcomes: string;
  /** `$1` pipeline, `$2` table, `$3` owner, `$4` time to live in milliseconds. */
  readonly take: string;
  /** `$1` pipeline, `$2` table, `$3` owner, `$4` fence, `$5` time to live in milliseconds. */
  readonly extend: string;
  /** `$1` pipeline, `$2` table, `$3` owner, `$4` fence. */
  readonly held: string;
  readonly free: string;
  /** `$1` pipeline, `$2` table. */
  readonly holder: string;
  /** `$1` pipeline; the table before what `holder` gives. */
  readonly holders: string;
}

const ARRAY_TYPES: Readonly<Record<FieldKind, string>> = {
  text: 'text[]',
  time: 'timestamptz[]',
  integer: 'bigint[]',
  json: 'jsonb[]',
};

const COLUMN_LIST = EVENT_COLUMNS.map(({ column }) => column).join(', ');

/** The columns of an event `e` in the forms that `fromRow` takes, whatever the session's settings. */
const EVENT_LIST = EVENT_COLUMNS.map(selected).join(', ');

/** In the places of the whole list. */
const BRIEF_LIST = EVENT_COLUMNS.map((one) => (isBrief(one) ? selected(one) : 'NULL')).join(', ');

function selected({ column, kind }: FieldColumn): string {
  if (kind === 'time') return isoText(`e.${column}`);
  return kind === 'json' ? `e.${column}::text` : `e.${column}`;
}

function isoText(time: string): string {
  return `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

export function statementsFor(schema: string): Statements {
  const events = `${quoteIdentifier(schema)}.historico_execucao`;
  const leases = `${quoteIdentifier(schema)}.comporta_lease`;
  const arrays = EVENT_COLUMNS.map(({ kind }, index) => `$${index + 1}::${ARRAY_TYPES[kind]}`);
  const thisLease = `pipeline = $1 AND table_name = $2 AND owner = $3 AND fence = $4`;
  return {
    // The order within one append is the order of its sequence.
    append: `INSERT INTO ${events} (${COLUMN_LIST})
      SELECT ${COLUMN_LIST}
      FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS event (${COLUMN_LIST}, ordinal)
      ORDER BY ordinal
      ON CONFLICT (id) DO NOTHING`,
    states: states(events, everyTable(events)),
    briefStates: states(events, everyTable(events), BRIEF_LIST),
    namedStates: states(events, 'SELECT DISTINCT unnest($2::text[])'),
    events: `SELECT ${EVENT_LIST} FROM ${events} e`,
    outcomes: `SELECT ${EVENT_LIST} FROM ${events} e
      WHERE e.pipeline = $1 AND e.batch = $2 AND e.kind <> 'RESET' ORDER BY e.sequence`,
    // clock_timestamp() and not now(): the statement may have waited for another that ended meanwhile.
    take: `INSERT INTO ${leases} AS lease (pipeline, table_name, fence, owner, expires_at)
      VALUES ($1, $2, greatest(1, floor(extract(epoch FROM clock_timestamp()))::bigint), $3,
        ${after('$4')})
      ON CONFLICT (pipeline, table_name) DO UPDATE
        SET fence = lease.fence + 1, owner = excluded.owner, expires_at = ${after('$4')}
        WHERE lease.owner IS NULL OR lease.owner = excluded.owner
          OR lease.expires_at <= clock_timestamp()
      RETURNING fence`,
    extend: `UPDATE ${leases} SET expires_at = ${after('$5')} WHERE ${thisLease} RETURNING fence`,
    held: `SELECT fence FROM ${leases} WHERE ${thisLease} AND expires_at > clock_timestamp()`,
    free: `UPDATE ${leases} SET owner = NULL, expires_at = NULL WHERE ${thisLease}`,
    holder: `SELECT owner, ${isoText('expires_at')} FROM ${leases}
      WHERE pipeline = $1 AND table_name = $2 AND expires_at > clock_timestamp()`,
    holders: `SELECT table_name, owner, ${isoText('expires_at')} FROM ${leases}
      WHERE pipeline = $1 AND expires_at > clock_timestamp()`,
  };
}

function after(milliseconds: string): string {
  return `clock_timestamp() + ${milliseconds}::double precision * interval '1 millisecond'`;
}

/** From table to table through the index, without reading the events between. */
function everyTable(events: string): string {
  return `(SELECT table_name FROM ${events} WHERE pipeline = $1 ORDER BY table_name LIMIT 1)
    UNION ALL
    SELECT next.table_name FROM known CROSS JOIN LATERAL (
      SELECT table_name FROM ${events}
      WHERE pipeline = $1 AND table_name > known.table_name ORDER BY table_name LIMIT 1) next`;
}

/**
 * The last event of each table and its success that no reset followed, with 1 for the former plus
 * 2 for the latter. LATERAL, so that each table is looked up by index, whatever the planner
 * believes about their number.
 */
function states(events: string, tables: string, list = EVENT_LIST): string {
  const latest = (condition: string) => `(SELECT max(e.sequence) FROM ${events} e
      WHERE e.pipeline = $1 AND e.table_name = known.table_name${condition})`;
  return `WITH RECURSIVE known (table_name) AS (${tables}),
    latest AS MATERIALIZED (
      SELECT ${latest('')} AS last,
        ${latest(` AND e.kind IN ('SUCCEEDED', 'RESET')`)} AS standing
      FROM known)
    SELECT (e.sequence = last)::int
        + 2 * (e.sequence IS NOT DISTINCT FROM standing AND e.kind = 'SUCCEEDED')::int,
      ${list}
    FROM latest CROSS JOIN LATERAL (
      SELECT * FROM ${events} WHERE sequence IN (last, standing) OFFSET 0) e`;
}
