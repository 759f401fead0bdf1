import { parquetType } from '../columnar/parquet/schema';
import { PhysicalType, type LogicalAnnotation } from '../columnar/parquet/format';
import { typeName, type LogicalType } from '../types/logical';
import { bigqueryType } from './bigquery/types';
import { duckdbType } from './parquet/casts';

/** One row of the mapping from logical types to those of the lake and its readers, for docs/types.md. */
export interface DestinationType {
  /** The logical type in words, parameters included: `decimal(p,s), p ≤ 9`. */
  readonly logicalType: string;
  /** The Parquet type with its annotation: `INT64, TIMESTAMP(MICROS, UTC)`. */
  readonly parquet: string;
  readonly duckdb: string;
  /** What Spark 3.5 reads it as when it takes the schema from the files. */
  readonly spark: string;
  /** What a column of it is in a table of BigQuery. */
  readonly bigquery: string;
  readonly note?: string;
}

/** `BYTE_ARRAY, STRING`, in the words of Parquet's own documents. */
export function parquetTypeName(type: LogicalType): string {
  const { type: physical, length, annotation } = parquetType(type);
  const name = PHYSICAL_NAMES[physical];
  const sized = length === undefined ? name : `${name}(${length})`;
  return annotation === undefined ? sized : `${sized}, ${annotationName(annotation)}`;
}

const PHYSICAL_NAMES: Readonly<Record<PhysicalType, string>> = {
  [PhysicalType.boolean]: 'BOOLEAN',
  [PhysicalType.int32]: 'INT32',
  [PhysicalType.int64]: 'INT64',
  [PhysicalType.float]: 'FLOAT',
  [PhysicalType.double]: 'DOUBLE',
  [PhysicalType.byteArray]: 'BYTE_ARRAY',
  [PhysicalType.fixedLenByteArray]: 'FIXED_LEN_BYTE_ARRAY',
};

function annotationName(annotation: LogicalAnnotation): string {
  switch (annotation.is) {
    case 'string':
    case 'date':
    case 'json':
    case 'uuid':
      return annotation.is.toUpperCase();
    case 'decimal':
      return `DECIMAL(${annotation.precision},${annotation.scale})`;
    case 'time':
    case 'timestamp':
      return `${annotation.is.toUpperCase()}(MICROS, ${annotation.utc ? 'UTC' : 'local'})`;
    case 'integer':
      return `INTEGER(${annotation.bits}, ${annotation.signed ? 'signed' : 'unsigned'})`;
  }
}

function row(type: LogicalType, spark: string, note?: string): DestinationType {
  return {
    logicalType: typeName(type),
    parquet: parquetTypeName(type),
    duckdb: duckdbType(type),
    spark,
    bigquery: bigqueryType(type),
    ...(note === undefined ? {} : { note }),
  };
}

function integer(bits: 8 | 16 | 32 | 64, signed: boolean, spark: string): DestinationType {
  return row({ kind: 'int', bits, signed }, spark);
}

function decimal(precisions: string, parquet: string, note?: string): DestinationType {
  return {
    logicalType: `decimal(p,s), ${precisions}`,
    parquet: `${parquet}, DECIMAL(p,s)`,
    duckdb: 'DECIMAL(p, s)',
    spark: 'decimal(p,s)',
    bigquery:
      precisions === 'p 19–38'
        ? 'NUMERIC to (38,9), BIGNUMERIC beyond'
        : 'NUMERIC to s = 9, BIGNUMERIC beyond',
    ...(note === undefined ? {} : { note }),
  };
}

const NEEDS_SCHEMA = 'Spark 3.5 refuses it unless the reader gives the schema';

/** Every logical type. */
export const DESTINATION_TYPES: readonly DestinationType[] = [
  row({ kind: 'boolean' }, 'boolean'),
  integer(8, true, 'tinyint'),
  integer(16, true, 'smallint'),
  integer(32, true, 'int'),
  integer(64, true, 'bigint'),
  integer(8, false, 'smallint'),
  integer(16, false, 'int'),
  integer(32, false, 'bigint'),
  integer(64, false, 'decimal(20,0)'),
  row({ kind: 'float' }, 'float'),
  row({ kind: 'double' }, 'double'),
  decimal('p ≤ 9', 'INT32'),
  decimal('p 10–18', 'INT64'),
  decimal(
    'p 19–38',
    'FIXED_LEN_BYTE_ARRAY(9–16)',
    'the fewest bytes that hold p digits; 16 in files that a merge wrote',
  ),
  row({ kind: 'text' }, 'string'),
  row({ kind: 'json' }, 'string'),
  row({ kind: 'uuid' }, 'binary, by given schema', NEEDS_SCHEMA),
  row({ kind: 'binary' }, 'binary'),
  row({ kind: 'wkb' }, 'binary', 'well-known binary; the file’s metadata says so'),
  row({ kind: 'date' }, 'date'),
  row({ kind: 'time' }, 'bigint (microseconds), by given schema', NEEDS_SCHEMA),
  row({ kind: 'duration' }, 'bigint', 'microseconds; Parquet has no type for signed spans'),
  row({ kind: 'timestamp', utc: false }, 'timestamp_ntz'),
  row({ kind: 'timestamp', utc: true }, 'timestamp'),
];
