/**
 * What goes into and comes out of the workflows, and the names that others find them by.
 * Types and constants only: the workflow sandbox, the worker and the commands all import this.
 *
 * Every workflow takes one object and needs nothing else (no memo, no parent), so that *Start
 * Workflow Like This One* in the Web UI, which resends the one JSON payload, does what it says.
 */
import type { Verdict } from '../detection/detection';
import type { LoadProgress } from '../engines/engine';
import type { EngineName } from '../pipeline/pipeline';
import type { LeftOutLoad, QueueState } from './load-queue';

export const CONTROL_TASK_QUEUE = 'comporta-control';

/** One task queue per engine, so that each can run in processes of its own. */
export function engineTaskQueue(engine: EngineName): string {
  return `comporta-${engine}`;
}

/**
 * Type of the failure of a load whose table has another engine than it was planned with. Its one
 * detail is the task queue of that engine.
 */
export const ENGINE_CHANGED = 'EngineChanged';

/**
 * How long an activity may be silent before Temporal gives it to another worker. Activities are heard
 * of every second: longer, and the work of a worker that died would lie there while its successor
 * is ready; shorter, and a worker that is only held up for a moment would lose what it does.
 */
export const HEARTBEAT_TIMEOUT = '4 seconds';

/** Keyword search attributes; the worker registers those that are missing. */
export const SEARCH_ATTRIBUTES = {
  pipeline: 'ComportaPipeline',
  table: 'ComportaTable',
  batch: 'ComportaBatch',
  /** The error code of a failed load. */
  failure: 'ComportaFailure',
} as const;

export function controllerWorkflowId(pipeline: string, batch: string): string {
  return `controller/${pipeline}/${batch}`;
}

/** The batch is in the id: resetting yesterday's failed load must not touch today's. */
export function ingestWorkflowId(pipeline: string, table: string, batch: string): string {
  return `ingest/${pipeline}/${table}/${batch}`;
}

/** What `ingestWorkflowId` was made from. Neither pipelines nor batches have a slash in their names. */
export function loadOfWorkflow(
  workflowId: string,
): { readonly pipeline: string; readonly table: string; readonly batch: string } | undefined {
  const [, pipeline, table, batch] = /^ingest\/([^/]+)\/(.+)\/([^/]+)$/s.exec(workflowId) ?? [];
  if (pipeline === undefined || table === undefined || batch === undefined) return undefined;
  return { pipeline, table, batch };
}

export interface ControllerInput {
  readonly pipeline: string;
  /** Names the run in ids, paths and the history. Default: from the workflow's start time. */
  readonly batch?: string;
  /** Only these table ids. Default: all that the pipeline selects. */
  readonly tables?: readonly string[];
  /** Load whatever the detection says. */
  readonly force?: boolean;
  /** Only the tables that failed in this earlier batch; they load whatever the detection says. */
  readonly failedOf?: string;
  /** Set by the workflow when it continues as new; not for callers. */
  readonly continuation?: ControllerContinuation;
}

export interface ControllerContinuation {
  readonly plan: PlanSummary;
  /** Index into the plan's tables to load. */
  readonly next: number;
  readonly counters: ControllerCounters;
  /** What operators did so far; absent when nobody did anything and nothing failed. */
  readonly queue?: QueueState;
}

export interface ControllerCounters {
  readonly loaded: number;
  readonly failed: number;
  /** Another execution of the same load was already running. */
  readonly alreadyRunning: number;
}

export interface ControllerProgress extends ControllerCounters {
  readonly batch: string;
  readonly phase: 'planning' | 'loading' | 'summarizing';
  readonly toLoad: number;
  readonly skipped: number;
  /** Table ids being loaded now. */
  readonly running: readonly string[];
  /** Table ids that an operator holds back. */
  readonly paused: readonly string[];
}

/** What the updates `skipTable`, `pauseTable` and `resumeTable` take. */
export interface TableGesture {
  /** The table's id, as in the plan. */
  readonly table: string;
  /** For the history; `skipTable` only. */
  readonly reason?: string;
}

