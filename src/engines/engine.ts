import type { RunIdentity, StagedDataFile } from '../destinations/destination';
import type { DestinationEndpoint, SourceEndpoint } from '../endpoints';
import type { TableToken } from '../detection/detection';
import type { TableSettings } from '../pipeline/pipeline';
import type { KeyRange, RowFilter, SourceTable } from '../sources/source';
import type { ColumnSpec } from '../types/logical';

/** Readable in the Web UI as the load's heartbeat. */
export interface LoadProgress {
  readonly phase: 'waiting' | 'connecting' | 'reading' | 'publishing' | 'recording';
  /** With the phase `waiting`, where it is known: `another run of this table`. */
  readonly waitingFor?: string;
  readonly rows: number;
  /** About: the server's estimate. Absent for a part of the table. */
  readonly rowsExpected?: number;
  readonly bytes: number;
  /** Of a table that is loaded in chunks: how many of them are finished, those of earlier attempts too. */
  readonly chunks?: { readonly done: number; readonly of: number };
  /** Of an engine whose work is another platform's job: its state there, in that platform's word. */
  readonly job?: { readonly state: string; readonly output?: string };
}

/** A chunk of a table, as the plan of its load has it. */
export interface MovePart {
  readonly range: KeyRange;
  /** What the rows must look like still: what the first chunk of the load found. */
  readonly columns: readonly ColumnSpec[];
  /** A snapshot to read in, as `TableSnapshot.share` names it. */
  readonly snapshot?: string;
}

/**
 * Everything that an engine must know to move one table: plain data without secrets, so that the
 * table may be moved in another thread or on another machine.
 */
export interface MoveRequest {
  readonly identity: RunIdentity;
  readonly source: SourceEndpoint;
  readonly destination: DestinationEndpoint;
  readonly table: SourceTable;
  readonly settings: TableSettings;
  /** The lower bound of an incremental load; undefined reads everything. */
  readonly from?: NonNullable<RowFilter['from']>;
  /**
   * The columns of the load before, if there was one. Under `onSchemaChange: fail` an engine compares
   * them with the table's before it reads a row (`assertSchemaAccepted`).
   */
  readonly previousColumns?: readonly ColumnSpec[];
  /** The table's, read before this attempt. */
  readonly token?: TableToken;
  /** Moves this chunk only, without looking for the cursor's largest value. */
  readonly part?: MovePart;
}

/** The line back to whoever asked for the move. */
export interface MoveWatch {
  /** Called as the move goes on, as often as the engine finds useful. */
  report(progress: LoadProgress): void;
  /** Ends the move; what it staged is removed and the signal's reason thrown. */
  readonly signal: AbortSignal;
}

/** Plain data, as the request. */
export interface MoveResult {
  /** Counted by the source as it answered, inside the snapshot. */
  readonly rowsAtSource: number;
  /** Counted while streaming. */
  readonly rowsRead: number;
  /** Counted in the staged files. */
  readonly rowsWritten: number;
  readonly bytes: number;
  readonly files: readonly StagedDataFile[];
  readonly columns: readonly ColumnSpec[];
  readonly primaryKey: readonly string[];
  /** What the source says of the table. */
  readonly tableComment?: string;
  readonly invalidValues: number;
  /** The largest cursor value inside the snapshot, in the source's text form. */
  readonly cursorHigh?: string;
  /** From before the rows were read, where an earlier attempt of the load had begun to do that. */
  readonly token?: TableToken;
}

/** Moves one table from its source to staged files at its destination; it publishes nothing. */
export interface Engine {
  readonly name: TableSettings['engine'];
  /** How many chunks of a table are worth moving at the same time; 0: it divides a table itself. */
  readonly streams: number;
  /**
   * Throws EngineFailed, which is worth another attempt, when the engine itself broke down under the
   * move; what it had staged may then still lie there (`Destination.discard`).
   */
  move(request: MoveRequest, watch: MoveWatch): Promise<MoveResult>;
  /** Gives up what still moves, and whatever the engine holds. */
  close(): Promise<void>;
}
