/**
 * The tables of the benchmark: made by DuckDB from expressions that always give the same values,
 * and laid into each database under the types that its users would choose.
 */

export interface BenchColumn {
  readonly name: string;
  /** DuckDB's type: what every contender's file must hold, once cast to it. */
  readonly duckdb: string;
  readonly mysql: string;
  readonly postgres: string;
  /** DuckDB's SQL over `i`, the row's number from 0; for TPC-H the generator's column. */
  readonly expression: string;
}

export interface BenchTable {
  readonly name: string;
  /** Rows at a scale, or `tpch` where DuckDB's generator decides. */
  readonly rows: ((scale: number) => number) | 'tpch';
  /** The first so many rows of the generator's only. Default: all. */
  readonly limit?: number;
  readonly columns: readonly BenchColumn[];
  readonly primaryKey: readonly string[];
}

export const benchTableNames = [
  'lineitem',
  'orders',
  'customer',
  'wide',
  'pairs',
  'texts',
] as const;

export type BenchTableName = (typeof benchTableNames)[number];

const INTEGER = ['INTEGER', 'int', 'integer'] as const;
const BIGINT = ['BIGINT', 'bigint', 'bigint'] as const;
const DATE = ['DATE', 'date', 'date'] as const;
const DOUBLE = ['DOUBLE', 'double', 'double precision'] as const;
const JSON_TEXT = ['VARCHAR', 'json', 'jsonb'] as const;
const MICROSECONDS = ['TIMESTAMP', 'datetime(6)', 'timestamp(6)'] as const;

const decimal = (precision: number, scale: number) =>
  [
    `DECIMAL(${precision},${scale})`,
    `decimal(${precision},${scale})`,
    `numeric(${precision},${scale})`,
  ] as const;
const varchar = (length: number) =>
  ['VARCHAR', `varchar(${length})`, `varchar(${length})`] as const;

function column(
  name: string,
  [duckdb, mysql, postgres]: readonly [string, string, string],
  { expression = name, nullable = false }: { expression?: string; nullable?: boolean } = {},
): BenchColumn {
  const constraint = nullable ? '' : ' NOT NULL';
  return {
    name,
    duckdb,
    mysql: `${mysql}${constraint}`,
    postgres: `${postgres}${constraint}`,
    expression: `(${expression})::${duckdb}`,
  };
}

/** A number from 0 to 2^64 - 1 that depends on the row and on nothing else. */
const random = (salt: number) => `hash(i * 64 + ${salt})`;
const below = (limit: number, salt: number) => `(${random(salt)} % ${limit})::BIGINT`;
/** NULL for so many of a hundred rows. */
const often = (percent: number, salt: number, expression: string) => ({
  expression: `CASE WHEN ${below(100, salt)} < ${percent} THEN NULL ELSE ${expression} END`,
  nullable: true,
});
const oneOf = (values: readonly string[], salt: number) =>
  `[${values.map((value) => `'${value}'`).join(', ')}][${below(values.length, salt)} + 1]`;
const SYLLABLES = ['ba', 'co', 'di', 'fé', 'gu', 'la', 'me', 'não', 'po', 'ri', 'sa', 'tu', 'ven'];
/** Words of four syllables, separated by blanks: text that compresses about as prose does. */
const words = (count: string, salt: number) =>
  `array_to_string(list_transform(range(${count}), lambda w: ${['', 1, 2, 3]
    .map(
      (syllable) =>
        `[${SYLLABLES.map((text) => `'${text}'`).join(',')}][(hash(hash(i * 1000003 + w * 8 + ${salt}) % 3000 + ${Number(syllable) * 5000}) % ${SYLLABLES.length})::BIGINT + 1]`,
    )
    .join(' || ')}), ' ')`;
const moment = (salt: number) =>
  `TIMESTAMP '2019-01-01' + to_microseconds(${below(200_000_000_000_000, salt)})`;

const lineitem: BenchTable = {
  name: 'lineitem',
  rows: 'tpch',
  primaryKey: ['l_orderkey', 'l_linenumber'],
  columns: [
    column('l_orderkey', BIGINT),
    column('l_partkey', BIGINT),
    column('l_suppkey', BIGINT),
    column('l_linenumber', INTEGER),
    column('l_quantity', decimal(15, 2)),
    column('l_extendedprice', decimal(15, 2)),
    column('l_discount', decimal(15, 2)),
    column('l_tax', decimal(15, 2)),
    column('l_returnflag', varchar(1)),
    column('l_linestatus', varchar(1)),
    column('l_shipdate', DATE),
    column('l_commitdate', DATE),
    column('l_receiptdate', DATE),
    column('l_shipinstruct', varchar(25)),
    column('l_shipmode', varchar(10)),
    column('l_comment', varchar(44)),
  ],
};

const orders: BenchTable = {
  name: 'orders',
  rows: 'tpch',
  primaryKey: ['o_orderkey'],
  columns: [
    column('o_orderkey', BIGINT),
    column('o_custkey', BIGINT),
    column('o_orderstatus', varchar(1)),
    column('o_totalprice', decimal(15, 2)),
    column('o_orderdate', DATE),
    column('o_orderpriority', varchar(15)),
    column('o_clerk', varchar(15)),
    column('o_shippriority', INTEGER),
    column('o_comment', varchar(79)),
  ],
};

const customer: BenchTable = {
  name: 'customer',
  rows: 'tpch',
  primaryKey: ['c_custkey'],
  columns: [
    column('c_custkey', BIGINT),
    column('c_name', varchar(25)),
    column('c_address', varchar(40)),
    column('c_nationkey', INTEGER),
    column('c_phone', varchar(15)),
    column('c_acctbal', decimal(15, 2)),
    column('c_mktsegment', varchar(10)),
    column('c_comment', varchar(117)),
  ],
};

