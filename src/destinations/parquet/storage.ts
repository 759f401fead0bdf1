import type { ByteSink } from '../../columnar/parquet/sink';
import type { RangeReader } from '../../columnar/parquet/footer';
import type { Finding } from '../../sources/source';

/**
 * What the Parquet destination asks of the place where a lake lies. Paths are relative to the
 * lake's root, with `/` between their parts. Every method throws ComportaError and nothing else.
 */
export interface ObjectStore {
  /** For messages: `file:/lake`, `s3://bucket/prefix`, `gs://bucket/prefix`. */
  readonly description: string;
  /** How SQL engines name a path: `/lake/raw/…`, `s3://bucket/prefix/raw/…`. */
  address(path: string): string;
  /** How Hive-style lists name a path: `file:///lake/raw/…`, `s3://bucket/prefix/raw/…`. */
  uri(path: string): string;

  /** Undefined when absent. */
  get(path: string): Promise<VersionedObject | undefined>;
  /** Readers see the old content whole, then the new. */
  put(path: string, body: Buffer): Promise<void>;
  /**
   * Like `put`, but only over `expected`: the version that `get` returned, or undefined when it
   * found nothing. False, with nothing changed, when the object has moved on.
   */
  replace(path: string, body: Buffer, expected: string | undefined): Promise<boolean>;
  /** Random access to a finished file; `bytes` is its size as the store has it. */
  open(path: string): Promise<ClosableReader>;
  /** Every object under a folder, at any depth; nothing when there is no such folder. */
  list(folder: string): AsyncIterable<StoredObject>;
  /** Absent paths are no error. */
  delete(paths: readonly string[]): Promise<void>;

  /** Begins a file that will lie at `path` once committed, and that nobody sees before. */
  stage(scope: StagingScope, path: string): Promise<StagedFile>;
  /** As `stage`, with the whole content of a finished file in the workspace, which it takes over. */
  adopt(scope: StagingScope, path: string, localFile: string): Promise<StagedFile>;
  /** Takes up a closed file again by its receipt, in whichever process it was written. */
  resume(path: string, receipt: StagingReceipt): ClosedFile;
  /** Whether a closed file of so many bytes still waits for its commit. */
  holds(path: string, bytes: number, receipt: StagingReceipt): Promise<boolean>;
  /**
   * Removes whatever an attempt staged and did not commit, in this process or another. `folder` is
   * where its files were to lie.
   */
  discard(scope: StagingScope, folder: string): Promise<void>;
  /** An empty local folder for an attempt's work, removed by `clear`. */
  workspace(scope: StagingScope): Promise<string>;
  /** Removes whatever an attempt left on local disk. */
  clear(scope: StagingScope): Promise<void>;
  /** A local file with the content of `path`: itself, or a copy in the workspace. */
  localCopy(path: string, workspace: string): Promise<string>;
  /**
   * Removes whatever is staged for a table, or of that what one run staged, and what processes that
   * died left half written.
   */
  sweep(domain: string, entity: string, run?: string): Promise<void>;

  /** Tries everything that a load needs. */
  check(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

export interface VersionedObject {
  readonly body: Buffer;
  readonly version: string;
}

export interface StoredObject {
  readonly path: string;
  readonly bytes: number;
  readonly modified: Date;
}

export interface ClosableReader extends RangeReader {
  close(): Promise<void>;
}

/** Whose staging it is. Of two attempts of one run, one is dead; chunks of one live side by side. */
export interface StagingScope {
  readonly domain: string;
  readonly entity: string;
  readonly run: string;
  readonly attempt: number;
  readonly chunk?: number;
}

/** One file on its way into the lake, being written. */
export interface StagedFile extends ByteSink {
  /** Where it lies once committed. */
  readonly path: string;
  /** Ends the writing. */
  close(): Promise<StagingReceipt>;
  /** Removes what was written and not committed. Safe at any moment, and twice. */
  discard(): Promise<void>;
}

/** One file on its way into the lake, whole. */
export interface ClosedFile {
  readonly path: string;
  /** Makes it visible at its path. May be repeated. */
  commit(): Promise<void>;
  /** Removes it; after `commit` nothing. Safe at any moment, and twice. */
  discard(): Promise<void>;
}

/**
 * Where a closed file waits: a file or object beside the lake's own, which on S3 only programs other
 * than the worker leave, or an upload that S3 has all parts of.
 */
export type StagingReceipt =
  /** Relative to the lake's root. */
  | { readonly staging: string }
  | { readonly uploadId: string; readonly parts: readonly UploadedPart[] };

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly crc32: string;
}
