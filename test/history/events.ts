import { eventId, type HistoryEvent, type HistoryEventKind } from '../../src/history/history';

/** A small event; `scope` is its run and batch, and makes its id. */
export function event(
  kind: HistoryEventKind,
  table: string,
  scope: string,
  more: Partial<HistoryEvent> = {},
): HistoryEvent {
  const pipeline = more.pipeline ?? 'sales';
  return {
    id: eventId({ kind, pipeline, table, scope }),
    kind,
    recordedAt: '2026-03-01T02:00:00.123Z',
    pipeline,
    table,
    batch: kind === 'RESET' ? '' : scope,
    run: kind === 'RESET' || kind === 'SKIPPED' ? '' : scope,
    ...more,
  };
}

/** An event with a value in every field. */
export const FULL_EVENT: Required<HistoryEvent> = {
  id: 'SUCCEEDED/sales/orders/run-1',
  kind: 'SUCCEEDED',
  recordedAt: '2026-03-01T02:00:09.007Z',
  pipeline: 'sales',
  table: 'orders',
  batch: 'batch-1',
  run: 'run-1',
  mode: 'incremental',
  engine: 'embedded',
  verdict: 'changed',
  reason: 'token: UPDATE_TIME 10:00:00 → 10:00:07',
  token: {
    sourceTime: '2026-03-01T02:00:01.123456Z',
    evidence: [
      {
        strategy: 'token',
        identity: { server: 'a1', started: null },
        values: { UPDATE_TIME: '2026-03-01 01:59:59', 'leaf "p1"\\u0041': null },
        distrust: 'not settled',
      },
      { strategy: 'log', identity: {}, values: { position: 'binlog.000001:4' }, touched: 'yes' },
    ],
    settings: 'f0',
  },
  cursorHigh: '2026-03-01 01:59:59.999999',
  rowsAtSource: Number.MAX_SAFE_INTEGER,
  rowsRead: 3,
  rowsWritten: 0,
  rowsPublished: 4_000_000_000,
  invalidValues: 1,
  bytes: 2 ** 45,
  bytesBilled: 10_485_760,
  startedAt: '2026-03-01T02:00:00.000Z',
  endedAt: '2026-03-01T02:00:08.999Z',
  durationMs: 8999,
  attempts: 2,
  errorCode: 'SourceInterrupted',
  error: 'cut; "quoted", \'single\', \\ backslash,\nnew line, 💥, %s',
  files: ['raw/sales/orders/part-0000.parquet', 'raw/sales/a "b",{c}\\d/part-0001.parquet'],
  columns: [
    {
      name: 'id',
      type: { kind: 'int', bits: 64, signed: false },
      nullable: false,
      sourceType: 'bigint unsigned',
    },
    {
      name: 'preço {1}',
      type: { kind: 'decimal', precision: 12, scale: 2 },
      nullable: true,
      sourceType: 'decimal(12,2)',
      comment: 'in "reais"',
    },
  ],
  schemaFingerprint: 'ab'.repeat(32),
  schemaChanges: ['added c int64', 'retyped d int32 → int64'],
  workflowId: 'ingest/sales/orders/batch-1',
  workflowRunId: '0190-run',
};

/** Names that break what is put together without care. */
export const HOSTILE_NAMES = [
  'with space',
  'public.with.dots',
  `quote"s'and\`ticks`,
  'select',
  '100%_\\',
  'emoji 🐘',
  '{a,b}',
  'ação',
  '__proto__',
  '',
];
