import type { History, HistoryEvent, TableState } from '../../history/history';
import { verifiedTables } from '../../metrics/freshness';

/** What the report shows: plain data, which `--json` prints as it is. */
export interface Report {
  readonly generatedAt: string;
  readonly days: number;
  readonly pipelines: readonly PipelineReport[];
}

export interface PipelineReport {
  readonly pipeline: string;
  readonly tables: readonly TableReport[];
  /** One entry per day of the report's time, oldest first, days without loads included. */
  readonly daily: readonly DayReport[];
}

export interface DayReport {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly loads: number;
  readonly rows: number;
  readonly durationMs: number;
}

export interface TableReport {
  readonly table: string;
  readonly status: 'well' | 'failed' | 'running' | 'never loaded';
  /** When the published table was last known to equal its source, ISO 8601. */
  readonly verifiedAt?: string;
  /** The last thing that the history says of it. */
  readonly last?: Pick<HistoryEvent, 'kind' | 'recordedAt' | 'batch' | 'verdict' | 'reason'>;
  readonly rows?: number;
  readonly bytes?: number;
  readonly durationMs?: number;
  /** The last loads, oldest first. */
  readonly loads: readonly LoadReport[];
  readonly failure?: FailureReport;
}

export interface LoadReport {
  readonly at: string;
  readonly rows: number;
  readonly durationMs: number;
}

export interface FailureReport {
  readonly code: string;
  readonly error: string;
  readonly at: string;
  readonly workflowId?: string;
  readonly workflowRunId?: string;
}

const DAY_MS = 86_400_000;
/** Loads of one table that its curves show. */
const LOADS_SHOWN = 30;
/** Loads of one pipeline that are read: 10,000 tables a day for a month would be 300,000. */
const MOST_LOADS = 50_000;

/** Reads everything that the report shows of the last `days` days. */
export async function buildReport(
  history: History,
  pipelines: readonly string[],
  { now, days }: { readonly now: Date; readonly days: number },
): Promise<Report> {
  const since = new Date(now.getTime() - days * DAY_MS);
  const reports: PipelineReport[] = [];
  for (const pipeline of pipelines) {
    const states = await history.states(pipeline);
    const events = await history.events({ pipeline, kinds: ['SUCCEEDED'], limit: MOST_LOADS });
    reports.push(pipelineReport(pipeline, [...states.values()], events, { now, since }));
  }
  return { generatedAt: now.toISOString(), days, pipelines: reports };
}

/** `events` are successful loads, newest first. */
export function pipelineReport(
  pipeline: string,
  states: readonly TableState[],
  events: readonly HistoryEvent[],
  { now, since }: { readonly now: Date; readonly since: Date },
): PipelineReport {
  const recent = events
    .filter(({ recordedAt }) => Date.parse(recordedAt) >= since.getTime())
    .toReversed();
  const byTable = groupedBy(recent, ({ table }) => table);
  const verified = new Map(verifiedTables(states).map(({ table, at }) => [table, at]));
  return {
    pipeline,
    tables: states
      .map((state) => tableReport(state, verified.get(state.table), byTable.get(state.table) ?? []))
      .sort((a, b) => a.table.localeCompare(b.table, 'en')),
    daily: dailyTotals(recent, since, now),
  };
}

function tableReport(
  { table, last, lastSuccess }: TableState,
  verifiedAt: Date | undefined,
  events: readonly HistoryEvent[],
): TableReport {
  const { rowsPublished, rowsRead, bytes, durationMs } = lastSuccess ?? {};
  const rows = rowsPublished ?? rowsRead;
  return {
    table,
    status: statusOf(last, lastSuccess),
    ...(verifiedAt === undefined ? {} : { verifiedAt: verifiedAt.toISOString() }),
    ...(last === undefined ? {} : { last: shortened(last) }),
    ...(rows === undefined ? {} : { rows }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(durationMs === undefined ? {} : { durationMs }),
    loads: events.slice(-LOADS_SHOWN).map((event) => ({
      at: event.recordedAt,
      rows: event.rowsPublished ?? event.rowsRead ?? 0,
      durationMs: event.durationMs ?? 0,
    })),
    ...(last?.kind === 'FAILED' ? { failure: failureOf(last) } : {}),
  };
}

function statusOf(
  last: HistoryEvent | undefined,
  lastSuccess: HistoryEvent | undefined,
): TableReport['status'] {
  if (last?.kind === 'FAILED') return 'failed';
  if (last?.kind === 'STARTED') return 'running';
  return lastSuccess === undefined ? 'never loaded' : 'well';
}

function shortened({ kind, recordedAt, batch, verdict, reason }: HistoryEvent) {
  return {
    ...{ kind, recordedAt, batch },
    ...(verdict === undefined ? {} : { verdict }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function failureOf(event: HistoryEvent): FailureReport {
  const { workflowId, workflowRunId } = event;
  return {
    code: event.errorCode ?? 'Unknown',
    error: event.error ?? '',
    at: event.recordedAt,
    ...(workflowId === undefined ? {} : { workflowId }),
    ...(workflowRunId === undefined ? {} : { workflowRunId }),
  };
}

function dailyTotals(events: readonly HistoryEvent[], since: Date, now: Date): DayReport[] {
  const byDay = groupedBy(events, ({ recordedAt }) => recordedAt.slice(0, 10));
  const days: DayReport[] = [];
  for (let time = since.getTime() + DAY_MS; time < now.getTime() + DAY_MS; time += DAY_MS) {
    const day = new Date(time).toISOString().slice(0, 10);
    const loads = byDay.get(day) ?? [];
    days.push({
      day,
      loads: loads.length,
      rows: loads.reduce((sum, { rowsRead }) => sum + (rowsRead ?? 0), 0),
      durationMs: loads.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0),
    });
  }
  return days;
}

function groupedBy<Item>(items: readonly Item[], key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
