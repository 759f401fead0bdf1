import type { Batch } from '../columnar/batch';
import type { KernelMemory } from '../columnar/kernels/memory';
import type { TableToken } from '../detection/detection';
import type { CursorSettings, DetectionStrategy, Mask, TableSettings } from '../pipeline/pipeline';
import type { ColumnSpec } from '../types/logical';

export type TableKind = 'table' | 'partitioned' | 'view' | 'materialized-view' | 'foreign';

export interface SourceTable {
  /**
   * The table's name in commands, plans and the history: `name` for MySQL, `schema.name` for
   * PostgreSQL, a part that holds a dot or a double quote in double quotes (`public."a.b"`).
   */
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: TableKind;
  /** The server's estimates, for ordering only. */
  readonly approximateRows?: number;
  readonly approximateBytes?: number;
}

export interface SourceColumn {
  readonly name: string;
  /** In the source's words, complete: `decimal(12,2)`, `bigint(20) unsigned`, `timestamp(3) without time zone`. */
  readonly sourceType: string;
  readonly nullable: boolean;
  readonly comment?: string;
}

export interface TableDescription {
  readonly table: SourceTable;
  readonly columns: readonly SourceColumn[];
  /** Columns of the primary key in key order; empty without one. */
  readonly primaryKey: readonly string[];
  readonly comment?: string;
}

export interface TokenRequest {
  readonly table: SourceTable;
  readonly strategy: DetectionStrategy;
  readonly settleMarginMs: number;
  readonly cursor?: CursorSettings;
  readonly where?: string;
  /** The token of the last successful load: how far back a log must be read. */
  readonly previous?: TableToken;
}

/** What a table is divided by. Plain data: it may be kept and crosses threads. */
export type SplitKey =
  /** Leading columns of an index that is unique, none of them NULL anywhere. */
  | { readonly by: 'key'; readonly index: string; readonly columns: readonly string[] }
  /** Where rows lie in the table's file: means something inside one snapshot only. */
  | { readonly by: 'blocks' };

/**
 * A part of a table: rows from `from` on and before `to`, each a value per leading column of the key
 * in the source's text form, or one number of a block. Absent: from the first, to the last.
 */
export interface KeyRange {
  readonly key: SplitKey;
  readonly from?: readonly string[];
  readonly to?: readonly string[];
}

/** Which rows to read: the table's filter, and for incremental loads everything from a cursor value on. */
export interface RowFilter {
  readonly where?: string;
  /** `value` is in the source's text form as `TableSnapshot.maximum` returned it. */
  readonly from?: {
    readonly column: string;
    readonly value: string;
    /** As CursorSettings.lookBack. The bound is `>= value - lookBack`, or `> value` when `exclusive`. */
    readonly lookBack: number;
    readonly exclusive: boolean;
  };
  readonly range?: KeyRange;
}

/** What a reader will produce: the outcome of laying the table's settings over its description. */
export interface ReadPlan {
  /** In the order of the batches' vectors. */
  readonly columns: readonly ColumnSpec[];
}

/**
 * How the answer to a `SqlColumn` becomes a value of its logical type:
 * `plain`: it is that value, of a type that any driver knows: a boolean, a 64-bit integer (also for
 * `time`, in microseconds), a floating-point number, text or bytes;
 * `digits`: a number printed in decimal;
 * `moment`: a date, timestamp or span as MySQL prints it;
 * `since2000`: a date in days or a timestamp in microseconds since 2000-01-01, where the two ends of
 * 32 and of 64 bits are infinities;
 * `hyphenated`: a UUID in its usual notation;
 * `hexadecimal`: bytes as hexadecimal digits;
 * `prefixed`: well-known binary behind four bytes of SRID.
 */
export type SqlForm =
  'plain' | 'digits' | 'moment' | 'since2000' | 'hyphenated' | 'hexadecimal' | 'prefixed';

/** A column as a program that has SQL and a driver, and nothing else of Comporta, may read it. */
export interface SqlColumn {
  readonly spec: ColumnSpec;
  /** For the select list. */
  readonly sql: string;
  readonly form: SqlForm;
  readonly mask?: Mask;
  /** What becomes of a value without a faithful form. Absent: it fails the load. */
  readonly invalidDates?: 'null' | 'fail';
}

/** A read of a table in SQL. */
export interface SqlReading {
  readonly columns: readonly SqlColumn[];
  /** ` FROM … WHERE …` */
  readonly from: string;
  /** Settings that each session needs before it reads: statements, separated by semicolons. */
  readonly session: string;
  /** A subquery of one value: the cursor's largest, as `maximum` returns it. Absent: no cursor. */
  readonly maximum?: string;
}

