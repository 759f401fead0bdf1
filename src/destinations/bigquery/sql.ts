import type { ColumnSpec } from '../../types/logical';
import { bigqueryType, loadedType } from './types';

/** The statements of a publication, as text. Tables are named as they stand in statements. */

export function quoted(name: string): string {
  return `\`${name}\``;
}

/** Whether what a load job makes of the columns is not yet what the table has. */
export function needsQuery(columns: readonly ColumnSpec[]): boolean {
  return columns.some(({ type }) => loadedType(type) !== bigqueryType(type));
}

/** The staged rows under the types of the table. */
export function stagedRows(staging: string, columns: readonly ColumnSpec[]): string {
  const expressions = columns.map(({ name, type }) =>
    bigqueryType(type) === 'JSON' ? `PARSE_JSON(${quoted(name)}) AS ${quoted(name)}` : quoted(name),
  );
  return `SELECT ${expressions.join(', ')} FROM ${staging}`;
}

/**
 * One row that has a column for each of the unsigned 64-bit ones: whether any of its numbers is
 * negative, which none was in the files. Undefined where there is no such column. Reads these columns.
 */
export function wrappedColumns(
  staging: string,
  columns: readonly ColumnSpec[],
): string | undefined {
  const found = columns
    .filter(({ type }) => type.kind === 'int' && type.bits === 64 && !type.signed)
    .map(({ name }) => `COUNTIF(${quoted(name)} < 0) > 0 AS ${quoted(name)}`);
  return found.length === 0 ? undefined : `SELECT ${found.join(', ')} FROM ${staging}`;
}

export interface MergeTables {
  readonly target: string;
  readonly staging: string;
}

/** @param within a condition on `present` that leaves partitions out. Undefined: all may be touched. */
export function mergeStatement(
  { target, staging }: MergeTables,
  columns: readonly ColumnSpec[],
  key: readonly string[],
  within: string | undefined,
): string {
  const names = columns.map(({ name }) => quoted(name));
  const updates = columns
    .filter(({ name }) => !key.includes(name))
    .map(({ name }) => `${quoted(name)} = loaded.${quoted(name)}`);
  const conditions = [keyCondition(key), ...(within === undefined ? [] : [within])];
  const lines = [
    `MERGE ${target} AS present`,
    `USING (${stagedRows(staging, columns)}) AS loaded`,
    `ON ${conditions.join(' AND ')}`,
    ...(updates.length === 0 ? [] : [`WHEN MATCHED THEN UPDATE SET ${updates.join(', ')}`]),
    `WHEN NOT MATCHED THEN INSERT (${names.join(', ')})`,
    `VALUES (${names.map((name) => `loaded.${name}`).join(', ')})`,
  ];
  return lines.join('\n');
}

/**
 * The partitions that a merge touches: where the loaded rows belong, and where rows of their keys lie
 * now, which may be others. Reads the key and the partitions' column of the table, and no other.
 */
export function touchedPartitions(
  { target, staging }: MergeTables,
  key: readonly string[],
  startOf: (column: string) => string,
  column: string,
): string {
  const own = `SELECT ${startOf(`loaded.${quoted(column)}`)} AS start FROM ${staging} AS loaded`;
  if (key.includes(column)) return `SELECT DISTINCT start FROM (${own}) AS touched`;
  const theirs = `SELECT ${startOf(`present.${quoted(column)}`)} AS start
    FROM ${target} AS present JOIN ${staging} AS loaded ON ${keyCondition(key)}`;
  return `SELECT DISTINCT start FROM (${own} UNION ALL ${theirs}) AS touched`;
}

function keyCondition(key: readonly string[]): string {
  return key.map((name) => `present.${quoted(name)} = loaded.${quoted(name)}`).join(' AND ');
}
