import type { LogicalType } from '../../types/logical';
import { quoteIdentifier } from './identifiers';

/** What the catalogue says of a column's type, once domains are resolved to what they stand on. */
export interface ColumnType {
  /** `pg_type.typname`: `int4`, `timestamptz`, `_text`. */
  readonly name: string;
  readonly kind: 'base' | 'array' | 'enum' | 'composite' | 'range';
  /** The extension that brought the type; undefined for the built-in ones and the user's own. */
  readonly extension?: string;
  readonly builtIn: boolean;
  /** `pg_type.typnamespace`, for functions that an extension has beside its type. */
  readonly schema: string;
  /** `atttypmod`, of the domain where the column has one; -1 without. */
  readonly modifier: number;
}

/**
 * How a value comes over the wire: the type's own binary form
 * (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format", and the `…send`
 * functions of the server's source), or its printed text.
 */
export type Wire =
  | 'boolean'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'date'
  | 'time'
  | 'timestamp'
  /** The bytes are the value: text, bytea, uuid. */
  | 'bytes'
  /** Asked for as the text that the type's output function prints, which is what psql shows. */
  | 'printed';

/** One row of the mapping from PostgreSQL's types to logical types, as the code uses it and docs/types.md shows it. */
export interface PostgresType {
  /** The types it covers, in PostgreSQL's words. */
  readonly sourceType: string;
  /** The logical type in words, parameters included: `decimal(p,s)`. */
  readonly logicalType: string;
  readonly note?: string;
  readonly matches: (type: ColumnType) => boolean;
  readonly type: (type: ColumnType) => LogicalType;
  readonly wire: Wire;
  /** What is selected in place of the column, whose quoted name is given. */
  readonly expression?: (column: string, type: ColumnType) => string;
  /** Whether the wire's bytes are the printed text already. */
  readonly isText?: true;
  /** Whether values exist that no calendar has (infinity) or that do not fit (far years). */
  readonly calendar?: true;
}

const TEXT: LogicalType = { kind: 'text' };

function builtIn(...names: readonly string[]): PostgresType['matches'] {
  return (type) => type.builtIn && type.kind === 'base' && names.includes(type.name);
}

function ofExtension(extension: string, ...names: readonly string[]): PostgresType['matches'] {
  return (type) => type.extension === extension && names.includes(type.name);
}

function printed(
  sourceType: string,
  matches: PostgresType['matches'],
  note?: string,
): PostgresType {
  return {
    sourceType,
    logicalType: 'text',
    ...(note === undefined ? {} : { note }),
    matches,
    type: () => TEXT,
    wire: 'printed',
  };
}

/**
 * Precision and scale of a numeric's modifier; undefined for a numeric without. The scale has 11
 * bits and a sign since PostgreSQL 15, and is 0 to 1000 before (src/backend/utils/adt/numeric.c,
 * numeric_typmod_scale).
 */
export function numericModifier(
  modifier: number,
): { readonly precision: number; readonly scale: number } | undefined {
  if (modifier < 4) return undefined;
  const packed = modifier - 4;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
}

function decimalOf(type: ColumnType): LogicalType | undefined {
  const parameters = numericModifier(type.modifier);
  if (parameters === undefined) return undefined;
  const { precision, scale } = parameters;
  if (precision > 38 || scale < 0 || scale > precision) return undefined;
  return { kind: 'decimal', precision, scale };
}

const CALENDAR_NOTE =
  'infinity, -infinity and what lies beyond the range follow invalidDates; years BC and far years within it are exact.';

