import type { Batch } from '../columnar/batch';
import type { KernelMemory } from '../columnar/kernels/memory';
import type { TableToken } from '../detection/detection';
import type { BigqueryTableSettings, LoadMode, RetentionSettings } from '../pipeline/pipeline';
import type { Finding } from '../sources/source';
import type { ColumnSpec } from '../types/logical';

/** Names one load of one table for good; every path derives from it. */
export interface RunIdentity {
  readonly pipeline: string;
  readonly domain: string;
  /** The table's folder name: its id made safe, see `entityName`. */
  readonly entity: string;
  readonly table: string;
  readonly batch: string;
  /** Unique per run of the child workflow, the same for each attempt of the load. */
  readonly run: string;
  /** Which attempt writes; staging of different attempts never meets. */
  readonly attempt: number;
  /** Which chunk of the table it writes, from 0, where the table is loaded in chunks. */
  readonly chunk?: number;
  /** YYYY-MM-DD in UTC, fixed when the load was scheduled. */
  readonly ingestionDate: string;
}

export interface DataFile {
  /** Relative to the lake's root. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * A finished file that no reader sees yet: plain data, which may cross to another thread, process or
 * machine and be published from there.
 */
export interface StagedDataFile extends DataFile {
  /** Per column its NULLs, as the file's own footer counts them; columns it does not count are absent. */
  readonly nulls: readonly (readonly [column: string, nulls: number])[];
  /** What the destination, and nobody else, needs to publish or remove the file. JSON. */
  readonly receipt: unknown;
}

/** What readers see of one table now. */
export interface PublishedState {
  readonly run: string;
  readonly batch: string;
  readonly fence: number;
  readonly publishedAt: string;
  readonly mode: LoadMode;
  readonly rows: number;
  readonly files: readonly DataFile[];
  readonly columns: readonly ColumnSpec[];
  /** As they came in the PublishRequest, so that a load killed after the swap can still be recorded. */
  readonly token: TableToken;
  readonly rowsAtSource: number;
  readonly rowsWritten: number;
  readonly cursorHigh?: string;
  /** What BigQuery charges for, where the table lies there. */
  readonly bytesBilled?: number;
}

/** Takes the batches of one load. Nothing that it writes is visible to a reader of the lake. */
export interface StagingWriter {
  write(batch: Batch): Promise<void>;
  /** Completes the files and counts their rows from their own footers. */
  finish(): Promise<readonly StagedDataFile[]>;
  /** Removes what was written. Safe after a failed `write` or `finish`, and twice. */
  abort(): Promise<void>;
  /** Bytes written out so far. */
  readonly bytes: number;
}

export interface PublishRequest {
  readonly identity: RunIdentity;
  readonly mode: LoadMode;
  /** As `finish` returned them, in this process or another. */
  readonly files: readonly StagedDataFile[];
  readonly columns: readonly ColumnSpec[];
  /** For `incremental` (merge) and `append` (rows already present are left out). */
  readonly key: readonly string[];
  readonly token: TableToken;
  readonly rowsAtSource: number;
  /** Rows in `files`, before any merge. */
  readonly rowsWritten: number;
  /** The largest cursor value of the load, where the next incremental load goes on. */
  readonly cursorHigh?: string;
  /** What the source says of the table; of its columns it is part of `columns`. */
  readonly tableComment?: string;
  /** Of a table in BigQuery. */
  readonly bigquery?: BigqueryTableSettings;
  /** The fencing token of the table's lease: a publication with a smaller one than the published state's is refused. */
  readonly fence: number;
  /** Asked immediately before the swap; throws LeaseLost when another owner has the table. */
  assertOwner(): Promise<void>;
  readonly signal: AbortSignal;
}

/** The part of a destination that takes rows: all that an engine needs of it. */
export interface StagingArea {
  /** What lies in `memory`, one of the writer's own by default, is encoded where it lies. */
  stage(
    identity: RunIdentity,
    columns: readonly ColumnSpec[],
    memory?: KernelMemory,
  ): Promise<StagingWriter>;
}

export interface Destination extends StagingArea {
  /** For messages: `file:/lake`, `s3://bucket/prefix`. */
  readonly description: string;
  /** The present state, or undefined when nothing was ever published. */
  published(domain: string, entity: string): Promise<PublishedState | undefined>;
  /** The entities of a domain that have a present state: a listing, not a look at each. */
  publishedEntities(domain: string): Promise<ReadonlySet<string>>;
  /**
   * Makes the staged files the table's present state in one step: before it readers see the old
   * state whole, after it the new one whole. Repeating it for a run that is already published
   * changes nothing and returns the published state.
   */
  publish(request: PublishRequest): Promise<PublishedState>;
  /** Whether a file that was staged for this run still waits, whole, to be published. */
  isStaged(file: StagedDataFile): Promise<boolean>;
  /** Keeps a small JSON document beside what a run stages, for a later attempt of it. Written atomically. */
  putNote(identity: RunIdentity, name: string, note: unknown): Promise<void>;
  /** The notes of a run by their names. */
  notes(identity: RunIdentity): Promise<ReadonlyMap<string, unknown>>;
  /**
   * Removes what all attempts of a run staged, and its notes; nothing that is published. For a run
   * that nobody goes on with.
   */
  discardRun(identity: Pick<RunIdentity, 'domain' | 'entity' | 'run'>): Promise<void>;
  /**
   * Removes what an attempt staged and will not publish, also what another thread or process staged
   * for it that died. Without effect when there is nothing.
   */
  discard(identity: RunIdentity): Promise<void>;
  /**
   * Deletes loads that the rule no longer keeps, and whatever is staged for the table; brings views up
   * to date that a publication killed after its swap left behind. Call it by the table's owner only.
   */
  retain(
    domain: string,
    entity: string,
    rule: RetentionSettings,
  ): Promise<{ readonly deletedRuns: number }>;
  /** Small JSON documents beside the data: plans. Written atomically. */
  putDocument(path: string, document: unknown): Promise<void>;
  /** Undefined when absent. */
  getDocument(path: string): Promise<unknown>;
  check(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}
