import type { TableToken } from '../../detection/detection';
import { ComportaError } from '../../errors';
import type { DatabaseConnection, Mask, SecretReference } from '../../pipeline/pipeline';
import type { SqlReading, SourceTable, TableSnapshot } from '../../sources/source';
import { quoteQualified } from '../../sources/postgres/identifiers';
import { columnsMetadata } from '../../columnar/parquet/schema';
import type { ColumnSpec, LogicalType } from '../../types/logical';
import { chunkCount } from '../chunk-count';
import type { MoveRequest } from '../engine';

/** What `jobs/ingest_table.py` is asked for, and what later attempts of the load must know of it. JSON. */
export interface JobRequest {
  /** Grows when the outcome of a job that had succeeded is gone, so that another is submitted. */
  readonly generation: number;
  /** Read before the job's rows. */
  readonly token?: TableToken;
  /** Where rows come from several statements: the largest cursor value from before them. */
  readonly cursorHigh?: string;
  readonly source: JobSource;
  readonly session: string;
  readonly columns: readonly JobColumn[];
  /** ` FROM … WHERE …`, one per range of the table. */
  readonly reads: readonly string[];
  /** Keeps PostgreSQL's table as it is while several sessions read it. */
  readonly lock?: string;
  readonly maximum?: string;
  /** Rows that a session and a task hold at a time. */
  readonly fetchRows: number;
  readonly compression: { readonly name: 'zstd' | 'snappy' | 'none'; readonly level: number };
  /** For the footers of the files. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface JobSource {
  readonly dialect: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: SecretReference;
  readonly database: string;
  readonly tls: DatabaseConnection['tls']['mode'];
  readonly connectTimeoutMs: number;
}

interface JobColumn {
  readonly name: string;
  readonly sourceType: string;
  readonly type: LogicalType;
  readonly sql: string;
  readonly form: string;
  readonly mask?: Mask;
  readonly invalidDates?: 'null' | 'fail';
}

/** A job's `result.json`. */
export type JobResult =
  | {
      readonly error: { readonly code: string; readonly problem: string; readonly remedy?: string };
    }
  | {
      readonly rowsAtSource: number;
      readonly rowsRead: number;
      readonly invalidValues: number;
      /** The cursor's, among all rows that the table's filter lets through. */
      readonly maximum: string | null;
      /** By which the job wrote every file: its own word, not read back from them. */
      readonly columns: readonly Pick<ColumnSpec, 'name' | 'type'>[];
      readonly files: readonly {
        /** In the folder of the result. */
        readonly path: string;
        readonly rows: number;
        readonly bytes: number;
        readonly sha256: string;
        /** By the place of the column. */
        readonly nulls: readonly number[];
      }[];
    };

/** The part of a request that another attempt, with nothing changed, has again. */
export type JobShape = Pick<
  JobRequest,
  'source' | 'session' | 'columns' | 'compression' | 'metadata'
> &
  Pick<JobRequest, 'maximum'>;

/** Throws as `jobSource`. */
export function jobShape(
  request: MoveRequest,
  { columns, session, maximum }: SqlReading,
): JobShape {
  const { compression, zstdLevel } = request.destination.settings;
  return {
    source: jobSource(request.source.connection),
    session,
    columns: columns.map(({ spec, ...column }) => ({
      ...column,
      name: spec.name,
      sourceType: spec.sourceType,
      type: spec.type,
    })),
    ...(maximum === undefined ? {} : { maximum }),
    compression: { name: compression, level: zstdLevel },
    metadata: columnsMetadata(columns.map(({ spec }) => spec)),
  };
}

/** Divides the table and completes the request. */
export async function jobRequest(
  request: MoveRequest,
  snapshot: TableSnapshot,
  shape: JobShape,
): Promise<JobRequest> {
  const { settings, table, from, token } = request;
  const { where, cursor } = settings;
  const filter = {
    ...(where === undefined ? {} : { where }),
    ...(from === undefined ? {} : { from }),
  };
  const count = chunkCount(request);
  const key = count > 1 ? await snapshot.splitKey() : undefined;
  const ranges = key === undefined ? [] : await snapshot.split(key, count);
  const isDivided = ranges.length > 1;
  const reads = isDivided
    ? ranges.map((range) => snapshot.inSql(settings, { ...filter, range }).from)
    : [snapshot.inSql(settings, filter).from];
  const cursorHigh =
    isDivided && cursor !== undefined ? await snapshot.maximum(cursor.column, filter) : undefined;
  return {
    generation: 0,
    ...(token === undefined ? {} : { token }),
    ...(cursorHigh === undefined ? {} : { cursorHigh }),
    ...shape,
    reads,
    ...(isDivided && request.source.connection.type === 'postgres'
      ? { lock: `LOCK TABLE ${quoteQualified(table)} IN ACCESS SHARE MODE` }
      : {}),
    fetchRows: fetchRows(table),
  };
}

/** Throws ConfigurationInvalid for a connection that a job has no way to open. */
export function jobSource(connection: DatabaseConnection): JobSource {
  const { type, host, port, user, password, database, tls, connectTimeoutMs } = connection;
  const files = [tls.ca, tls.certificate, tls.key];
  if (files.some((file) => file !== undefined)) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `connection ${connection.name}: a Spark job knows no certificate files`,
      { remedy: "leave tls.ca, certificate and key out: Java's own authorities decide" },
    );
  }
  return {
    dialect: type,
    ...{ host, port, user, database, connectTimeoutMs },
    ...(password === undefined ? {} : { password }),
    tls: tls.mode,
  };
}

/** Several copies of it are on their way at a time. */
const FETCH_BYTES = 8 * 1024 ** 2;
const MOST_FETCH_ROWS = 10_000;

/** By the server's estimate of a row's length; without one as of a view, carefully. */
function fetchRows({ approximateRows, approximateBytes }: SourceTable): number {
  if (approximateRows === undefined || approximateBytes === undefined) return 1_000;
  const rowBytes = approximateBytes / Math.max(1, approximateRows);
  return Math.max(1, Math.min(MOST_FETCH_ROWS, Math.floor(FETCH_BYTES / Math.max(1, rowBytes))));
}