export interface ReadStatistics {
  /** Rows handed over so far. */
  rows: number;
  /** Values without a faithful form that `invalidDates: null` turned into NULL. */
  invalidValues: number;
}

/** One consistent view of one table: everything asked of it sees the same rows. */
export interface TableSnapshot {
  readonly description: TableDescription;
  /** Maps every column. Throws TypeUnsupported naming each column without a faithful type. */
  plan(settings: TableSettings): ReadPlan;
  /**
   * Has the server take the table's `where`, and looks for its cursor, without reading a row. Throws
   * as a load would: SourceRejected, ConfigurationInvalid.
   */
  tryFilter(settings: Pick<TableSettings, 'where' | 'cursor'>): Promise<void>;
  /** Counts rows by a statement of its own: a second scan of the table. */
  count(filter: RowFilter): Promise<number>;
  /** The largest value of a column in the source's text form; undefined for no rows or only NULLs. */
  maximum(column: string, filter: RowFilter): Promise<string | undefined>;
  /**
   * Streams the rows, bounded: at most one batch (about 64 Ki rows or 8 MiB, whichever comes
   * first) and what the driver buffers. A batch is valid until the next one is asked for. It lies in
   * `memory`, one of its own by default, as far as kernels decode it.
   */
  read(
    settings: TableSettings,
    filter: RowFilter,
    statistics: ReadStatistics,
    memory?: KernelMemory,
  ): AsyncIterable<Batch>;
  /** The same read as SQL, for an engine whose rows do not pass through this process. Throws as `plan`. */
  inSql(settings: TableSettings, filter: RowFilter): SqlReading;
  /** Throws ValueUnfaithful for a largest cursor value from which no load could go on. */
  assertCursor(column: string, value: string): void;
  /**
   * How many rows the server itself counted while it answered the last `read`, which must have
   * come to its end. Costs no second scan.
   */
  rowsSent(): Promise<number>;
  /** What the table can be divided by; undefined when by nothing. */
  splitKey(): Promise<SplitKey | undefined>;
  /**
   * Divides the table into at most `count` ranges of about as many rows, without reading it whole:
   * in key order, each beginning where the one before ends, so that every row, also one to come,
   * lies in exactly one.
   */
  split(key: SplitKey, count: number): Promise<readonly KeyRange[]>;
  /**
   * What `openSnapshot` takes to see the very same rows on another connection, as long as this
   * snapshot is open; undefined where the source has no such thing.
   */
  share(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** One thing that `check` found: an absent permission, a setting that weakens detection. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly subject: string;
  readonly problem: string;
  /** The statement or setting that mends it. */
  readonly remedy: string;
}

/** When tables last changed by the source's own clock: what another system's times can be held against. */
export interface ChangeTimes {
  /** By table id: milliseconds since 1970, or why the source cannot tell. */
  readonly tables: ReadonlyMap<string, { readonly at: number } | { readonly unknown: string }>;
  /** Which moment of a transaction is stamped. */
  readonly stamped: 'begin' | 'commit';
  /**
   * Statements since the server's start by which a table may have taken another's name, its times
   * with it. Undefined: not counted.
   */
  readonly replacements?: number;
}

/** A database, as Comporta uses it. Every method throws ComportaError and nothing else. */
export interface Source {
  readonly dialect: 'mysql' | 'postgres';
  /**
   * Base tables, partitioned tables (not their partitions) and views, ordered by id: all of them,
   * or only those of the given ids that exist (cheap: a load asks for its one table).
   */
  listTables(only?: readonly string[]): Promise<readonly SourceTable[]>;
  /**
   * Reads the tokens of all tables in a handful of queries, from the writer, in UTC. A table that
   * cannot be asked has a token whose evidence carries `distrust`; it does not spoil the others.
   */
  readTokens(requests: readonly TokenRequest[]): Promise<ReadonlyMap<string, TableToken>>;
  /** For an import only: loads are decided by tokens, which compare no clocks. */
  changeTimes(tables: readonly SourceTable[]): Promise<ChangeTimes>;
  /**
   * Throws TableNotFound, PermissionDenied, ConnectionFailed, … `signal` ends it and its reads.
   * `shared` is what another snapshot's `share` returned.
   */
  openSnapshot(table: SourceTable, signal: AbortSignal, shared?: string): Promise<TableSnapshot>;
  /** Tries everything a load and a detection need. */
  check(tables: readonly SourceTable[]): Promise<readonly Finding[]>;
  close(): Promise<void>;
}
