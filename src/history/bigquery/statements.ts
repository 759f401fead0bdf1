import { EVENT_COLUMNS, isBrief, type FieldColumn } from '../event-row';

/** Every statement of the history, for one dataset. All values are parameters. */
export interface Statements {
  /** `@events`: a JSON array of rows, each an array of text or null in the order of `EVENT_COLUMNS`. */
  readonly append: string;
  /** `@pipeline`. */
  readonly states: string;
  /** `@pipeline`. Names every column that it reads: those are what is charged. */
  readonly briefStates: string;
  /** `@pipeline`, `@tables`. */
  readonly namedStates: string;
  /** No row. As it reads no table it costs nothing, and still tells whether BigQuery answers. */
  readonly nothing: string;
  /** `@pipeline`, `@batch`. */
  readonly outcomes: string;
  /** `@pipeline`, `@limit`, and one parameter for each part of the query that is given. */
  events(given: {
    readonly table: boolean;
    readonly batch: boolean;
    readonly kinds: boolean;
  }): string;
}

/** The table of all recordings; the views show each event once. */
export const RECORDINGS = 'historico_execucao_gravacao';

const COLUMN_LIST = EVENT_COLUMNS.map(({ column }) => column).join(', ');

/** In the order of `EVENT_COLUMNS`; times as milliseconds since 1970. */
const EVENT_LIST = EVENT_COLUMNS.map(selected).join(', ');

const BRIEF_COLUMNS = EVENT_COLUMNS.filter(isBrief);

function selected({ column, kind }: FieldColumn): string {
  return kind === 'time' ? `UNIX_MILLIS(${column}) AS ${column}` : column;
}

/**
 * Which of several recordings of an event stands: the first. Recordings are not looked for before
 * they are made, as BigQuery has no index for that and charges for what it reads.
 */
const FIRST_RECORDING = 'ROW_NUMBER() OVER (PARTITION BY id ORDER BY sequence) = 1';

const NEWEST_FIRST = 'sequence DESC, id DESC';

/** @param place names a table of the dataset, in quotes. */
export function statementsFor(place: (table: string) => string): Statements {
  const recordings = place(RECORDINGS);
  const once = (condition: string, columns = '*') =>
    `SELECT ${columns} FROM ${recordings} WHERE pipeline = @pipeline${condition} QUALIFY ${FIRST_RECORDING}`;
  return {
    // The clock is BigQuery's, read once per statement: a statement that begins after another has
    // ended has a later time. It counts microseconds, and no statement adds rows faster.
    append: `INSERT INTO ${recordings} (sequence, ${COLUMN_LIST})
      SELECT UNIX_MICROS(CURRENT_TIMESTAMP()) + position, ${EVENT_COLUMNS.map(valueOf).join(', ')}
      FROM UNNEST(JSON_QUERY_ARRAY(@events)) AS event WITH OFFSET AS position`,
    states: states(once('')),
    briefStates: states(
      once('', ['sequence', 'id', ...BRIEF_COLUMNS.map(({ column }) => column)].join(', ')),
      BRIEF_COLUMNS.map(selected).join(', '),
    ),
    namedStates: states(once(' AND table_name IN UNNEST(@tables)')),
    nothing: 'SELECT 0 AS marks LIMIT 0',
    outcomes: `SELECT ${EVENT_LIST} FROM (${once('')})
      WHERE batch = @batch AND kind <> 'RESET' ORDER BY sequence, id`,
    events({ table, batch, kinds }) {
      const condition =
        (table ? ' AND table_name = @table' : '') + (kinds ? ' AND kind IN UNNEST(@kinds)' : '');
      return `SELECT ${EVENT_LIST} FROM (${once(condition)})
        ${batch ? 'WHERE batch = @batch' : ''} ORDER BY ${NEWEST_FIRST} LIMIT @limit`;
    },
  };
}

function valueOf({ kind }: FieldColumn, index: number): string {
  const text = `JSON_VALUE(event, '$[${index}]')`;
  if (kind === 'time') return `CAST(${text} AS TIMESTAMP)`;
  return kind === 'integer' ? `CAST(${text} AS INT64)` : text;
}

/** With 1 for a table's last event, plus 2 for its success that no reset followed. */
function states(events: string, list = EVENT_LIST): string {
  const newest = (among: string) =>
    `ROW_NUMBER() OVER (PARTITION BY ${among} ORDER BY ${NEWEST_FIRST}) = 1`;
  return `SELECT IF(is_last, 1, 0) + IF(is_standing, 2, 0) AS marks, ${list}
    FROM (
      SELECT *, ${newest('table_name')} AS is_last,
        kind = 'SUCCEEDED' AND ${newest(`table_name, kind IN ('SUCCEEDED', 'RESET')`)} AS is_standing
      FROM (${events}))
    WHERE is_last OR is_standing`;
}
