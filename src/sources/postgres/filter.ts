import { ComportaError } from '../../errors';
import type { KeyRange, RowFilter } from '../source';
import { columnMatcher } from './column-names';
import type { PostgresColumn, PostgresDescription } from './describe';
import { quoteIdentifier, quoteLiteral } from './identifiers';

/** ` WHERE …` for a filter; empty for none. Throws ConfigurationInvalid for a cursor that cannot be. */
export function whereClause(
  description: PostgresDescription,
  { where, from, range }: RowFilter,
  more: readonly string[] = [],
): string {
  const conditions = [
    ...(where === undefined ? [] : [filterCondition(where)]),
    ...(from === undefined ? [] : [lowerBound(description, from)]),
    ...(range === undefined ? [] : rangeConditions(description, range)),
    ...more,
  ];
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/** A pipeline's condition in parentheses; the line breaks keep a comment at its end from eating ours. */
function filterCondition(where: string): string {
  return `(\n${where}\n)`;
}

/** The column that a cursor names. Throws ConfigurationInvalid where there is none. */
export function cursorColumn(
  { table, columns }: PostgresDescription,
  name: string,
): PostgresColumn {
  const matches = columnMatcher(
    [name],
    columns.map((column) => column.name),
  );
  const found = columns.find((column) => matches(column.name) !== undefined);
  if (found !== undefined) return found;
  throw new ComportaError('ConfigurationInvalid', `there is no column ${name} for the cursor`, {
    table: table.id,
    remedy: `name one of ${columns.map((column) => column.name).join(', ')}`,
  });
}

function lowerBound(
  description: PostgresDescription,
  { column: name, value, lookBack, exclusive }: NonNullable<RowFilter['from']>,
): string {
  const column = cursorColumn(description, name);
  const literal = `${quoteLiteral(value)}::${column.castName}`;
  const quoted = quoteIdentifier(column.name);
  if (exclusive) return `${quoted} > ${literal}`;
  if (lookBack === 0) return `${quoted} >= ${literal}`;
  return `${quoted} >= ${lookedBack(description.table.id, column, value, literal, lookBack)}`;
}

/** A comparison of rows, which goes by an index on the columns. */
function rangeConditions(
  { columns }: PostgresDescription,
  { key, from, to }: KeyRange,
): readonly string[] {
  const bound = (operator: '>=' | '<', values: readonly string[] | undefined): string[] => {
    if (values === undefined) return [];
    if (key.by === 'blocks') return [`ctid ${operator} '(${values[0]},0)'::tid`];
    const literals = values.map((value, i) => {
      const column = columns.find(({ name }) => name === key.columns[i]);
      return `${quoteLiteral(value)}::${column?.castName}`;
    });
    const names = key.columns.map(quoteIdentifier);
    return [`(${names.join(', ')}) ${operator} (${literals.join(', ')})`];
  };
  return [...bound('>=', from), ...bound('<', to)];
}

const SMALLEST: Readonly<Record<string, bigint>> = {
  int2: -(2n ** 15n),
  int4: -(2n ** 31n),
  int8: -(2n ** 63n),
};

function lookedBack(
  table: string,
  { name, type, castName, sourceType }: PostgresColumn,
  value: string,
  literal: string,
  lookBack: number,
): string {
  switch (type.builtIn && type.kind === 'base' ? type.name : '') {
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return `(${literal} - interval '${lookBack} milliseconds')`;
    case 'float4':
    case 'float8':
    case 'numeric':
      return `(${literal} - ${quoteLiteral(String(lookBack))}::${castName})`;
    case 'int2':
    case 'int4':
    case 'int8': {
      const smallest = SMALLEST[type.name] ?? 0n;
      const bound = BigInt(value) - BigInt(Math.ceil(lookBack));
      return `${quoteLiteral(String(bound < smallest ? smallest : bound))}::${castName}`;
    }
    default:
      throw new ComportaError(
        'ConfigurationInvalid',
        `cursor.lookBack has no meaning for column ${name} (${sourceType})`,
        { table, remedy: 'use a number or date column as the cursor, or lookBack: 0' },
      );
  }
}
