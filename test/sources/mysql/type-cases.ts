/** A column type, the logical type that is expected, and pairs of SQL and expected value. */
export interface TypeCase {
  readonly type: string;
  readonly logical: string;
  readonly values: readonly (readonly [sql: string, expected: unknown])[];
}

const micros = (text: string) => BigInt(Date.parse(`${text}Z`)) * 1000n;
const days = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

/** Types that both servers have. */
export const BOTH: readonly TypeCase[] = [
  {
    type: 'tinyint',
    logical: 'int8',
    values: [
      ['-128', -128],
      ['127', 127],
    ],
  },
  {
    type: 'tinyint(1)',
    logical: 'int8',
    values: [
      ['-128', -128],
      ['2', 2],
      ['TRUE', 1],
    ],
  },
  {
    type: 'boolean',
    logical: 'int8',
    values: [
      ['FALSE', 0],
      ['3', 3],
    ],
  },
  { type: 'tinyint unsigned', logical: 'uint8', values: [['255', 255]] },
  {
    type: 'smallint',
    logical: 'int16',
    values: [
      ['-32768', -32768],
      ['32767', 32767],
    ],
  },
  { type: 'smallint unsigned', logical: 'uint16', values: [['65535', 65535]] },
  {
    type: 'mediumint',
    logical: 'int32',
    values: [
      ['-8388608', -8388608],
      ['8388607', 8388607],
    ],
  },
  { type: 'mediumint unsigned', logical: 'uint32', values: [['16777215', 16777215]] },
  {
    type: 'int',
    logical: 'int32',
    values: [
      ['-2147483648', -2147483648],
      ['2147483647', 2147483647],
    ],
  },
  { type: 'int unsigned', logical: 'uint32', values: [['4294967295', 4294967295]] },
  {
    type: 'int(10) unsigned zerofill',
    logical: 'uint32',
    values: [
      ['42', 42],
      ['4294967295', 4294967295],
    ],
  },
  {
    type: 'bigint',
    logical: 'int64',
    values: [
      ['-9223372036854775808', -(2n ** 63n)],
      ['9223372036854775807', 2n ** 63n - 1n],
    ],
  },
  {
    type: 'bigint unsigned',
    logical: 'uint64',
    values: [
      ['18446744073709551615', 2n ** 64n - 1n],
      ['9007199254740993', 9007199254740993n],
    ],
  },
  { type: 'bigint(20) unsigned zerofill', logical: 'uint64', values: [['7', 7n]] },
  {
    type: 'decimal(5,2)',
    logical: 'decimal(5,2)',
    values: [
      ['-123.45', -12345n],
      ['0', 0n],
      ['999.99', 99999n],
    ],
  },
  { type: 'decimal(5,2) unsigned zerofill', logical: 'decimal(5,2)', values: [['1.5', 150n]] },
  {
    type: 'decimal(18,0)',
    logical: 'decimal(18,0)',
    values: [['-999999999999999999', -999999999999999999n]],
  },
  {
    type: 'decimal(19,4)',
    logical: 'decimal(19,4)',
    values: [['-123456789012345.6789', -1234567890123456789n]],
  },
  {
    type: 'decimal(38,30)',
    logical: 'decimal(38,30)',
    values: [
      ['-99999999.999999999999999999999999999999', -(10n ** 38n - 1n)],
      ['0.000000000000000000000000000001', 1n],
    ],
  },
  {
    type: 'decimal(65,30)',
    logical: 'text',
    values: [
      [`${'9'.repeat(35)}.${'9'.repeat(30)}`, `${'9'.repeat(35)}.${'9'.repeat(30)}`],
      ['-1', `-1.${'0'.repeat(30)}`],
    ],
  },
  {
    type: 'float',
    logical: 'float',
    values: [
      ['0.1', Math.fround(0.1)],
      ['16777217', 16777216],
      ['3.4028234e38', Math.fround(3.4028234e38)],
      ['1.17549435e-38', Math.fround(1.17549435e-38)],
      ['1.401298464324817e-45', 2 ** -149],
      ['-1234.5678', Math.fround(-1234.5678)],
    ],
  },
  { type: 'float(7,3)', logical: 'float', values: [['1234.567', Math.fround(1234.567)]] },
  { type: 'float unsigned', logical: 'float', values: [['1.5', 1.5]] },
  {
    type: 'double',
    logical: 'double',
    values: [
      ['0.1', 0.1],
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['5e-324', 5e-324],
      ['2.2250738585072014e-308', 2.2250738585072014e-308],
      ['0.30000000000000004', 0.30000000000000004],
      ['-123456789012345678', -123456789012345680],
    ],
  },
  { type: 'double(10,3)', logical: 'double', values: [['1234567.891', 1234567.891]] },
  {
    type: 'bit(1)',
    logical: 'uint64',
    values: [
      ["b'1'", 1n],
      ["b'0'", 0n],
    ],
  },
  { type: 'bit(10)', logical: 'uint64', values: [["b'1010101010'", 682n]] },
  {
    type: 'bit(64)',
    logical: 'uint64',
    values: [
      ["x'FFFFFFFFFFFFFFFF'", 2n ** 64n - 1n],
      ["x'8000000000000000'", 2n ** 63n],
    ],
  },
  {
    type: 'date',
    logical: 'date',
    values: [
      ["'1000-01-01'", days('1000-01-01')],
      ["'9999-12-31'", days('9999-12-31')],
      ["'2024-02-29'", days('2024-02-29')],
      ["'0001-01-01'", days('0001-01-01')],
    ],
  },
  {
    type: 'datetime',
    logical: 'timestamp',
    values: [
      ["'1000-01-01 00:00:00'", micros('1000-01-01T00:00:00')],
      ["'9999-12-31 23:59:59'", micros('9999-12-31T23:59:59')],
    ],
  },
  {
    type: 'datetime(3)',
    logical: 'timestamp',
    values: [["'2024-03-31 02:30:00.125'", micros('2024-03-31T02:30:00.125')]],
  },
  {
    type: 'datetime(6)',
    logical: 'timestamp',
    values: [
      ["'9999-12-31 23:59:59.999999'", micros('9999-12-31T23:59:59') + 999_999n],
      ["'1969-12-31 23:59:59.000001'", -999_999n],
    ],
  },
  {
    type: 'timestamp(6) NULL',
    logical: 'timestamp_utc',
    values: [
      ["'1970-01-01 00:00:01.000001'", 1_000_001n],
      ["'2038-01-19 03:14:07.999999'", micros('2038-01-19T03:14:07') + 999_999n],
    ],
  },
  {
    type: 'timestamp NULL',
    logical: 'timestamp_utc',
    values: [["'2024-10-27 01:30:00'", micros('2024-10-27T01:30:00')]],
  },
  {
    type: 'time(6)',
    logical: 'duration',
    values: [
      ["'-838:59:59'", -3_020_399_000_000n],
      ["'838:59:59'", 3_020_399_000_000n],
      ["'-00:00:00.000001'", -1n],
      ["'12:34:56.789'", 45_296_789_000n],
    ],
  },
  {
    type: 'time',
    logical: 'duration',
    values: [
      ["'100:00:00'", 360_000_000_000n],
      ["'-01:00:00'", -3_600_000_000n],
    ],
  },
  {
    type: 'year',
    logical: 'int16',
    values: [
      ['1901', 1901],
      ['2155', 2155],
      ["'0000'", 0],
    ],
  },
  {
    type: 'char(10)',
    logical: 'text',
    values: [
      ["'a  '", 'a'],
      ["''", ''],
    ],
  },
  {
    type: 'varchar(100) character set utf8mb4',
    logical: 'text',
    values: [
      ["'naïve 😀 \\'x\\' \\\\ \\n'", "naïve 😀 'x' \\ \n"],
      ["'a  '", 'a  '],
    ],
  },
  {
    type: 'varchar(100) character set latin1',
    logical: 'text',
    values: [["'Übergröße €'", 'Übergröße €']],
  },
  { type: 'varchar(100) character set utf32', logical: 'text', values: [["'漢字 😀'", '漢字 😀']] },
  { type: 'varchar(100) character set utf16', logical: 'text', values: [["'漢字 😀'", '漢字 😀']] },
  { type: 'varchar(100) character set ucs2', logical: 'text', values: [["'漢字'", '漢字']] },
  {
    type: 'varchar(100) character set ujis',
    logical: 'text',
    values: [["'日本語テスト'", '日本語テスト']],
  },
  { type: 'varchar(100) character set gbk', logical: 'text', values: [["'中文'", '中文']] },
  { type: 'varchar(100) character set koi8r', logical: 'text', values: [["'Привет'", 'Привет']] },
  { type: 'tinytext', logical: 'text', values: [["'t'", 't']] },
  { type: 'text character set sjis', logical: 'text', values: [["'表示'", '表示']] },
  { type: 'mediumtext', logical: 'text', values: [["REPEAT('x', 70000)", 'x'.repeat(70_000)]] },
  { type: 'longtext', logical: 'text', values: [["'not json'", 'not json']] },
  {
    type: "enum('a','b''c','ü','')",
    logical: 'text',
    values: [
      ["'b\\'c'", "b'c"],
      ["'ü'", 'ü'],
      ["''", ''],
      ["'nonsense'", ''],
    ],
  },
  {
    type: "set('x','y','z')",
    logical: 'text',
    values: [
      ["'z,x'", 'x,z'],
      ["''", ''],
    ],
  },
  {
    type: 'json',
    logical: 'json',
    values: [
      ['\'{"a": [1, null, "😀"]}\'', '{"a": [1, null, "😀"]}'],
      ["'null'", 'null'],
    ],
  },
  { type: 'binary(4)', logical: 'binary', values: [["x'00FF'", '00ff0000']] },
  {
    type: 'varbinary(10)',
    logical: 'binary',
    values: [
      ["x'00FF27FE'", '00ff27fe'],
      ["''", ''],
    ],
  },
  { type: 'tinyblob', logical: 'binary', values: [["x'C328'", 'c328']] },
  { type: 'blob', logical: 'binary', values: [["x'00'", '00']] },
  { type: 'mediumblob', logical: 'binary', values: [["x'01'", '01']] },
  {
    type: 'longblob',
    logical: 'binary',
    values: [["REPEAT(x'AB', 100000)", 'ab'.repeat(100_000)]],
  },
  {
    type: 'geometry',
    logical: 'wkb',
    values: [["ST_GeomFromText('POINT(1 2)')", '0101000000000000000000f03f0000000000000040']],
  },
  {
    type: 'point',
    logical: 'wkb',
    values: [["ST_GeomFromText('POINT(-1 0)')", '0101000000000000000000f0bf0000000000000000']],
  },
  {
    type: 'linestring',
    logical: 'wkb',
    values: [
      [
        "ST_GeomFromText('LINESTRING(0 0,1 1)')",
        '0102000000020000000000000000000000' + '0000000000000000000000000000f03f000000000000f03f',
      ],
    ],
  },
  {
    type: 'polygon',
    logical: 'wkb',
    values: [
      [
        "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')",
        '01030000000100000004000000' +
          '00000000000000000000000000000000' +
          '0000000000000000000000000000f03f' +
          '000000000000f03f000000000000f03f' +
          '00000000000000000000000000000000',
      ],
    ],
  },
  {
    type: 'multipoint',
    logical: 'wkb',
    values: [
      [
        "ST_GeomFromText('MULTIPOINT(1 2)')",
        '010400000001000000' + '0101000000000000000000f03f0000000000000040',
      ],
    ],
  },
  { type: 'multilinestring', logical: 'wkb', values: [] },
  { type: 'multipolygon', logical: 'wkb', values: [] },
  {
    type: 'geometrycollection',
    logical: 'wkb',
    values: [
      [
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')",
        '010700000001000000' + '0101000000000000000000f03f0000000000000040',
      ],
    ],
  },
];

