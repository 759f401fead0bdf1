import type { LogicalType } from '../../../src/types/logical';
import type { TestTable, Value } from '../../support/columns';

/** A value in the form that canonical.py gives to what a reader found. */
export function canonical(value: Value, { kind }: LogicalType): string | null {
  if (value === null) return null;
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (kind !== 'float' && kind !== 'double') return String(value);
  if (Number.isNaN(value)) return 'NaN';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value as number);
  return bytes.toString('hex');
}

/** What the scripts need to know of a table's columns. */
export function describeColumns({ columns }: TestTable) {
  return columns.map(({ name, type }) => ({
    name,
    kind: type.kind,
    scale: type.kind === 'decimal' ? type.scale : 0,
    spark: sparkType(type),
  }));
}

/** How Spark names what it makes of a type; of UUID and TIME it makes nothing by itself. */
export function sparkType(type: LogicalType): string {
  switch (type.kind) {
    case 'int':
      return type.signed
        ? { 8: 'tinyint', 16: 'smallint', 32: 'int', 64: 'bigint' }[type.bits]
        : { 8: 'smallint', 16: 'int', 32: 'bigint', 64: 'decimal(20,0)' }[type.bits];
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'text':
    case 'json':
      return 'string';
    case 'uuid':
    case 'binary':
    case 'wkb':
      return 'binary';
    case 'time':
    case 'duration':
      return 'bigint';
    case 'timestamp':
      return type.utc ? 'timestamp' : 'timestamp_ntz';
    case 'boolean':
    case 'float':
    case 'double':
    case 'date':
      return type.kind;
  }
}

/** How PyArrow names what it makes of a type. */
export function arrowType(type: LogicalType): string {
  switch (type.kind) {
    case 'boolean':
      return 'bool';
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`;
    case 'decimal':
      return `decimal128(${type.precision}, ${type.scale})`;
    case 'text':
      return 'string';
    case 'json':
      return 'extension<arrow.json>';
    case 'uuid':
      return 'extension<arrow.uuid>';
    case 'binary':
    case 'wkb':
      return 'binary';
    case 'date':
      return 'date32[day]';
    case 'time':
      return 'time64[us]';
    case 'duration':
      return 'int64';
    case 'timestamp':
      return type.utc ? 'timestamp[us, tz=UTC]' : 'timestamp[us]';
    case 'float':
    case 'double':
      return type.kind;
  }
}
