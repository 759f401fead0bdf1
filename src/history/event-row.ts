import { ComportaError } from '../errors';
import type { HistoryEvent } from './history';

/** How a field is kept: whole numbers up to 2^53, times as ISO 8601 in UTC, the rest as JSON. */
export type FieldKind = 'text' | 'time' | 'integer' | 'json';

export interface FieldColumn {
  readonly column: string;
  readonly kind: FieldKind;
}

/**
 * The columns of `historico_execucao`, one per field of an event. The order is that of `toRow`
 * and of every statement, those kept as JSON last; the migrations say the same in SQL.
 */
export const EVENT_FIELDS = {
  id: { column: 'id', kind: 'text' },
  kind: { column: 'kind', kind: 'text' },
  recordedAt: { column: 'recorded_at', kind: 'time' },
  pipeline: { column: 'pipeline', kind: 'text' },
  table: { column: 'table_name', kind: 'text' },
  batch: { column: 'batch', kind: 'text' },
  run: { column: 'run', kind: 'text' },
  mode: { column: 'mode', kind: 'text' },
  engine: { column: 'engine', kind: 'text' },
  verdict: { column: 'verdict', kind: 'text' },
  reason: { column: 'reason', kind: 'text' },
  cursorHigh: { column: 'cursor_high', kind: 'text' },
  rowsAtSource: { column: 'rows_at_source', kind: 'integer' },
  rowsRead: { column: 'rows_read', kind: 'integer' },
  rowsWritten: { column: 'rows_written', kind: 'integer' },
  rowsPublished: { column: 'rows_published', kind: 'integer' },
  invalidValues: { column: 'invalid_values', kind: 'integer' },
  bytes: { column: 'bytes', kind: 'integer' },
  bytesBilled: { column: 'bytes_billed', kind: 'integer' },
  startedAt: { column: 'started_at', kind: 'time' },
  endedAt: { column: 'ended_at', kind: 'time' },
  durationMs: { column: 'duration_ms', kind: 'integer' },
  attempts: { column: 'attempts', kind: 'integer' },
  errorCode: { column: 'error_code', kind: 'text' },
  error: { column: 'error', kind: 'text' },
  schemaFingerprint: { column: 'schema_fingerprint', kind: 'text' },
  workflowId: { column: 'workflow_id', kind: 'text' },
  workflowRunId: { column: 'workflow_run_id', kind: 'text' },
  token: { column: 'token', kind: 'json' },
  files: { column: 'files', kind: 'json' },
  columns: { column: 'columns', kind: 'json' },
  schemaChanges: { column: 'schema_changes', kind: 'json' },
} as const satisfies Readonly<Record<keyof Required<HistoryEvent>, FieldColumn>>;

const FIELDS = Object.entries(EVENT_FIELDS) as [keyof HistoryEvent, FieldColumn][];

export const EVENT_COLUMNS: readonly FieldColumn[] = FIELDS.map(([, column]) => column);

export type RowValue = string | number | null;

/**
 * An event as the values of one row; absent fields are null.
 *
 * PostgreSQL keeps neither U+0000 nor half a surrogate pair in text, and the SQLite client cuts a
 * text off at U+0000 when it reads; both become U+FFFD, so that an error message with such a
 * character is recorded and not lost.
 *
 * @throws ComportaError HistoryFailed, naming the field, for a number that is not whole or a time
 *   that is none: such a row would say something other than what happened.
 */
export function toRow(event: HistoryEvent): RowValue[] {
  return FIELDS.map(([field, { kind }]) => {
    const value = event[field];
    if (value === undefined) return null;
    switch (kind) {
      case 'text':
        return keepable(value as string);
      case 'time':
        return checkedTime(event, field, value as string);
      case 'integer':
        return checkedInteger(event, field, value as number);
      case 'json':
        return keepableJson(value);
    }
  });
}

/**
 * The event of a row; the inverse of `toRow`. Takes whole numbers as text too, as pg gives them.
 * @param offset where in the row the columns of the event begin. Default 0.
 *
 * What is kept as JSON is parsed when it is first asked for: a plan over ten thousand tables reads
 * the token of each, and never the columns and files, which would take most of its time.
 */
export function fromRow(row: readonly unknown[], offset = 0): HistoryEvent {
  const event: Partial<Record<keyof HistoryEvent, unknown>> = {};
  for (const [index, [field, { kind }]] of FIELDS.entries()) {
    const value = row[offset + index];
    if (value === null || value === undefined) continue;
    if (kind === 'json') defineParsed(event, field, value as string);
    else event[field] = kind === 'integer' ? Number(value) : value;
  }
  return event as unknown as HistoryEvent;
}

function defineParsed(event: object, field: string, json: string): void {
  const properties = { enumerable: true, configurable: true };
  Object.defineProperty(event, field, {
    ...properties,
    get() {
      const value: unknown = JSON.parse(json);
      Object.defineProperty(event, field, { ...properties, value, writable: true });
      return value;
    },
  });
}

function checkedTime(event: HistoryEvent, field: string, value: string): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) {
    throw notRecordable(event, `${field} is not an ISO 8601 time: ${JSON.stringify(value)}`);
  }
  return time.toISOString();
}

function checkedInteger(event: HistoryEvent, field: string, value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw notRecordable(event, `${field} is not a whole number: ${value}`);
  }
  return value;
}

function notRecordable(event: HistoryEvent, problem: string): ComportaError {
  return new ComportaError(
    'HistoryFailed',
    `the ${event.kind} event cannot be recorded: ${problem}`,
    {
      pipeline: event.pipeline,
      table: event.table,
    },
  );
}

const NOT_KEEPABLE =
  // eslint-disable-next-line no-control-regex
  /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function keepable(text: string): string {
  return text.replace(NOT_KEEPABLE, '\ufffd');
}

/** JSON.stringify writes both as escapes; an escaped backslash before them is stepped over. */
function keepableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /(\\\\)|\\u(?:0000|d[89a-f][0-9a-f]{2})/g,
    (_escape, backslash: string | undefined) => backslash ?? '\ufffd',
  );
}
