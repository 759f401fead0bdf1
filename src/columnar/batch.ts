import type { ColumnSpec, LogicalType } from '../types/logical';
import type { Vector } from './vectors';

/**
 * Rows on their way from a source to a destination, column by column. A source's decoder appends
 * to the vectors; a destination's writer takes the filled batch. No row object exists.
 *
 * Storage by logical type:
 * - `fixed32`: int8/16/32 signed and unsigned (unsigned 32 in its two's complement bits), date
 * - `fixed64`: int64/uint64 (bits), time, duration, timestamp, decimal of precision ≤ 18 (unscaled)
 * - `float`, `double`, `boolean`
 * - `bytes`: text, json, binary, wkb, uuid (16 bytes), decimal of precision 19–38 (16 bytes,
 *   big-endian two's complement, unscaled)
 */
export type Storage = 'boolean' | 'fixed32' | 'fixed64' | 'float' | 'double' | 'bytes';

/** How a logical type is stored in a vector. */
export function storageOf(type: LogicalType): Storage {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
      return type.kind;
    case 'int':
      return type.bits === 64 ? 'fixed64' : 'fixed32';
    case 'date':
      return 'fixed32';
    case 'time':
    case 'duration':
    case 'timestamp':
      return 'fixed64';
    case 'decimal':
      return type.precision <= 18 ? 'fixed64' : 'bytes';
    case 'text':
    case 'json':
    case 'uuid':
    case 'binary':
    case 'wkb':
      return 'bytes';
  }
}

/**
 * One column of a batch. `valid[i]` is 1 where row i has a value; values are stored densely
 * (a NULL takes no place in the value buffers), in row order, which is how Parquet wants them.
 */
export interface ColumnVector {
  readonly spec: ColumnSpec;
  readonly storage: Storage;
  /** Rows appended, NULLs included. */
  readonly rows: number;
  /** Values appended, NULLs excluded. */
  readonly values: number;
  /** Bytes of values held, for back-pressure and progress. */
  readonly byteLength: number;
}

/** A filled batch. Its vectors are reused by the reader after the writer's `write` has resolved. */
export interface Batch {
  readonly rows: number;
  readonly columns: readonly Vector[];
  readonly byteLength: number;
}
