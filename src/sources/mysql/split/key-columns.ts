import type { SplitKey } from '../../source';
import type { MysqlDescription } from '../catalog';
import type { Session } from '../connection';
import { quoteIdentifier, quoteLiteral } from '../identifiers';

export type KeyKind = 'integer' | 'decimal' | 'date' | 'timestamp' | 'uuid' | 'binary' | 'text';

/** A column that ranges can go by. */
export interface KeyColumn {
  readonly name: string;
  readonly kind: KeyKind;
  /** Digits after the point, of a decimal. */
  readonly scale: number;
}

const KINDS: ReadonlyMap<string, KeyKind> = new Map<string, KeyKind>([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint'].map(
    (name) => [name, 'integer'] as const,
  ),
  ['decimal', 'decimal'],
  ['date', 'date'],
  ['datetime', 'timestamp'],
  ['timestamp', 'timestamp'],
  ['uuid', 'uuid'],
  ['binary', 'binary'],
  ['varbinary', 'binary'],
  ['char', 'text'],
  ['varchar', 'text'],
]);

/**
 * The primary key, or a unique index without it, as far as its columns can be gone by from the
 * first on. InnoDB keeps rows in the order of its primary key, and without one in that of such an
 * index; any other would fetch each row by itself.
 */
export async function splitKey(
  session: Session,
  { table, columns }: MysqlDescription,
): Promise<SplitKey | undefined> {
  const rows = await session.query(
    `SELECT INDEX_NAME AS name, COLUMN_NAME AS column_name, SUB_PART AS sub_part,
            \`COLLATION\` AS sorted
     FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ${quoteLiteral(table.schema)} AND TABLE_NAME = ${quoteLiteral(table.name)}
       AND NON_UNIQUE = 0 AND INDEX_TYPE = 'BTREE'
     ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
    { table: table.id },
  );
  const names = [...new Set(rows.map(({ name }) => name ?? ''))];
  for (const index of names.includes('PRIMARY') ? ['PRIMARY'] : names) {
    const parts = rows.filter(({ name }) => name === index);
    const usable: string[] = [];
    for (const part of parts) {
      const column = columns.find(({ name }) => name === part['column_name']);
      if (part['sub_part'] !== null || part['sorted'] !== 'A') break;
      if (column === undefined || column.nullable || !KINDS.has(column.dataType)) break;
      usable.push(column.name);
    }
    if (usable.length > 0) return { by: 'key', index, columns: usable };
  }
  return undefined;
}

/** The columns of a key as this table has them. */
export function keyColumns(
  { columns }: MysqlDescription,
  names: readonly string[],
): readonly KeyColumn[] {
  return names.flatMap((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    const kind = KINDS.get(column?.dataType ?? '');
    return column === undefined || kind === undefined
      ? []
      : [{ name, kind, scale: column.scale ?? 0 }];
  });
}

/** SQL for a value of a key column in the form that `literal` takes. */
export function printed({ kind }: KeyColumn, expression: string): string {
  return kind === 'binary' ? `HEX(${expression})` : expression;
}

const NUMBER = /^-?\d+(\.\d+)?$/;

/** A value that the server, or a scale, printed, as SQL. */
export function literal({ kind, name }: KeyColumn, value: string): string {
  switch (kind) {
    case 'integer':
    case 'decimal':
      // In quotes a large number would be compared as a double.
      if (!NUMBER.test(value)) throw new RangeError(`"${value}" is no number for ${name}`);
      return value;
    case 'binary':
      return `x'${Buffer.from(value, 'hex').toString('hex')}'`;
    case 'date':
    case 'timestamp':
    case 'uuid':
    case 'text':
      return quoteLiteral(value);
  }
}

/**
 * Conditions of a range of keys, in the form that both servers' range access follows: they go by an
 * index for `a > 1 OR (a = 1 AND b >= 2)`, not for `(a, b) >= (1, 2)` (MySQL 8.4 reference manual,
 * "Range Optimization of Row Constructor Expressions").
 */
export function rangeConditions(
  columns: readonly KeyColumn[],
  from: readonly string[] | undefined,
  to: readonly string[] | undefined,
): readonly string[] {
  const [column, ...rest] = columns;
  if (column === undefined) return [];
  const [first, last] = [from?.[0], to?.[0]];
  const name = quoteIdentifier(column.name);
  if (first !== undefined && first === last) {
    const inner = rangeConditions(rest, tail(from), tail(to));
    return [`${name} = ${literal(column, first)}`, ...inner];
  }
  return [
    ...(from === undefined ? [] : [bound(columns, from, '>')]),
    ...(to === undefined ? [] : [bound(columns, to, '<')]),
  ];
}

/** What is left of a bound behind its first value; undefined when nothing is. */
function tail(values: readonly string[] | undefined): readonly string[] | undefined {
  return values === undefined || values.length < 2 ? undefined : values.slice(1);
}

function bound(
  [column, ...rest]: readonly KeyColumn[],
  values: readonly string[],
  operator: '>' | '<',
): string {
  const [value] = values;
  if (column === undefined || value === undefined) return 'TRUE';
  const name = quoteIdentifier(column.name);
  const sql = literal(column, value);
  const further = tail(values);
  if (further === undefined) return operator === '>' ? `${name} >= ${sql}` : `${name} < ${sql}`;
  return `(${name} ${operator} ${sql} OR (${name} = ${sql} AND ${bound(rest, further, operator)}))`;
}
