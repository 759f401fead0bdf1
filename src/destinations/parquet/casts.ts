import type { LogicalType } from '../../types/logical';

/** The DuckDB type that reads and writes a column exactly as the Parquet writer does. */
export function duckdbType(type: LogicalType): string {
  switch (type.kind) {
    case 'boolean':
      return 'BOOLEAN';
    case 'int': {
      const signed = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' }[type.bits];
      return type.signed ? signed : `U${signed}`;
    }
    case 'float':
      return 'FLOAT';
    case 'double':
      return 'DOUBLE';
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'text':
      return 'VARCHAR';
    case 'json':
      return 'JSON';
    case 'uuid':
      return 'UUID';
    case 'binary':
    case 'wkb':
      return 'BLOB';
    case 'date':
      return 'DATE';
    case 'time':
      return 'TIME';
    case 'duration':
      return 'BIGINT';
    case 'timestamp':
      return type.utc ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP';
  }
}

export function sameType(from: LogicalType, to: LogicalType): boolean {
  return from.kind === to.kind && (from.kind === 'wkb' || duckdbType(from) === duckdbType(to));
}

/** For a kind: the kinds that it may become, provided that every value survives the way back. */
const CONVERSIONS: Readonly<Partial<Record<LogicalType['kind'], readonly LogicalType['kind'][]>>> =
  {
    boolean: ['int'],
    int: ['int', 'decimal', 'float', 'double', 'boolean', 'text'],
    decimal: ['decimal', 'int', 'text'],
    float: ['double'],
    double: ['float'],
    uuid: ['text'],
    text: ['uuid'],
    json: ['text'],
    binary: ['wkb'],
    wkb: ['binary'],
    date: ['timestamp'],
    timestamp: ['date'],
  };

/**
 * Whether old values of a column can stand under its new type. Only between types whose values
 * have one form in both, so that old rows look as if the source had just been read: a timestamp's
 * text is each server's own, and an instant is no wall clock.
 */
export function convertible(from: LogicalType, to: LogicalType): boolean {
  if (sameType(from, to)) return true;
  const isInstant = [from, to].some((type) => type.kind === 'timestamp' && type.utc);
  return !isInstant && (CONVERSIONS[from.kind]?.includes(to.kind) ?? false);
}
