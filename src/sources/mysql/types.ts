import type { LogicalType } from '../../types/logical';

/** What information_schema.columns says of a column's type. */
export interface ColumnType {
  /** `decimal`, `bigint`, … */
  readonly dataType: string;
  /** Complete: `decimal(12,2) unsigned`. */
  readonly columnType: string;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
}

/** How the values of a column are asked for; `column` is the quoted name. */
type Expression = (column: string) => string;

/** One row of the mapping from MySQL's types to logical types, as the code uses it and docs/types.md shows it. */
export interface MysqlType {
  /** The types it covers, in MySQL's words. */
  readonly sourceType: string;
  readonly servers: 'MySQL, MariaDB' | 'MySQL' | 'MariaDB';
  /** The logical type in words, parameters included: `decimal(p,s)`. */
  readonly logicalType: string;
  readonly note?: string;
  readonly matches: (column: ColumnType) => boolean;
  readonly type: (column: ColumnType) => LogicalType;
  /** What is selected when the column is read as text. Default: the column itself, sent as text. */
  readonly textExpression?: Expression;
  /** How the bytes on the wire are read. Default: as the protocol has them for the type. */
  readonly wire?: 'bits' | 'geometry';
  /** Whether values exist that no calendar has: 0000-00-00, 2024-01-00. */
  readonly calendar?: true;
}

/**
 * The text in which the server prints a value that the binary protocol sends in another form, in
 * the character set of the connection.
 */
export const asCharacters: Expression = (column) => `CAST(${column} AS CHAR)`;

const BOTH = 'MySQL, MariaDB';

function named(...names: readonly string[]): MysqlType['matches'] {
  return ({ dataType }) => names.includes(dataType);
}

function isUnsigned({ columnType }: ColumnType): boolean {
  return /\bunsigned\b/i.test(columnType);
}

function integer(name: string, bits: 8 | 16 | 32 | 64, note?: string): MysqlType {
  return {
    sourceType: `${name}, ${name} unsigned`,
    servers: BOTH,
    logicalType: `int${bits}, uint${bits}`,
    ...(note === undefined ? {} : { note }),
    matches: named(name),
    type: (column) => ({ kind: 'int', bits, signed: !isUnsigned(column) }),
    textExpression: asCharacters,
  };
}

const hex: Expression = (column) => `HEX(${column})`;

