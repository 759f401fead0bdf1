import type { TableToken, Verdict } from '../detection/detection';
import type { EngineName, LoadMode } from '../pipeline/pipeline';
import type { ColumnSpec } from '../types/logical';

/**
 * Historico_Execucao: what was loaded, when, how many rows, in how long, by which run, from which
 * state of the source. Append-only events; the latest state of each table is a view over them.
 * The contract asks nothing of a store that BigQuery cannot give: append a batch, read the view.
 */
export type HistoryEventKind = 'STARTED' | 'SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'RESET';

export interface HistoryEvent {
  /** Idempotency: appending an id that is already there changes nothing. See `eventId`. */
  readonly id: string;
  readonly kind: HistoryEventKind;
  /** The recorder's clock, UTC, ISO 8601 with milliseconds: for people, never compared with tokens. */
  readonly recordedAt: string;
  readonly pipeline: string;
  readonly table: string;
  /** Empty for RESET. */
  readonly batch: string;
  /** Empty for SKIPPED and RESET, and for a load that was another system's: see `isAdopted`. */
  readonly run: string;
  readonly mode?: LoadMode;
  readonly engine?: EngineName;
  readonly verdict?: Verdict['verdict'];
  readonly reason?: string;
  /** The token read before the snapshot; only a SUCCEEDED event's counts for the next plan. */
  readonly token?: TableToken;
  readonly cursorHigh?: string;
  readonly rowsAtSource?: number;
  readonly rowsRead?: number;
  readonly rowsWritten?: number;
  /** Rows in the published state after the load (differs from rowsWritten when rows were merged). */
  readonly rowsPublished?: number;
  readonly invalidValues?: number;
  readonly bytes?: number;
  /** What BigQuery charges for, where the table lies there; loading and copying cost nothing. */
  readonly bytesBilled?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly attempts?: number;
  readonly errorCode?: string;
  readonly error?: string;
  /** Paths relative to the lake's root. */
  readonly files?: readonly string[];
  readonly columns?: readonly ColumnSpec[];
  readonly schemaFingerprint?: string;
  /** Against the load before: `added a int64`, `dropped b`, `retyped c int32 → int64`. */
  readonly schemaChanges?: readonly string[];
  readonly workflowId?: string;
  readonly workflowRunId?: string;
}

/** Where a table stands: its last success since the last RESET, and the last thing that happened. */
export interface TableState {
  readonly table: string;
  readonly lastSuccess?: HistoryEvent;
  readonly last?: HistoryEvent;
}

/** As much of a TableState as tells when a table was last known to equal its source. */
export interface BriefState {
  readonly table: string;
  readonly lastSuccess?: Pick<HistoryEvent, 'startedAt'>;
  readonly last?: Pick<HistoryEvent, 'kind' | 'recordedAt' | 'verdict'>;
}

export interface EventQuery {
  readonly pipeline: string;
  readonly table?: string;
  readonly batch?: string;
  readonly kinds?: readonly HistoryEventKind[];
  /** Newest first. Default 100. */
  readonly limit?: number;
}

/** One owner at a time per table; the fence grows with each new owner. */
export interface Lease {
  readonly fence: number;
  /** Prolongs it. Throws LeaseLost when another owner has taken it. */
  renew(): Promise<void>;
  /** Throws LeaseLost unless this owner still holds it and it has not run out. */
  assertHeld(): Promise<void>;
  /** Gives it back; harmless when lost. */
  release(): Promise<void>;
}

export interface LeaseHolder {
  readonly owner: string;
  /** UTC, ISO 8601. */
  readonly until: string;
}

export interface LeaseRequest {
  readonly pipeline: string;
  readonly table: string;
  /** The same owner (a later attempt of the same run) takes over its own lease at once, with a new fence. */
  readonly owner: string;
  readonly ttlMs: number;
  /** Appended in the same step when the lease is given, and not otherwise. */
  readonly event?: HistoryEvent;
}

export interface History {
  append(events: readonly HistoryEvent[]): Promise<void>;
  /** For every table of the pipeline that has any event, or only for those named; keyed by table id. */
  states(pipeline: string, tables?: readonly string[]): Promise<ReadonlyMap<string, TableState>>;
  /** As `states` of every table, for a fraction of what that reads: for what asks every minute. */
  briefStates(pipeline: string): Promise<ReadonlyMap<string, BriefState>>;
  events(query: EventQuery): Promise<readonly HistoryEvent[]>;
  /** The last outcome per table of one batch: SUCCEEDED wins over FAILED wins over STARTED, SKIPPED apart. */
  outcomes(pipeline: string, batch: string): Promise<ReadonlyMap<string, HistoryEvent>>;
  /** The lease, or undefined when another owner holds it (with who and until when in `leaseHolder`). */
  acquireLease(request: LeaseRequest): Promise<Lease | undefined>;
  leaseHolder(pipeline: string, table: string): Promise<LeaseHolder | undefined>;
  /** Who holds each lease of the pipeline that is held, by table. */
  leaseHolders(pipeline: string): Promise<ReadonlyMap<string, LeaseHolder>>;
  close(): Promise<void>;
}

/** Whether a success is a load by the system before, taken over by `npm run import`. */
export function isAdopted({ kind, run }: HistoryEvent): boolean {
  return kind === 'SUCCEEDED' && run === '';
}

/** The id of an event that can happen once per run (or per batch and table, when there is no run). */
export function eventId(parts: {
  kind: HistoryEventKind;
  pipeline: string;
  table: string;
  /** The run; for SKIPPED the batch; for RESET any unique text. */
  scope: string;
}): string {
  return [parts.kind, parts.pipeline, parts.table, parts.scope].map(encodeURIComponent).join('/');
}
