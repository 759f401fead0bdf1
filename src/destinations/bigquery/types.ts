import type { LogicalType } from '../../types/logical';

/** A type as schemas name it (https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types). */
export type BigqueryType =
  | 'BOOL'
  | 'INT64'
  | 'FLOAT64'
  | 'NUMERIC'
  | 'BIGNUMERIC'
  | 'STRING'
  | 'JSON'
  | 'BYTES'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'TIMESTAMP';

/** What a column of a logical type is in a table. */
export function bigqueryType(type: LogicalType): BigqueryType {
  switch (type.kind) {
    case 'boolean':
      return 'BOOL';
    case 'int':
    case 'duration':
      return 'INT64';
    case 'float':
    case 'double':
      return 'FLOAT64';
    case 'decimal':
      // NUMERIC has 29 digits before the point and 9 behind it, BIGNUMERIC 38 and 38.
      return type.scale <= 9 && type.precision - type.scale <= 29 ? 'NUMERIC' : 'BIGNUMERIC';
    case 'text':
      return 'STRING';
    case 'json':
      return 'JSON';
    case 'uuid':
    case 'binary':
    case 'wkb':
      return 'BYTES';
    case 'date':
      return 'DATE';
    case 'time':
      return 'TIME';
    case 'timestamp':
      return type.utc ? 'TIMESTAMP' : 'DATETIME';
  }
}

/** What a load job makes of a column: it knows no JSON in Parquet, which is text there. */
export function loadedType(type: LogicalType): BigqueryType {
  const wanted = bigqueryType(type);
  return wanted === 'JSON' ? 'STRING' : wanted;
}