export const MYSQL_ONLY: readonly TypeCase[] = [
  {
    type: 'vector(2)',
    logical: 'binary',
    values: [["STRING_TO_VECTOR('[1,-2]')", '0000803f000000c0']],
  },
  {
    type: 'point srid 4326',
    logical: 'wkb',
    values: [
      [
        "ST_GeomFromText('POINT(48.2 16.37)', 4326)",
        '0101000000' + '1f85eb51b85e3040' + '9a99999999194840',
      ],
    ],
  },
  // MySQL alone keeps the sign of zero.
  { type: 'float', logical: 'float', values: [['-0e0', -0]] },
  { type: 'double', logical: 'double', values: [['-0e0', -0]] },
];

export const MARIADB_ONLY: readonly TypeCase[] = [
  {
    type: 'uuid',
    logical: 'uuid',
    values: [["'00112233-4455-6677-8899-aabbccddeeff'", '00112233445566778899aabbccddeeff']],
  },
  { type: 'inet4', logical: 'text', values: [["'192.0.2.1'", '192.0.2.1']] },
  {
    type: 'inet6',
    logical: 'text',
    values: [["'2001:db8::ff00:42:8329'", '2001:db8::ff00:42:8329']],
  },
  {
    type: 'longtext compressed',
    logical: 'text',
    values: [["REPEAT('x', 1000)", 'x'.repeat(1000)]],
  },
];
