import type { ColumnSpec } from '../../types/logical';
import { COLUMNS_KEY } from '../../columnar/parquet/schema';
import { duckdbType, sameType } from './casts';
import { sqlIdentifier, sqlString } from './duckdb-sql';

/** The SQL of a merge, as text. Relations are made of local Parquet files. */

export interface Relation {
  readonly files: readonly string[];
  readonly columns: readonly ColumnSpec[];
}

/** A column of the present state whose type is another one in the load. */
export interface Retyped {
  readonly from: ColumnSpec;
  readonly to: ColumnSpec;
}

export function retypedColumns(
  before: readonly ColumnSpec[],
  now: readonly ColumnSpec[],
): Retyped[] {
  return now.flatMap((to) => {
    const from = before.find((column) => column.name === to.name);
    return from === undefined || sameType(from.type, to.type) ? [] : [{ from, to }];
  });
}

/** How many values of the present state do not come back from the column's new type. */
export function lossyValues(present: Relation, { from, to }: Retyped): string {
  const name = sqlIdentifier(from.name);
  const there = `TRY_CAST(${name} AS ${duckdbType(to.type)})`;
  return `SELECT count(*) FROM ${source(present.files)}
    WHERE TRY_CAST(${there} AS ${duckdbType(from.type)}) IS DISTINCT FROM ${name}`;
}

/** How many keys occur more than once. */
export function repeatedKeys(load: Relation, key: readonly string[]): string {
  const keys = key.map(sqlIdentifier).join(', ');
  return `SELECT count(*) FROM
    (SELECT 1 FROM ${source(load.files)} GROUP BY ${keys} HAVING count(*) > 1)`;
}

/** The rows of the load, and those of the present state whose key the load does not have. */
export function mergedRows(load: Relation, present: Relation, key: readonly string[]): string {
  return `${selectAs(load, load.columns)}
    UNION ALL
    SELECT * FROM (${selectAs(present, load.columns)}) AS present
    WHERE NOT EXISTS (SELECT 1 FROM ${source(load.files)} AS load WHERE ${sameKey('load', 'present', load, key)})`;
}

/** The rows of the load whose key the present state does not have. */
export function unseenRows(load: Relation, present: Relation, key: readonly string[]): string {
  return `SELECT * FROM (${selectAs(load, load.columns)}) AS load
    WHERE NOT EXISTS (SELECT 1 FROM (${selectAs(present, load.columns)}) AS present
      WHERE ${sameKey('load', 'present', load, key)})`;
}

/** The rows of the present state under the columns of the load. */
export function restatedRows(present: Relation, columns: readonly ColumnSpec[]): string {
  return selectAs(present, columns);
}

/** Old columns under their new types, in the new order; NULL for a column that is new. */
function selectAs(relation: Relation, columns: readonly ColumnSpec[]): string {
  const expressions = columns.map((column) => {
    const exists = relation.columns.some((present) => present.name === column.name);
    const value = exists ? sqlIdentifier(column.name) : 'NULL';
    return `CAST(${value} AS ${duckdbType(column.type)}) AS ${sqlIdentifier(column.name)}`;
  });
  return `SELECT ${expressions.join(', ')} FROM ${source(relation.files)}`;
}

function sameKey(
  one: string,
  other: string,
  { columns }: Relation,
  key: readonly string[],
): string {
  return key
    .map((name) => {
      const column = columns.find((candidate) => candidate.name === name);
      const quoted = sqlIdentifier(column?.name ?? name);
      return `${one}.${quoted} = ${other}.${quoted}`;
    })
    .join(' AND ');
}

function source(files: readonly string[]): string {
  const list = files.map(sqlString).join(', ');
  return `read_parquet([${list}], union_by_name = true, hive_partitioning = false)`;
}

export interface CopyOptions {
  readonly compression: 'zstd' | 'snappy' | 'none';
  /** A folder; one file or several appear in it. */
  readonly folder: string;
  /** About how large each file may become. */
  readonly fileBytes: number;
}

export function copyTo(rows: string, columns: readonly ColumnSpec[], options: CopyOptions): string {
  const codec = { zstd: 'ZSTD', snappy: 'SNAPPY', none: 'UNCOMPRESSED' }[options.compression];
  return `COPY (${rows}) TO ${sqlString(options.folder)} (
    FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE 122880, ROW_GROUP_SIZE_BYTES '64MB',
    FILE_SIZE_BYTES ${options.fileBytes}, FILENAME_PATTERN 'merged-{i}',
    KV_METADATA {${sqlString(COLUMNS_KEY)}: ${sqlString(JSON.stringify(columns))}})`;
}