/** An application's main table: many types, NULLs, times to the microsecond, JSON. */
const wide: BenchTable = {
  name: 'wide',
  rows: (scale) => Math.round(500_000 * scale),
  primaryKey: ['id'],
  columns: [
    column('id', ['UBIGINT', 'bigint unsigned', 'bigint'], { expression: 'i + 1' }),
    column('token', ['UBIGINT', 'bigint unsigned', 'numeric(20,0)'], { expression: random(1) }),
    column('status', ['TINYINT', 'tinyint', 'smallint'], { expression: below(7, 2) }),
    column('active', ['BOOLEAN', 'tinyint(1)', 'boolean'], { expression: below(2, 3) }),
    column('kind', ['USMALLINT', 'smallint unsigned', 'integer'], { expression: below(60_000, 4) }),
    column('quantity', INTEGER, { expression: `${below(2_000_000, 5)} - 1000000` }),
    column('customer_id', BIGINT, { expression: below(50_000_000_000, 6) }),
    column('referrer_id', ['UBIGINT', 'bigint unsigned', 'bigint'], {
      ...often(50, 7, below(4_000_000, 8)),
    }),
    column('price', decimal(18, 4), {
      expression: `${below(99_999_999_999, 9)}::DECIMAL(18,0) / 10000`,
    }),
    column('discount', decimal(9, 2), {
      ...often(30, 10, `${below(9_999, 11)}::DECIMAL(18,0) / 100`),
    }),
    column('weight', DOUBLE, { expression: `${below(1_000_000_007, 12)} / 8192.0::DOUBLE` }),
    column('score', DOUBLE, { ...often(20, 13, `${below(1_000_003, 14)} / 1024.0::DOUBLE`) }),
    column('country', ['VARCHAR', 'char(2)', 'char(2)'], {
      expression: oneOf(['BR', 'PT', 'US', 'DE', 'FR', 'JP', 'IN', 'MX'], 15),
    }),
    column('currency', ['VARCHAR', 'char(3)', 'char(3)'], {
      expression: oneOf(['BRL', 'EUR', 'USD', 'JPY'], 16),
    }),
    column('email', varchar(120), {
      expression: `'user.' || to_hex(${random(17)}) || '@' || ${oneOf(['example.com', 'mail.example.org', 'example.net'], 18)}`,
    }),
    column('name', varchar(120), { expression: words('3', 19) }),
    column('phone', varchar(30), { ...often(40, 20, `'+55 ' || ${below(99_999_999_999, 21)}`) }),
    column('user_agent', varchar(255), {
      expression: `'Mozilla/5.0 (X11; Linux x86_64; rv:' || ${below(200, 22)} || ') Gecko/20100101 Firefox/' || ${below(200, 22)}`,
    }),
    column('note', ['VARCHAR', 'text', 'text'], {
      ...often(60, 23, words(`6 + ${below(40, 24)}`, 25)),
    }),
    column('attributes', JSON_TEXT, {
      expression: `'{"a": ' || ${below(1000, 26)} || ', "b": "' || to_hex(${random(27)}) || '", "c": [1, ' || ${below(90, 28)} || ', null]}'`,
    }),
    column('extra', JSON_TEXT, {
      ...often(70, 29, `'{"k": "' || ${words('4', 30)} || '"}'`),
    }),
    column('created_at', MICROSECONDS, { expression: moment(31) }),
    column('updated_at', MICROSECONDS, { ...often(10, 32, moment(33)) }),
    column('shipped_at', ['TIMESTAMP', 'datetime', 'timestamp(0)'], {
      ...often(50, 34, `date_trunc('second', ${moment(35)})`),
    }),
    column('birth_date', DATE, {
      ...often(20, 36, `DATE '1940-01-01' + ${below(25_000, 37)}::INTEGER`),
    }),
  ],
};

/** A key and a value: what a row costs beside its bytes. */
const pairs: BenchTable = {
  name: 'pairs',
  rows: (scale) => Math.round(4_000_000 * scale),
  primaryKey: ['k'],
  columns: [
    column('k', BIGINT, { expression: 'i * 3' }),
    column('v', varchar(32), { expression: `to_hex(${random(1)})` }),
  ],
};

/** Texts of 1 to 20 KB. */
const texts: BenchTable = {
  name: 'texts',
  rows: (scale) => Math.round(40_000 * scale),
  primaryKey: ['id'],
  columns: [
    column('id', BIGINT, { expression: 'i' }),
    column('title', varchar(200), { expression: words('5', 1) }),
    column('body', ['VARCHAR', 'mediumtext', 'text'], {
      expression: words(`110 + ${below(1_900, 2)}`, 3),
    }),
  ],
};

/** A table without rows: what a contender needs before the first of them. */
export const nothing: BenchTable = { ...pairs, name: 'nothing', rows: () => 0 };

/** What memory must not grow with: the number of rows, and the size of one. */
export const memoryTables: readonly BenchTable[] = [
  { ...pairs, name: 'endless', rows: (scale) => Math.round(50_000_000 * scale) },
  {
    name: 'megabytes',
    rows: (scale) => Math.round(1_000 * scale),
    primaryKey: ['id'],
    columns: [
      column('id', BIGINT, { expression: 'i' }),
      column('body', ['VARCHAR', 'longtext', 'text'], {
        expression: `array_to_string(list_transform(range(62_500), lambda w: printf('%016x', hash(i * 1000003 + w))), '')`,
      }),
    ],
  },
];

export const benchTables: Readonly<Record<BenchTableName, BenchTable>> = {
  lineitem,
  orders,
  customer,
  wide,
  pairs,
  texts,
};