/** Every type of MySQL 8 and 9 and MariaDB 10.5 and later. The first row that matches counts. */
export const MYSQL_TYPES: readonly MysqlType[] = [
  integer('tinyint', 8, 'BOOLEAN is tinyint(1) and stays a number: it may hold -128 to 127.'),
  integer('smallint', 16),
  integer('mediumint', 32),
  integer('int', 32, 'ZEROFILL is a way of printing; the number is what counts.'),
  integer('bigint', 64),
  {
    sourceType: 'decimal(p,s), p ≤ 38',
    servers: BOTH,
    logicalType: 'decimal(p,s)',
    note: 'Exact.',
    matches: ({ dataType, precision }) => dataType === 'decimal' && (precision ?? 65) <= 38,
    type: ({ precision = 38, scale = 0 }) => ({ kind: 'decimal', precision, scale }),
  },
  {
    sourceType: 'decimal(p,s), p > 38',
    servers: BOTH,
    logicalType: 'text',
    note: 'All digits, as the server prints them.',
    matches: named('decimal'),
    type: () => ({ kind: 'text' }),
  },
  {
    sourceType: 'float',
    servers: BOTH,
    logicalType: 'float',
    note: 'Exact. As text: the six digits that the server prints.',
    matches: named('float'),
    type: () => ({ kind: 'float' }),
    textExpression: asCharacters,
  },
  {
    sourceType: 'double',
    servers: BOTH,
    logicalType: 'double',
    matches: named('double'),
    type: () => ({ kind: 'double' }),
    textExpression: asCharacters,
  },
  {
    sourceType: 'bit(n)',
    servers: BOTH,
    logicalType: 'uint64',
    note: 'The bits as a number. As text: the number in decimal.',
    matches: named('bit'),
    type: () => ({ kind: 'int', bits: 64, signed: false }),
    textExpression: (column) => asCharacters(`${column} + 0`),
    wire: 'bits',
  },
  {
    sourceType: 'date',
    servers: BOTH,
    logicalType: 'date',
    note: 'Days that no calendar has (0000-00-00, 2024-01-00) follow invalidDates.',
    matches: named('date'),
    type: () => ({ kind: 'date' }),
    textExpression: asCharacters,
    calendar: true,
  },
  {
    sourceType: 'datetime(f)',
    servers: BOTH,
    logicalType: 'timestamp',
    note: 'A wall clock without a zone, to the microsecond. Days that no calendar has follow invalidDates.',
    matches: named('datetime'),
    type: () => ({ kind: 'timestamp', utc: false }),
    textExpression: asCharacters,
    calendar: true,
  },
  {
    sourceType: 'timestamp(f)',
    servers: BOTH,
    logicalType: 'timestamp_utc',
    note: 'An instant, to the microsecond. 0000-00-00 follows invalidDates.',
    matches: named('timestamp'),
    type: () => ({ kind: 'timestamp', utc: true }),
    textExpression: asCharacters,
    calendar: true,
  },
  {
    sourceType: 'time(f)',
    servers: BOTH,
    logicalType: 'duration',
    note: 'A span, -838:59:59 to 838:59:59, not a time of day.',
    matches: named('time'),
    type: () => ({ kind: 'duration' }),
    textExpression: asCharacters,
  },
  {
    sourceType: 'year',
    servers: BOTH,
    logicalType: 'int16',
    note: '0 or 1901 to 2155.',
    matches: named('year'),
    type: () => ({ kind: 'int', bits: 16, signed: true }),
    textExpression: asCharacters,
  },
  {
    sourceType: 'json',
    servers: BOTH,
    logicalType: 'json',
    note: 'MariaDB: longtext with the check json_valid, which is what JSON is there.',
    matches: named('json'),
    type: () => ({ kind: 'json' }),
  },
  {
    sourceType: 'char(n), varchar(n), tinytext, text, mediumtext, longtext',
    servers: BOTH,
    logicalType: 'text',
    note: 'Any character set, converted to UTF-8 by the server.',
    matches: named('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'),
    type: () => ({ kind: 'text' }),
  },
  {
    sourceType: 'enum(…), set(…)',
    servers: BOTH,
    logicalType: 'text',
    note: 'The label; a set has its labels joined by commas. An invalid enum is the empty text.',
    matches: named('enum', 'set'),
    type: () => ({ kind: 'text' }),
  },
  {
    sourceType: 'binary(n), varbinary(n), tinyblob, blob, mediumblob, longblob',
    servers: BOTH,
    logicalType: 'binary',
    note: 'As text: hexadecimal.',
    matches: named('binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'),
    type: () => ({ kind: 'binary' }),
    textExpression: hex,
  },
  {
    sourceType:
      'geometry, point, linestring, polygon, multipoint, multilinestring, multipolygon, geometrycollection',
    servers: BOTH,
    logicalType: 'wkb',
    note: 'Coordinates in the order in which they are stored: x or longitude first. A column of one SRID names it in its source type; the SRID of single values is not kept. As text: WKT.',
    matches: named(
      'geometry',
      'point',
      'linestring',
      'polygon',
      'multipoint',
      'multilinestring',
      'multipolygon',
      'geometrycollection',
      'geomcollection',
    ),
    type: () => ({ kind: 'wkb' }),
    textExpression: (column) => `ST_AsText(${column})`,
    wire: 'geometry',
  },
  {
    sourceType: 'vector(n)',
    servers: BOTH,
    logicalType: 'binary',
    note: 'n single-precision numbers, little-endian. As text: hexadecimal. MySQL 9, MariaDB 11.7.',
    matches: named('vector'),
    type: () => ({ kind: 'binary' }),
    textExpression: hex,
  },
  {
    sourceType: 'uuid',
    servers: 'MariaDB',
    logicalType: 'uuid',
    matches: named('uuid'),
    type: () => ({ kind: 'uuid' }),
  },
  {
    sourceType: 'inet4, inet6',
    servers: 'MariaDB',
    logicalType: 'text',
    note: 'The address in its usual notation.',
    matches: named('inet4', 'inet6'),
    type: () => ({ kind: 'text' }),
  },
];

/** The mapping of a column's type; undefined for a type that has none. */
export function mysqlTypeOf(column: ColumnType): MysqlType | undefined {
  return MYSQL_TYPES.find((candidate) => candidate.matches(column));
}
