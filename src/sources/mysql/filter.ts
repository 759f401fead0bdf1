import { daysOfDate, microsOfTimestamp } from '../../columnar/decode/dates';
import { ComportaError } from '../../errors';
import type { RowFilter } from '../source';
import type { MysqlColumn, MysqlDescription } from './catalog';
import { quoteIdentifier, quoteLiteral } from './identifiers';
import { keyColumns, rangeConditions } from './split/key-columns';

/** ` WHERE …` for a filter, or nothing. Throws ConfigurationInvalid for a cursor that cannot be one. */
export function whereClause(description: MysqlDescription, filter: RowFilter): string {
  const conditions: string[] = [];
  // On lines of its own, so that a comment at its end hides nothing.
  if (filter.where !== undefined) conditions.push(`(\n${filter.where}\n)`);
  if (filter.from !== undefined) {
    const bound = lowerBound(description, filter.from);
    if (bound !== undefined) conditions.push(bound);
  }
  const { range } = filter;
  if (range?.key.by === 'key') {
    const columns = keyColumns(description, range.key.columns);
    conditions.push(...rangeConditions(columns, range.from, range.to));
  }
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

type CursorKind = 'number' | 'date' | 'timestamp' | 'text';

const CURSOR_KINDS: ReadonlyMap<string, CursorKind> = new Map<string, CursorKind>([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint'].map((name) => [name, 'number'] as const),
  ...['decimal', 'float', 'double', 'year', 'bit'].map((name) => [name, 'number'] as const),
  ['date', 'date'],
  ['datetime', 'timestamp'],
  ['timestamp', 'timestamp'],
  ...['char', 'varchar', 'binary', 'varbinary', 'uuid'].map((name) => [name, 'text'] as const),
]);

/** The column that a table's cursor names, matched as the server matches names. */
export function cursorColumn(description: MysqlDescription, name: string): MysqlColumn {
  const column = description.columns.find(
    (candidate) => candidate.name.toLowerCase() === name.toLowerCase(),
  );
  if (column === undefined) {
    throw new ComportaError('ConfigurationInvalid', `there is no cursor column ${name}`, {
      table: description.table.id,
      remedy: 'name an existing column under cursor.column',
    });
  }
  if (!CURSOR_KINDS.has(column.dataType)) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `column ${name} (${column.sourceType}) cannot be a cursor`,
      { table: description.table.id, remedy: 'use a number, a date, a timestamp or a key' },
    );
  }
  return column;
}

/** SQL for the largest value of a cursor column, in a form that loses nothing as text. */
export function maximumExpression(column: MysqlColumn): string {
  const quoted = quoteIdentifier(column.name);
  switch (column.dataType) {
    // A float is printed with six digits only, a bit as its bytes.
    case 'float':
      return `MAX(${quoted} * 1e0)`;
    case 'bit':
      return `MAX(${quoted} + 0)`;
    case 'binary':
    case 'varbinary':
      return `HEX(MAX(${quoted}))`;
    default:
      return `MAX(${quoted})`;
  }
}

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** The condition of an incremental read; undefined where every row has to be read. */
function lowerBound(
  description: MysqlDescription,
  { column: name, value, lookBack, exclusive }: NonNullable<RowFilter['from']>,
): string | undefined {
  const column = cursorColumn(description, name);
  const quoted = quoteIdentifier(column.name);
  const operator = exclusive ? '>' : '>=';
  const back = exclusive ? 0 : lookBack;
  const invalid = () =>
    new ComportaError('ConfigurationInvalid', `"${value}" is no value for the cursor ${name}`, {
      table: description.table.id,
      remedy: 'reset the table, so that it loads whole',
    });
  switch (CURSOR_KINDS.get(column.dataType)) {
    case 'number':
      if (!NUMBER.test(value)) throw invalid();
      return `${quoted} ${operator} ${back === 0 ? value : `(${value} - ${back})`}`;
    case 'date':
    case 'timestamp': {
      const bound = instantBefore(value, back);
      return bound === undefined ? undefined : `${quoted} ${operator} ${quoteLiteral(bound)}`;
    }
    case 'text':
      if (back > 0) {
        throw new ComportaError(
          'ConfigurationInvalid',
          `cursor.lookBack means nothing for ${name} (${column.sourceType})`,
          { table: description.table.id, remedy: 'remove lookBack or choose another cursor' },
        );
      }
      if (!column.dataType.endsWith('binary'))
        return `${quoted} ${operator} ${quoteLiteral(value)}`;
      if (!/^([0-9A-F]{2})*$/i.test(value)) throw invalid();
      return `${quoted} ${operator} x'${value}'`;
    case undefined:
      return undefined;
  }
}

/** Before this, a TIMESTAMP column has no values and a comparison with one would be a guess. */
const EARLIEST = microsOfTimestamp(Buffer.from('1970-01-01 00:00:01')) ?? 0n;

/**
 * A date or timestamp moved back by milliseconds, as text; undefined when it is no day of the
 * calendar (0000-00-00) or lies so early that everything is meant.
 */
function instantBefore(value: string, milliseconds: number): string | undefined {
  const text = Buffer.from(value);
  const days = daysOfDate(text);
  const micros = Number.isNaN(days) ? microsOfTimestamp(text) : BigInt(days) * 86_400_000_000n;
  if (micros === undefined) return undefined;
  if (milliseconds === 0) return value;
  const bound = micros - BigInt(Math.round(milliseconds * 1000));
  if (bound < EARLIEST) return undefined;
  const wholeMillis = bound / 1000n;
  const rest = String(bound % 1000n).padStart(3, '0');
  return new Date(Number(wholeMillis)).toISOString().replace('T', ' ').replace('Z', rest);
}
