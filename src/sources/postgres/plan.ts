import { ComportaError } from '../../errors';
import type { Mask, TableSettings } from '../../pipeline/pipeline';
import type { ColumnSpec, LogicalType } from '../../types/logical';
import { assertRequiredColumns } from '../required-columns';
import { columnMatcher } from './column-names';
import { printedValue, type PostgresColumn, type PostgresDescription } from './describe';
import { quoteIdentifier } from './identifiers';
import { postgresTypeOf, type PostgresType, type Wire } from './types';

/** One column to read: what to select and how to take what comes. */
export interface PlannedColumn {
  readonly spec: ColumnSpec;
  /** SQL for the select list. */
  readonly select: string;
  readonly wire: Exclude<Wire, 'printed'>;
  readonly mask?: Mask;
  /** What becomes of a date that the logical type cannot hold. Absent: the column cannot have one. */
  readonly invalidDates?: 'null' | 'fail';
}

/** A planned column with what it is planned from. */
export interface DescribedColumn extends PlannedColumn {
  readonly column: PostgresColumn;
}

/** The settings that shape what is read. */
export type ReadSettings = Pick<
  TableSettings,
  'excludeColumns' | 'textColumns' | 'masks' | 'requiredColumns' | 'invalidDates'
>;

const TEXT: LogicalType = { kind: 'text' };

/**
 * Lays a table's settings over its description. Throws TypeUnsupported naming every column
 * without a mapping, ConfigurationInvalid when no column is left or a required one is absent.
 */
export function planColumns(
  { table, columns }: PostgresDescription,
  settings: ReadSettings,
): readonly DescribedColumn[] {
  const names = columns.map(({ name }) => name);
  const isExcluded = columnMatcher(settings.excludeColumns, names);
  const isText = columnMatcher(settings.textColumns, names);
  const maskName = columnMatcher(Object.keys(settings.masks), names);
  const chosen = columns.filter(({ name }) => isExcluded(name) === undefined);
  if (chosen.length === 0) {
    throw new ComportaError(
      'ConfigurationInvalid',
      columns.length === 0 ? 'the table has no columns' : 'every column is excluded',
      { table: table.id, remedy: 'leave at least one column, or exclude the table' },
    );
  }

  const masked = new Set(names.map(maskName));
  const excluded = new Set(settings.excludeColumns.map((name) => name.toLowerCase()));
  assertRequiredColumns(table.id, settings.requiredColumns ?? [], (column) => {
    return masked.has(column) || excluded.has(column.toLowerCase());
  });

  const unsupported: PostgresColumn[] = [];
  const planned = chosen.flatMap((column) => {
    const mapping = postgresTypeOf(column.type);
    const mask = settings.masks[maskName(column.name) ?? ''];
    if (mask !== undefined || isText(column.name) !== undefined) {
      return [textColumn(column, mapping, mask)];
    }
    if (mapping === undefined) {
      unsupported.push(column);
      return [];
    }
    return [typedColumn(column, mapping, settings.invalidDates)];
  });
  if (unsupported.length > 0) throw typeUnsupported(table.id, unsupported);
  return planned;
}

function typedColumn(
  column: PostgresColumn,
  mapping: PostgresType,
  invalidDates: TableSettings['invalidDates'],
): DescribedColumn {
  const type = mapping.type(column.type);
  if (mapping.calendar === true) {
    if (invalidDates === 'text') return textColumn(column, mapping, undefined);
    // NOT NULL does not keep infinity out, and as NULL it needs a place.
    const nullable = column.nullable || invalidDates === 'null';
    return {
      spec: { ...specOf(column, type), nullable },
      ...selected(column, mapping),
      column,
      invalidDates,
    };
  }
  return { spec: specOf(column, type), ...selected(column, mapping), column };
}

function textColumn(
  column: PostgresColumn,
  mapping: PostgresType | undefined,
  mask: Mask | undefined,
): DescribedColumn {
  const isText = mapping?.isText === true;
  return {
    spec: specOf(column, TEXT),
    select: isText ? quoteIdentifier(column.name) : printedValue(column),
    wire: 'bytes',
    column,
    ...(mask === undefined ? {} : { mask }),
  };
}

function selected(
  column: PostgresColumn,
  { wire, expression }: PostgresType,
): Pick<PlannedColumn, 'select' | 'wire'> {
  if (wire === 'printed') return { select: printedValue(column), wire: 'bytes' };
  const quoted = quoteIdentifier(column.name);
  return { select: expression?.(quoted, column.type) ?? quoted, wire };
}

function specOf(column: PostgresColumn, type: LogicalType): ColumnSpec {
  const { name, nullable, sourceType, comment } = column;
  return { name, type, nullable, sourceType, ...(comment === undefined ? {} : { comment }) };
}

function typeUnsupported(table: string, columns: readonly PostgresColumn[]): ComportaError {
  const list = columns.map(({ name, sourceType }) => `${name} (${sourceType})`).join(', ');
  const names = columns.map(({ name }) => name).join(', ');
  return new ComportaError('TypeUnsupported', `no faithful type for: ${list}`, {
    table,
    remedy: `exclude ${names} or list ${columns.length === 1 ? 'it' : 'them'} under columns.text`,
  });
}
