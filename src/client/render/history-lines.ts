import {
  isAdopted,
  type HistoryEvent,
  type HistoryEventKind,
  type TableState,
} from '../../history/history';
import type { Paint, Style } from './style';
import { renderTable, type Cell, type Column, type TableLayout } from './table';
import { formatBytes, formatCount, formatElapsed, formatTime } from './units';

export interface PipelineState extends TableState {
  readonly pipeline: string;
}

const WORDS: Readonly<Record<HistoryEventKind, string>> = {
  STARTED: 'started',
  SUCCEEDED: 'loaded',
  FAILED: 'failed',
  SKIPPED: 'unchanged',
  RESET: 'reset',
};

const STATE_COLUMNS: readonly Column[] = [
  { title: 'pipeline' },
  { title: 'table' },
  { title: 'loaded (UTC)' },
  { title: 'rows', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'took', align: 'right' },
  { title: 'last' },
  { title: 'at (UTC)' },
  { title: 'why', flexible: true },
];

/** One line per table: its last successful load, and the last thing that happened to it. */
export function stateLines(states: readonly PipelineState[], layout: TableLayout): string[] {
  if (states.length === 0) return ['nothing is recorded'];
  const rows = states.map(({ pipeline, table, lastSuccess, last }): Cell[] => [
    pipeline,
    table,
    formatTime(lastSuccess?.endedAt),
    formatCount(lastSuccess?.rowsPublished ?? lastSuccess?.rowsRead),
    formatBytes(lastSuccess?.bytes),
    formatElapsed(lastSuccess?.durationMs),
    last === undefined ? '' : kindCell(last, layout.style),
    formatTime(last?.recordedAt),
    last === undefined ? '' : why(last),
  ]);
  return renderTable(STATE_COLUMNS, rows, layout);
}

const EVENT_COLUMNS: readonly Column[] = [
  { title: 'at (UTC)' },
  { title: 'table' },
  { title: 'event' },
  { title: 'batch' },
  { title: 'mode' },
  { title: 'rows', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'took', align: 'right' },
  { title: 'attempts', align: 'right' },
  { title: 'why', flexible: true },
  { title: 'run' },
];

/** One line per event, in the order given. */
export function eventLines(events: readonly HistoryEvent[], layout: TableLayout): string[] {
  if (events.length === 0) return ['nothing is recorded'];
  const rows = events.map((event): Cell[] => [
    formatTime(event.recordedAt),
    event.table,
    kindCell(event, layout.style),
    event.batch,
    event.mode ?? '',
    formatCount(event.rowsRead),
    formatBytes(event.bytes),
    formatElapsed(event.durationMs),
    event.attempts === undefined || event.attempts < 2 ? '' : formatCount(event.attempts),
    why(event),
    event.run,
  ]);
  return renderTable(EVENT_COLUMNS, rows, layout);
}

/** The error of what failed, else the reason that the plan gave, and what changed in the table. */
function why(event: HistoryEvent): string {
  const { errorCode, error, verdict, reason, schemaChanges = [] } = event;
  if (errorCode !== undefined || error !== undefined) {
    return [errorCode, error].filter((part) => part !== undefined).join(': ');
  }
  // That such a table is unchanged stands in its own column.
  const isTold = event.kind === 'SKIPPED' || isAdopted(event);
  const decision = isTold ? [reason] : [verdict, reason];
  const changes = schemaChanges.length === 0 ? [] : [`columns: ${schemaChanges.join(', ')}`];
  return [decision.filter((part) => part !== undefined).join(': '), ...changes]
    .filter((part) => part !== '')
    .join('; ');
}

function kindCell(event: HistoryEvent, style: Style): Cell {
  const paints: Readonly<Record<HistoryEventKind, Paint>> = {
    STARTED: style.yellow,
    SUCCEEDED: style.green,
    FAILED: style.red,
    SKIPPED: style.dim,
    RESET: style.yellow,
  };
  return { text: isAdopted(event) ? 'adopted' : WORDS[event.kind], paint: paints[event.kind] };
}
