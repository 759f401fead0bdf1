/**
 * The types that a column can have between a source and a destination. Each source maps each of
 * its own types to exactly one of these; each destination maps each of these to exactly one of
 * its own. docs/types.md is generated from those tables.
 */
export type LogicalType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  /** Exact; precision 1 to 38, scale 0 to precision. Wider decimals are `text`. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** UTF-8. Also what has no exact narrower type: wide decimals, masked columns, ranges, … */
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'binary' }
  /** Geometry as well-known binary. */
  | { readonly kind: 'wkb' }
  /** Days since 1970-01-01, proleptic Gregorian. */
  | { readonly kind: 'date' }
  /** Microseconds within one day. */
  | { readonly kind: 'time' }
  /** A signed span in microseconds (MySQL's TIME reaches ±838:59:59). */
  | { readonly kind: 'duration' }
  /** Microseconds since 1970-01-01T00:00:00; `utc` says an instant, otherwise a zoneless wall clock. */
  | { readonly kind: 'timestamp'; readonly utc: boolean };

/** One column as it is read, staged and published. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** The type in the source's own words, e.g. `bigint(20) unsigned`. */
  readonly sourceType: string;
  readonly comment?: string;
}

/** A short, readable name: `decimal(12,2)`, `uint64`, `timestamp`, `timestamp_utc`. */
export function typeName(type: LogicalType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return type.utc ? 'timestamp_utc' : 'timestamp';
    case 'boolean':
    case 'float':
    case 'double':
    case 'text':
    case 'json':
    case 'uuid':
    case 'binary':
    case 'wkb':
    case 'date':
    case 'time':
    case 'duration':
      return type.kind;
  }
}
