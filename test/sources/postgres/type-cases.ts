const HOUR = 3_600_000_000n;
const WIDE = 10n ** 38n - 1n;
const days = (iso: string) => Date.parse(iso) / 86_400_000;
const micros = (iso: string) => BigInt(Date.parse(iso)) * 1_000n;

/** A column of a type, SQL expressions for its values, and what a reader must make of each. */
export interface TypeCase {
  readonly type: string;
  readonly logical: string;
  readonly values: readonly (readonly [sql: string, expected: unknown])[];
  /** First major version that has the type. */
  readonly since?: number;
}

export const TYPE_CASES: readonly TypeCase[] = [
  {
    type: 'boolean',
    logical: 'boolean',
    values: [
      ['true', true],
      ['false', false],
    ],
  },
  {
    type: 'smallint',
    logical: 'int16',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  {
    type: 'integer',
    logical: 'int32',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
      ['0', 0],
    ],
  },
  {
    type: 'bigint',
    logical: 'int64',
    values: [
      ['-9223372036854775808', -(2n ** 63n)],
      ['9223372036854775807', 2n ** 63n - 1n],
      ['9007199254740993', 9007199254740993n],
    ],
  },
  {
    type: 'oid',
    logical: 'uint32',
    values: [
      ['4294967295', -1],
      ['0', 0],
    ],
  },
  { type: 'xid', logical: 'uint32', values: [["'3'", 3]] },
  { type: 'xid8', logical: 'uint64', values: [["'18446744073709551615'", -1n]] },
  {
    type: 'numeric(1,0)',
    logical: 'decimal(1,0)',
    values: [
      ['-9', -9n],
      ['0', 0n],
    ],
  },
  {
    type: 'numeric(12,2)',
    logical: 'decimal(12,2)',
    values: [
      ['9999999999.99', 999999999999n],
      ['-0.01', -1n],
      ['1.5', 150n],
      ['100000000', 10000000000n],
    ],
  },
  {
    type: 'numeric(4,4)',
    logical: 'decimal(4,4)',
    values: [
      ['0.0001', 1n],
      ['-0.9999', -9999n],
    ],
  },
  {
    type: 'numeric(18,18)',
    logical: 'decimal(18,18)',
    values: [
      ['0.000000000000000001', 1n],
      ['-0.999999999999999999', -999999999999999999n],
    ],
  },
  {
    type: 'numeric(19,1)',
    logical: 'decimal(19,1)',
    values: [
      ['1', 10n],
      ['-1', -10n],
      ['0', 0n],
    ],
  },
  {
    type: 'numeric(38,0)',
    logical: 'decimal(38,0)',
    values: [
      [String(WIDE), WIDE],
      [String(-WIDE), -WIDE],
      ['10000', 10000n],
    ],
  },
  {
    type: 'numeric(38,38)',
    logical: 'decimal(38,38)',
    values: [
      [`0.${WIDE}`, WIDE],
      [`-0.${'0'.repeat(37)}1`, -1n],
    ],
  },
  {
    type: 'numeric(39,30)',
    logical: 'text',
    values: [
      ['999999999.123456789012345678901234567890', '999999999.123456789012345678901234567890'],
    ],
  },
  {
    type: 'numeric',
    logical: 'text',
    values: [
      ["'NaN'", 'NaN'],
      ['1.500', '1.500'],
      [`1${'0'.repeat(60)}`, `1${'0'.repeat(60)}`],
    ],
  },
  { type: 'numeric(3,-2)', logical: 'text', since: 15, values: [['12345', '12300']] },
  { type: 'numeric(2,4)', logical: 'text', since: 15, values: [['0.0012', '0.0012']] },
  {
    type: 'real',
    logical: 'float',
    values: [
      ["'NaN'", NaN],
      ["'-Infinity'", -Infinity],
      ['0.1', Math.fround(0.1)],
      ["'-0'", -0],
      ["'3.4028235e38'", Math.fround(3.4028235e38)],
      ["'1e-45'", Math.fround(1e-45)],
    ],
  },
  {
    type: 'double precision',
    logical: 'double',
    values: [
      ["'NaN'", NaN],
      ["'Infinity'", Infinity],
      ['0.1', 0.1],
      ["'-0'", -0],
      ["'1.7976931348623157e308'", Number.MAX_VALUE],
      ["'5e-324'", 5e-324],
    ],
  },
  {
    type: 'money',
    logical: 'text',
    values: [["'-92233720368547758.08'", '-$92,233,720,368,547,758.08']],
  },
  {
    type: 'text',
    logical: 'text',
    values: [
      ["''", ''],
      ["'🦦 naïve'", '🦦 naïve'],
      ["E'a\\nb\\\\c'", 'a\nb\\c'],
      ["'NULL'", 'NULL'],
    ],
  },
  { type: 'varchar(3)', logical: 'text', values: [["'äöü'", 'äöü']] },
  { type: 'char(5)', logical: 'text', values: [["'ab'", 'ab   ']] },
  { type: 'name', logical: 'text', values: [["'n'", 'n']] },
  {
    type: '"char"',
    logical: 'text',
    values: [
      ["'x'", 'x'],
      ["''", ''],
    ],
  },
  {
    type: 'bytea',
    logical: 'binary',
    values: [
      ["'\\x00ff5c27'", Buffer.from('00ff5c27', 'hex')],
      ["''", Buffer.alloc(0)],
    ],
  },
  {
    type: 'date',
    logical: 'date',
    values: [
      ["'1970-01-01'", 0],
      ["'1969-12-31'", -1],
      ["'2000-02-29'", days('2000-02-29')],
      ["'0001-12-31 BC'", days('0000-12-31')],
      ["'4713-01-01 BC'", days('-004712-01-01')],
      ["'5874897-12-31'", 2_145_042_905],
      ["'infinity'", null],
      ["'-infinity'", null],
    ],
  },
  {
    type: 'timestamp',
    logical: 'timestamp',
    values: [
      ["'1970-01-01 00:00:00.000001'", 1n],
      ["'1969-12-31 23:59:59.999999'", -1n],
      ["'0044-03-15 12:00:00 BC'", micros('-000043-03-15T12:00:00Z')],
      ["'4713-01-01 00:00:00 BC'", micros('-004712-01-01T00:00:00Z')],
      ["'294247-01-10 04:00:54.775806'", 9_223_372_036_854_775_806n],
      ["'294247-01-10 04:00:54.775807'", 9_223_372_036_854_775_807n],
      ["'294247-01-10 04:00:54.775808'", null],
      ["'294276-12-31 23:59:59.999999'", null],
      ["'infinity'", null],
      ["'-infinity'", null],
    ],
  },
  {
    type: 'timestamp(3) with time zone',
    logical: 'timestamp_utc',
    values: [
      ["'2026-03-29 02:30:00.1239+02'", micros('2026-03-29T00:30:00.124Z')],
      ["'1900-01-01 00:00:00+00:19:32'", micros('1899-12-31T23:40:28Z')],
      ["'infinity'", null],
    ],
  },
  {
    type: 'time',
    logical: 'time',
    values: [
      ["'00:00'", 0n],
      ["'23:59:59.999999'", 24n * HOUR - 1n],
      ["'24:00:00'", 24n * HOUR],
    ],
  },
  { type: 'timetz', logical: 'text', values: [["'04:05:06.789+02'", '04:05:06.789+02']] },
  {
    type: 'interval',
    logical: 'text',
    values: [
      ["'1 year 2 mons -3 days 04:05:06.7'", 'P1Y2M-3DT4H5M6.7S'],
      ["'0'", 'PT0S'],
    ],
  },
  { type: 'interval hour to minute', logical: 'text', values: [["'3:04'", 'PT3H4M']] },
  {
    type: 'uuid',
    logical: 'uuid',
    values: [
      [
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
        Buffer.from('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex'),
      ],
    ],
  },
  {
    type: 'json',
    logical: 'json',
    values: [
      [`'{"a" : 1,"a":2}'`, '{"a" : 1,"a":2}'],
      ["'null'", 'null'],
    ],
  },
  {
    type: 'jsonb',
    logical: 'json',
    values: [[`'{"b":1e400, "a":[]}'`, `{"a": [], "b": 1${'0'.repeat(400)}}`]],
  },
  { type: 'xml', logical: 'text', values: [["'<a>1</a>'", '<a>1</a>']] },
  { type: 'bit(3)', logical: 'text', values: [["B'101'", '101']] },
  {
    type: 'bit varying',
    logical: 'text',
    values: [
      ["B''", ''],
      ["B'0001'", '0001'],
    ],
  },
  {
    type: 'inet',
    logical: 'text',
    values: [
      ["'192.168.0.1'", '192.168.0.1'],
      ["'::1/64'", '::1/64'],
    ],
  },
  { type: 'cidr', logical: 'text', values: [["'10.0.0.0/8'", '10.0.0.0/8']] },
  { type: 'macaddr', logical: 'text', values: [["'08-00-2b-01-02-03'", '08:00:2b:01:02:03']] },
  {
    type: 'macaddr8',
    logical: 'text',
    values: [["'08002b0102030405'", '08:00:2b:01:02:03:04:05']],
  },
  { type: 'point', logical: 'text', values: [["'(1,0.1)'", '(1,0.1)']] },
  { type: 'line', logical: 'text', values: [["'{1,2,3}'", '{1,2,3}']] },
  { type: 'lseg', logical: 'text', values: [["'((0,0),(1,1))'", '[(0,0),(1,1)]']] },
  { type: 'box', logical: 'text', values: [["'((0,0),(1,1))'", '(1,1),(0,0)']] },
  { type: 'path', logical: 'text', values: [["'[(0,0),(1,1)]'", '[(0,0),(1,1)]']] },
  { type: 'polygon', logical: 'text', values: [["'((0,0),(1,1))'", '((0,0),(1,1))']] },
  { type: 'circle', logical: 'text', values: [["'<(0,0),2>'", '<(0,0),2>']] },
  { type: 'tsvector', logical: 'text', values: [["'b a'", "'a' 'b'"]] },
  { type: 'tsquery', logical: 'text', values: [["'a & b'", "'a' & 'b'"]] },
  { type: 'pg_lsn', logical: 'text', values: [["'16/B374D848'", '16/B374D848']] },
  { type: 'pg_snapshot', logical: 'text', values: [["'10:20:10,14'", '10:20:10,14']] },
  { type: 'tid', logical: 'text', values: [["'(1,2)'", '(1,2)']] },
  { type: 'regclass', logical: 'text', values: [["'pg_class'", 'pg_class']] },
  { type: 'regtype', logical: 'text', values: [["'int4'", 'integer']] },
  { type: 'jsonpath', logical: 'text', values: [["'$.a'", '$."a"']] },
  {
    type: 'integer[]',
    logical: 'text',
    values: [
      ["'{1,NULL,3}'", '{1,NULL,3}'],
      ["'{{1},{2}}'", '{{1},{2}}'],
    ],
  },
  {
    type: 'text[]',
    logical: 'text',
    values: [[`ARRAY['a b', 'say "hi"', 'NULL', '']`, `{"a b","say \\"hi\\"","NULL",""}`]],
  },
  {
    type: 'timestamptz[]',
    logical: 'text',
    values: [["'{2026-01-01 12:00+02}'", '{"2026-01-01 10:00:00+00"}']],
  },
  {
    type: 'int4range',
    logical: 'text',
    values: [
      ["'[1,5]'", '[1,6)'],
      ["'empty'", 'empty'],
    ],
  },
  {
    type: 'int4multirange',
    logical: 'text',
    since: 14,
    values: [["'{[1,2),[4,)}'", '{[1,2),[4,)}']],
  },
  {
    type: 'mood',
    logical: 'text',
    values: [
      ["'so so'", 'so so'],
      ["''", ''],
    ],
  },
  { type: 'mood[]', logical: 'text', values: [['\'{"so so"}\'', '{"so so"}']] },
  { type: 'price', logical: 'decimal(8,2)', values: [['1.5', 150n]] },
  { type: 'fair_price', logical: 'decimal(8,2)', values: [['2', 200n]] },
  { type: 'numbers', logical: 'text', values: [["'{1,2}'", '{1,2}']] },
  {
    type: 'happened',
    logical: 'timestamp_utc',
    values: [
      ["'1970-01-01 00:00:01+00'", 1_000_000n],
      ["'infinity'", null],
    ],
  },
  {
    type: 'pair',
    logical: 'text',
    values: [
      [`ROW(1, 'a b')`, '(1,"a b")'],
      ['ROW(NULL, NULL)', '(,)'],
    ],
  },
  { type: 'citext', logical: 'text', values: [["'AbC'", 'AbC']] },
  { type: 'hstore', logical: 'text', values: [["'a=>1, b=>NULL'", '"a"=>"1", "b"=>NULL']] },
  { type: 'ltree', logical: 'text', values: [["'a.b'", 'a.b']] },
  { type: 'cube', logical: 'text', values: [["'(1,2)'", '(1, 2)']] },
  { type: 'seg', logical: 'text', values: [["'1 .. 2'", '1 .. 2']] },
  { type: 'isbn', logical: 'text', values: [["'0-393-04002-X'", '0-393-04002-X']] },
];

/** What the types of the cases need to be there. */
export const TYPE_DEFINITIONS = `
CREATE TYPE mood AS ENUM ('so so', '');
CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE >= 0);
CREATE DOMAIN fair_price AS price NOT NULL;
CREATE DOMAIN numbers AS integer[];
CREATE DOMAIN happened AS timestamptz;
CREATE TYPE pair AS (a integer, b text);
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
CREATE EXTENSION cube; CREATE EXTENSION seg; CREATE EXTENSION isn;`;