/** The result of a controller whose tables all loaded; a failed one carries it in its details. */
export interface BatchSummary {
  readonly pipeline: string;
  readonly batch: string;
  /** Where the plan is, relative to the lake. */
  readonly plan: string;
  readonly considered: number;
  readonly loaded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly rows: number;
  readonly bytes: number;
  /** At most 50, with cause; all of them are in the history. */
  readonly failures: readonly { readonly table: string; readonly error: string }[];
}

export interface IngestTableInput {
  readonly pipeline: string;
  readonly table: string;
  readonly batch: string;
  /** Why it loads, for the history. Default: started by hand. */
  readonly decision?: Verdict;
  readonly load?: LoadOptions;
}

/** How the load activity is run. Every field has a default in the workflow. */
export interface LoadOptions {
  /** Default: the embedded engine's. */
  readonly taskQueue?: string;
  /** Longest time for one attempt, milliseconds. Default 2 h. */
  readonly timeoutMs?: number;
  /** Default 3. */
  readonly maximumAttempts?: number;
}

export interface LoadResult {
  readonly run: string;
  readonly rows: number;
  readonly rowsPublished: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly files: number;
}

/** What a batch's workflow carries with it: a reference and counts, never the list. */
export interface PlanSummary {
  readonly pipeline: string;
  readonly batch: string;
  /** Path of the plan document, relative to the lake. */
  readonly path: string;
  readonly considered: number;
  readonly toLoad: number;
  readonly skipped: number;
  readonly concurrency: number;
  /** Whether somebody is told at the end. Absent: nobody. */
  readonly notify?: boolean;
  /** Connections whose clusters are made for this batch. Absent: none. */
  readonly clusters?: readonly string[];
}

export interface PlannedBatch extends PlanSummary {
  /** What `readPlanPage` returns from offset 0; absent where an older worker planned. */
  readonly firstPage?: readonly PlannedLoad[];
}

export interface PlannedLoad {
  readonly table: string;
  readonly decision: Verdict;
  readonly load: Required<LoadOptions>;
}

export interface PlanLoadRequest {
  readonly pipeline: string;
  readonly batch: string;
  readonly tables?: readonly string[];
  readonly force?: boolean;
  readonly failedOf?: string;
  /** When the schedule meant the batch to begin, ISO 8601; absent for one started by hand. */
  readonly scheduledFor?: string;
}

export interface PlanBatchRequest extends PlanLoadRequest {
  /** How many loads come back with the plan, so that a small batch needs no second look at it. */
  readonly pageSize: number;
}

export interface PlanPageRequest {
  readonly plan: PlanSummary;
  readonly offset: number;
  readonly limit: number;
}

export interface RecordFailureRequest {
  readonly pipeline: string;
  readonly table: string;
  readonly batch: string;
  readonly decision?: Verdict;
  readonly code: string;
  readonly message: string;
}

export interface RecordLeftOutRequest {
  readonly pipeline: string;
  readonly batch: string;
  readonly tables: readonly LeftOutLoad[];
}

/** Activities of the `control` role. */
export interface ControlActivities {
  readonly planLoad: (request: PlanBatchRequest) => Promise<PlannedBatch>;
  readonly readPlanPage: (request: PlanPageRequest) => Promise<readonly PlannedLoad[]>;
  readonly recordFailure: (request: RecordFailureRequest) => Promise<void>;
  /** Records that an operator kept these tables from loading. */
  readonly recordLeftOut: (request: RecordLeftOutRequest) => Promise<void>;
  readonly summarizeBatch: (plan: PlanSummary) => Promise<BatchSummary>;
  /** Tells the pipeline's channels what the batch has brought, at most once. */
  readonly notifyBatch: (plan: PlanSummary) => Promise<void>;
}

/** Which of a batch's clusters. */
export interface DeleteClusterRequest {
  readonly pipeline: string;
  readonly batch: string;
  readonly connection: string;
}

/** Activities of an engine's role. */
export interface EngineActivities {
  /** Heartbeats with LoadProgress. */
  readonly loadTable: (input: IngestTableInput) => Promise<LoadResult>;
  /** Deletes the cluster that the batch's loads have made; none there is as well. */
  readonly deleteCluster: (request: DeleteClusterRequest) => Promise<void>;
}

export type { LoadProgress };
