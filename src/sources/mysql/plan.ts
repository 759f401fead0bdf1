import { ComportaError } from '../../errors';
import type { Mask, TableSettings } from '../../pipeline/pipeline';
import type { ColumnSpec, LogicalType } from '../../types/logical';
import { assertRequiredColumns } from '../required-columns';
import type { MysqlColumn, MysqlDescription } from './catalog';
import { quoteIdentifier } from './identifiers';
import { asCharacters, mysqlTypeOf, type MysqlType } from './types';

/** One column to read: what to select and how to take what comes. */
export interface PlannedColumn {
  readonly spec: ColumnSpec;
  /** SQL for the select list. */
  readonly select: string;
  readonly wire: 'usual' | 'bits' | 'geometry';
  readonly mask?: Mask;
  /** What becomes of a value that no calendar has. Absent: the column cannot have one. */
  readonly invalidDates?: 'null' | 'fail';
}

/** A planned column with what it is planned from. */
export interface DescribedColumn extends PlannedColumn {
  readonly column: MysqlColumn;
}

/** The settings that shape what is read. */
export type ReadSettings = Pick<
  TableSettings,
  'excludeColumns' | 'textColumns' | 'masks' | 'requiredColumns' | 'invalidDates'
>;

const TEXT: LogicalType = { kind: 'text' };

/**
 * Lays a table's settings over its description. Column names in the settings match as the server
 * matches them: without regard to case. Throws TypeUnsupported naming every column without a
 * mapping, ConfigurationInvalid when no column is left or a required one is absent.
 */
export function planColumns(
  { table, columns }: MysqlDescription,
  settings: ReadSettings,
): readonly DescribedColumn[] {
  const excluded = new Set(settings.excludeColumns.map(folded));
  const texts = new Set(settings.textColumns.map(folded));
  const masks = new Map(
    Object.entries(settings.masks).map(([name, mask]) => [folded(name), mask] as const),
  );
  const chosen = columns.filter(({ name }) => !excluded.has(folded(name)));
  if (chosen.length === 0) {
    throw new ComportaError('ConfigurationInvalid', 'every column is excluded', {
      table: table.id,
      remedy: 'leave at least one column, or exclude the table',
    });
  }

  const names = new Set(columns.map(({ name }) => folded(name)));
  assertRequiredColumns(table.id, settings.requiredColumns ?? [], (column) => {
    return names.has(folded(column)) || excluded.has(folded(column));
  });

  const unsupported: MysqlColumn[] = [];
  const planned = chosen.flatMap((column) => {
    const mapping = mysqlTypeOf(column);
    const mask = masks.get(folded(column.name));
    const asText = mask !== undefined || texts.has(folded(column.name));
    if (mapping === undefined && !asText) {
      unsupported.push(column);
      return [];
    }
    return [
      mapping === undefined || asText
        ? textColumn(column, mapping, mask)
        : typedColumn(column, mapping, settings.invalidDates),
    ];
  });
  if (unsupported.length > 0) throw typeUnsupported(table.id, unsupported);
  return planned;
}

function folded(name: string): string {
  return name.toLowerCase();
}

function typedColumn(
  column: MysqlColumn,
  mapping: MysqlType,
  invalidDates: TableSettings['invalidDates'],
): DescribedColumn {
  const quoted = quoteIdentifier(column.name);
  if (mapping.calendar === true) {
    if (invalidDates === 'text') return textColumn(column, mapping, undefined);
    // NOT NULL does not keep 0000-00-00 out, and as NULL it needs a place.
    const nullable = column.nullable || invalidDates === 'null';
    return {
      spec: { ...specOf(column, mapping.type(column)), nullable },
      select: quoted,
      wire: 'usual',
      column,
      invalidDates,
    };
  }
  return {
    spec: specOf(column, mapping.type(column)),
    select: quoted,
    wire: mapping.wire ?? 'usual',
    column,
  };
}

function textColumn(
  column: MysqlColumn,
  mapping: MysqlType | undefined,
  mask: Mask | undefined,
): DescribedColumn {
  const quoted = quoteIdentifier(column.name);
  return {
    spec: specOf(column, TEXT),
    select: (mapping === undefined ? asCharacters : mapping.textExpression)?.(quoted) ?? quoted,
    wire: 'usual',
    column,
    ...(mask === undefined ? {} : { mask }),
  };
}

function specOf(column: MysqlColumn, type: LogicalType): ColumnSpec {
  const { name, nullable, sourceType, comment } = column;
  return { name, type, nullable, sourceType, ...(comment === undefined ? {} : { comment }) };
}

function typeUnsupported(table: string, columns: readonly MysqlColumn[]): ComportaError {
  const list = columns.map(({ name, sourceType }) => `${name} (${sourceType})`).join(', ');
  const names = columns.map(({ name }) => name).join(', ');
  return new ComportaError('TypeUnsupported', `no faithful type for: ${list}`, {
    table,
    remedy: `exclude ${names} or list ${columns.length === 1 ? 'it' : 'them'} under columns.text`,
  });
}
