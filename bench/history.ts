import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventId, type History, type HistoryEvent } from '../src/history/history';
import { openSqliteHistory } from '../src/history/sqlite';
import type { ColumnSpec } from '../src/types/logical';
import { median, timed } from './measure';

export interface HistoryFigure {
  readonly events: number;
  readonly tables: number;
  /** Recording a night in which every table was skipped. */
  readonly appendMs: number;
  /** What a plan asks for: last event and last success of every table. */
  readonly statesMs: number;
  /** What one load asks for. */
  readonly stateOfOneMs: number;
  readonly outcomesMs: number;
  readonly latestEventsMs: number;
  readonly bytesPerEvent: number;
}

const PIPELINE = 'sales';
const REPEATS = 5;

/** A SQLite history of one load of each table and many nights in which nothing changed. */
export async function benchHistory(tables: number, nights: number): Promise<HistoryFigure> {
  const folder = await mkdtemp(join(tmpdir(), 'comporta-bench-'));
  const path = join(folder, 'history.db');
  try {
    const history = await openSqliteHistory(path);
    const names = Array.from({ length: tables }, (_, index) => `public.table_${index}`);
    await history.append(names.map(loaded));
    for (let night = 0; night < nights; night++) {
      await history.append(names.map((name) => skipped(name, `night-${night}`)));
    }
    const figure = await measure(history, names);
    await history.close();
    const events = tables * (1 + nights + REPEATS);
    return { events, tables, ...figure, bytesPerEvent: (await stat(path)).size / events };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(history: History, names: readonly string[]) {
  const milliseconds = async (ask: (repeat: number) => Promise<unknown>) => {
    const figures: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      figures.push((await timed(() => ask(repeat))).seconds * 1000);
    }
    return median(figures);
  };
  return {
    appendMs: await milliseconds((repeat) =>
      history.append(names.map((name) => skipped(name, `measured-${repeat}`))),
    ),
    statesMs: await milliseconds(() => history.states(PIPELINE)),
    stateOfOneMs: await milliseconds(() => history.states(PIPELINE, names.slice(0, 1))),
    outcomesMs: await milliseconds(() => history.outcomes(PIPELINE, 'measured-0')),
    latestEventsMs: await milliseconds(() => history.events({ pipeline: PIPELINE })),
  };
}

function common(kind: HistoryEvent['kind'], table: string, batch: string): HistoryEvent {
  return {
    id: eventId({ kind, pipeline: PIPELINE, table, scope: batch }),
    kind,
    recordedAt: '2026-03-01T02:00:00.123Z',
    pipeline: PIPELINE,
    table,
    batch,
    run: kind === 'SKIPPED' ? '' : `${batch}-run`,
  };
}

const SERVER = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

function skipped(table: string, batch: string): HistoryEvent {
  return {
    ...common('SKIPPED', table, batch),
    verdict: 'unchanged',
    reason: `log: the server has logged nothing since (gtid ${SERVER}:1-7711)`,
  };
}

const COLUMNS: readonly ColumnSpec[] = Array.from({ length: 15 }, (_, index) => ({
  name: `column_${index}`,
  type: { kind: 'decimal', precision: 12, scale: 2 },
  nullable: true,
  sourceType: 'decimal(12,2)',
}));

function loaded(table: string): HistoryEvent {
  return {
    ...common('SUCCEEDED', table, 'first'),
    mode: 'full',
    engine: 'embedded',
    token: {
      sourceTime: '2026-03-01T02:00:00.123456Z',
      evidence: [
        { strategy: 'log', identity: { server: SERVER }, values: { gtid: `${SERVER}:1-7711` } },
        { strategy: 'token', identity: { server: SERVER }, values: { UPDATE_TIME: '2026-02-28' } },
      ],
    },
    rowsRead: 1000,
    columns: COLUMNS,
    files: ['raw/sales/table/part-0000.parquet'],
  };
}
