import type { Destination, RunIdentity, StagedDataFile } from '../destinations/destination';
import type { TableSettings } from '../pipeline/pipeline';
import type { RowFilter, Source, SourceTable, TableDescription } from '../sources/source';
import type { ColumnSpec } from '../types/logical';

/** Readable in the Web UI as the load's heartbeat. */
export interface LoadProgress {
  readonly phase: 'waiting' | 'connecting' | 'counting' | 'reading' | 'publishing' | 'recording';
  readonly rows: number;
  /** The source's own count, once known. */
  readonly rowsExpected?: number;
  readonly bytes: number;
}

export interface MoveRequest {
  readonly identity: RunIdentity;
  readonly table: SourceTable;
  readonly settings: TableSettings;
  readonly source: Source;
  readonly destination: Destination;
  /** The lower bound of an incremental load; undefined reads everything. */
  readonly from?: NonNullable<RowFilter['from']>;
  /**
   * Called with the table's columns before a row is read; throwing stops the load
   * (schema drift under `onSchemaChange: fail`).
   */
  inspect(description: TableDescription, columns: readonly ColumnSpec[]): void;
  report(progress: LoadProgress): void;
  readonly signal: AbortSignal;
}

export interface MoveResult {
  /** Counted by the source inside the snapshot. */
  readonly rowsAtSource: number;
  /** Counted while streaming. */
  readonly rowsRead: number;
  /** Counted in the staged files. */
  readonly rowsWritten: number;
  readonly bytes: number;
  readonly files: readonly StagedDataFile[];
  readonly columns: readonly ColumnSpec[];
  readonly primaryKey: readonly string[];
  readonly invalidValues: number;
  /** The largest cursor value inside the snapshot, in the source's text form. */
  readonly cursorHigh?: string;
}

/** Moves one table from its source to staged files at its destination; it publishes nothing. */
export interface Engine {
  readonly name: TableSettings['engine'];
  move(request: MoveRequest): Promise<MoveResult>;
}
