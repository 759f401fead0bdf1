import type { HistoryEvent } from '../../history/history';
import type { BatchSummary } from '../../workflows/api';
import type { Style } from '../render/style';
import { renderTable, type Cell, type Column } from '../render/table';
import { formatBytes, formatCount, formatElapsed } from '../render/units';

const COLUMNS: readonly Column[] = [
  { title: 'table' },
  { title: 'outcome' },
  { title: 'rows', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'took', align: 'right' },
  { title: 'why', flexible: true },
];

/** More unchanged tables than this are only counted. */
const MOST_SKIPS = 40;

/** Unchanged first, failures last: the end of the output is what a person sees. */
const ORDER: readonly HistoryEvent['kind'][] = ['SKIPPED', 'SUCCEEDED', 'STARTED', 'FAILED'];

/** What became of every table of a batch, as the history tells it. */
export function outcomeLines(
  summary: BatchSummary,
  outcomes: ReadonlyMap<string, HistoryEvent>,
  elapsedMs: number,
  width: number | undefined,
  style: Style,
): string[] {
  const events = [...outcomes.values()];
  const tooMany = events.filter(({ kind }) => kind === 'SKIPPED').length > MOST_SKIPS;
  const known = new Set(outcomes.keys());
  const rows = [
    ...events
      .filter(({ kind }) => kind !== 'RESET' && !(tooMany && kind === 'SKIPPED'))
      .sort(byOutcome)
      .map((event) => eventRow(event, style)),
    ...summary.failures
      .filter(({ table }) => !known.has(table))
      .map(({ table, error }) => failureRow(table, error, style)),
  ];
  const table = rows.length === 0 ? [] : [...renderTable(COLUMNS, rows, { width, style }), ''];
  return [...table, headline(summary, elapsedMs, style)];
}

function byOutcome(a: HistoryEvent, b: HistoryEvent): number {
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compare(a.table, b.table);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function eventRow(event: HistoryEvent, style: Style): Cell[] {
  const reason = [event.verdict, event.reason].filter((part) => part !== undefined).join(': ');
  switch (event.kind) {
    case 'SUCCEEDED':
      return [
        event.table,
        { text: 'loaded', paint: style.green },
        formatCount(event.rowsRead),
        formatBytes(event.bytes),
        formatElapsed(event.durationMs),
        reason,
      ];
    case 'SKIPPED':
    case 'RESET':
      return [event.table, { text: 'unchanged', paint: style.dim }, '', '', '', event.reason ?? ''];
    case 'FAILED':
      return failureRow(event.table, event.error ?? event.errorCode ?? '', style);
    case 'STARTED':
      return failureRow(event.table, 'began and did not end', style);
  }
}

function failureRow(table: string, error: string, style: Style): Cell[] {
  return [table, { text: 'failed', paint: style.red }, '', '', '', error];
}

function headline(summary: BatchSummary, elapsedMs: number, style: Style): string {
  const { pipeline, batch, loaded, failed, skipped, rows, bytes } = summary;
  const paint = failed > 0 ? style.red : style.green;
  const counts = [
    `${formatCount(loaded)} loaded`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    `${formatCount(skipped)} unchanged`,
  ];
  const moved = loaded > 0 ? `; ${formatCount(rows)} rows, ${formatBytes(bytes)}` : '';
  return `${style.bold(`${pipeline} ${batch}`)}  ${paint(counts.join(', '))}${moved} in ${formatElapsed(elapsedMs)}`;
}