/** Every type of PostgreSQL 13 and later, and those of common extensions. The first row that matches counts. */
export const POSTGRES_TYPES: readonly PostgresType[] = [
  {
    sourceType: 'boolean',
    logicalType: 'boolean',
    note: 'As text: t or f.',
    matches: builtIn('bool'),
    type: () => ({ kind: 'boolean' }),
    wire: 'boolean',
  },
  {
    sourceType: 'smallint, smallserial',
    logicalType: 'int16',
    matches: builtIn('int2'),
    type: () => ({ kind: 'int', bits: 16, signed: true }),
    wire: 'int2',
  },
  {
    sourceType: 'integer, serial',
    logicalType: 'int32',
    matches: builtIn('int4'),
    type: () => ({ kind: 'int', bits: 32, signed: true }),
    wire: 'int4',
  },
  {
    sourceType: 'bigint, bigserial',
    logicalType: 'int64',
    matches: builtIn('int8'),
    type: () => ({ kind: 'int', bits: 64, signed: true }),
    wire: 'int8',
  },
  {
    sourceType: 'oid, xid, cid',
    logicalType: 'uint32',
    matches: builtIn('oid', 'xid', 'cid'),
    type: () => ({ kind: 'int', bits: 32, signed: false }),
    wire: 'int4',
  },
  {
    sourceType: 'xid8',
    logicalType: 'uint64',
    matches: builtIn('xid8'),
    type: () => ({ kind: 'int', bits: 64, signed: false }),
    wire: 'int8',
  },
  {
    sourceType: 'numeric(p,s), p ≤ 38 and 0 ≤ s ≤ p',
    logicalType: 'decimal(p,s)',
    note: 'Exact. NaN has no place in a decimal and fails the load: list the column under columns.text.',
    matches: (type) => builtIn('numeric')(type) && decimalOf(type) !== undefined,
    type: (type) => decimalOf(type) ?? TEXT,
    wire: 'numeric',
  },
  printed(
    'numeric, numeric(p,s) with p > 38, s < 0 or s > p',
    builtIn('numeric'),
    'All digits, as the server prints them; NaN, Infinity and -Infinity among them.',
  ),
  {
    sourceType: 'real',
    logicalType: 'float',
    note: 'NaN and infinities included.',
    matches: builtIn('float4'),
    type: () => ({ kind: 'float' }),
    wire: 'float4',
  },
  {
    sourceType: 'double precision',
    logicalType: 'double',
    note: 'NaN and infinities included.',
    matches: builtIn('float8'),
    type: () => ({ kind: 'double' }),
    wire: 'float8',
  },
  printed('money', builtIn('money'), "As the database's lc_monetary prints it."),
  {
    sourceType: 'char(n), varchar(n), text, name, refcursor',
    logicalType: 'text',
    note: 'char(n) keeps the blanks that fill it up.',
    matches: builtIn('text', 'varchar', 'bpchar', 'name', 'refcursor'),
    type: () => TEXT,
    wire: 'bytes',
    isText: true,
  },
  printed('"char"', builtIn('char')),
  {
    sourceType: 'bytea',
    logicalType: 'binary',
    note: 'As text: hexadecimal after \\x.',
    matches: builtIn('bytea'),
    type: () => ({ kind: 'binary' }),
    wire: 'bytes',
  },
  {
    sourceType: 'date',
    logicalType: 'date',
    note: `4713 BC to 5874897 AD. ${CALENDAR_NOTE}`,
    matches: builtIn('date'),
    type: () => ({ kind: 'date' }),
    wire: 'date',
    calendar: true,
  },
  {
    sourceType: 'timestamp(f) without time zone',
    logicalType: 'timestamp',
    note: `A wall clock without a zone, to the microsecond, 4713 BC to 294247 AD. ${CALENDAR_NOTE}`,
    matches: builtIn('timestamp'),
    type: () => ({ kind: 'timestamp', utc: false }),
    wire: 'timestamp',
    calendar: true,
  },
  {
    sourceType: 'timestamp(f) with time zone',
    logicalType: 'timestamp_utc',
    note: `An instant, to the microsecond, 4713 BC to 294247 AD. ${CALENDAR_NOTE} As text: in UTC.`,
    matches: builtIn('timestamptz'),
    type: () => ({ kind: 'timestamp', utc: true }),
    wire: 'timestamp',
    calendar: true,
  },
  {
    sourceType: 'time(f) without time zone',
    logicalType: 'time',
    note: '24:00:00 exists in PostgreSQL and stays 86,400,000,000 microseconds; list the column under columns.text if a reader of the lake does not take it.',
    matches: builtIn('time'),
    type: () => ({ kind: 'time' }),
    wire: 'time',
  },
  printed(
    'time(f) with time zone',
    builtIn('timetz'),
    '04:05:06.789+02. The offset would be lost.',
  ),
  printed(
    'interval',
    builtIn('interval'),
    'ISO 8601, P1Y2M3DT4H5M6.7S: months and days have no fixed length in microseconds.',
  ),
  {
    sourceType: 'uuid',
    logicalType: 'uuid',
    matches: builtIn('uuid'),
    type: () => ({ kind: 'uuid' }),
    wire: 'bytes',
  },
  {
    sourceType: 'json',
    logicalType: 'json',
    note: 'As it was written, blanks included.',
    matches: builtIn('json'),
    type: () => ({ kind: 'json' }),
    wire: 'bytes',
    isText: true,
  },
  {
    sourceType: 'jsonb',
    logicalType: 'json',
    matches: builtIn('jsonb'),
    type: () => ({ kind: 'json' }),
    wire: 'printed',
  },
  printed('xml', builtIn('xml')),
  printed('bit(n), bit varying(n)', builtIn('bit', 'varbit'), 'Zeros and ones.'),
  printed('inet, cidr, macaddr, macaddr8', builtIn('inet', 'cidr', 'macaddr', 'macaddr8')),
  printed(
    'point, line, lseg, box, path, polygon, circle',
    builtIn('point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'),
    '(x,y) and so on; these are no simple features, so there is no WKB of them.',
  ),
  printed('tsvector, tsquery', builtIn('tsvector', 'tsquery')),
  printed(
    'regclass, regproc, regtype, regrole, …',
    (type) => type.builtIn && type.kind === 'base' && type.name.startsWith('reg'),
    'The name, which follows a rename that touches no row. Cast to oid in a view for the number.',
  ),
  printed(
    'pg_lsn, pg_snapshot, txid_snapshot, tid, aclitem, jsonpath',
    builtIn('pg_lsn', 'pg_snapshot', 'txid_snapshot', 'tid', 'aclitem', 'jsonpath'),
  ),
  {
    sourceType: 'enum types',
    logicalType: 'text',
    note: 'The label.',
    matches: ({ kind }) => kind === 'enum',
    type: () => TEXT,
    wire: 'bytes',
    isText: true,
  },
  printed(
    'arrays of any type',
    ({ kind }) => kind === 'array',
    'An array literal: {1,2,NULL}, {"a b","say \\"hi\\""}, {{1,2},{3,4}}.',
  ),
  printed('composite types', ({ kind }) => kind === 'composite', 'A row literal: (1,"a b",).'),
  printed(
    'range and multirange types',
    ({ kind }) => kind === 'range',
    'A range literal: [1,5), {[1,2),[4,)}.',
  ),
  {
    sourceType: 'geometry, geography (PostGIS)',
    logicalType: 'wkb',
    note: 'By ST_AsBinary. A column of one SRID names it in its source type; the SRID of single values is not kept. As text: EWKB in hexadecimal.',
    matches: ofExtension('postgis', 'geometry', 'geography'),
    type: () => ({ kind: 'wkb' }),
    wire: 'bytes',
    expression: (column, { schema }) => `${quoteIdentifier(schema)}.ST_AsBinary(${column})`,
  },
  printed('citext', ofExtension('citext', 'citext')),
  printed('hstore', ofExtension('hstore', 'hstore'), '"key"=>"value", as the extension prints it.'),
  printed('ltree, lquery, ltxtquery', ofExtension('ltree', 'ltree', 'lquery', 'ltxtquery')),
  printed('cube', ofExtension('cube', 'cube')),
  printed('seg', ofExtension('seg', 'seg')),
  printed('isbn, ismn, issn, upc, ean13, …', ({ extension }) => extension === 'isn'),
  printed(
    'vector, halfvec, sparsevec (pgvector)',
    ofExtension('vector', 'vector', 'halfvec', 'sparsevec'),
    '[1,2,3].',
  ),
];

/** The mapping of a column's type; undefined for a type that has none. */
export function postgresTypeOf(type: ColumnType): PostgresType | undefined {
  return POSTGRES_TYPES.find((candidate) => candidate.matches(type));
}
