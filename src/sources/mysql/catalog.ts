import { ComportaError } from '../../errors';
import { parseTableId, tableId } from '../table-id';
import type { SourceColumn, SourceTable, TableDescription, TableKind } from '../source';
import type { Session, TextRow } from './connection';
import { quoteIdentifier, quoteLiteral, quoteTable } from './identifiers';
import type { ServerFacts } from './server';
import type { ColumnType } from './types';

/** A column as the reader needs it. */
export interface MysqlColumn extends SourceColumn, ColumnType {
  /** Of a column of characters. */
  readonly charset?: string;
  readonly collation?: string;
}

export interface MysqlDescription extends TableDescription {
  readonly columns: readonly MysqlColumn[];
}

/** MariaDB also lists sequences here, which hold no rows of anybody's. */
const KINDS: ReadonlyMap<string, TableKind> = new Map([
  ['BASE TABLE', 'table'],
  ['SYSTEM VERSIONED', 'table'],
  ['VIEW', 'view'],
]);

/** Base tables, partitioned tables and views of a schema, or those of the given ids, ordered by id. */
export async function listTables(
  session: Session,
  schema: string,
  only?: readonly string[],
): Promise<readonly SourceTable[]> {
  if (only?.length === 0) return [];
  const statement = `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, CREATE_OPTIONS AS options,
            TABLE_ROWS AS row_count, DATA_LENGTH + INDEX_LENGTH AS bytes
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteLiteral(schema)}`;
  const names = only?.map((id) => quoteLiteral(parseTableId(id, 'mysql').name));
  const rows = await session.query(
    names === undefined
      ? statement
      : // MariaDB opens every table of a schema for a list of names, and one for one.
        names.map((name) => `${statement} AND TABLE_NAME = ${name}`).join(' UNION '),
  );
  // The server compares names by a collation: it also finds those that differ in case alone.
  return rows
    .flatMap((row) => sourceTable(schema, row))
    .filter(({ id }) => only === undefined || only.includes(id))
    .sort(byId);
}

function byId(one: SourceTable, other: SourceTable): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

function sourceTable(schema: string, row: TextRow): SourceTable[] {
  const name = row['name'] ?? '';
  const kind = KINDS.get(row['type'] ?? '');
  if (kind === undefined) return [];
  return [
    {
      id: tableId(undefined, name),
      schema,
      name,
      kind: kind === 'table' && isPartitioned(row['options']) ? 'partitioned' : kind,
      ...optionalNumber('approximateRows', row['row_count']),
      ...optionalNumber('approximateBytes', row['bytes']),
    },
  ];
}

/** From CREATE_OPTIONS, where both servers write the word `partitioned`. */
export function isPartitioned(createOptions: string | null | undefined): boolean {
  return /\bpartitioned\b/i.test(createOptions ?? '');
}

function optionalNumber<Key extends string>(
  key: Key,
  text: string | null | undefined,
): Partial<Record<Key, number>> {
  return text === null || text === undefined
    ? {}
    : ({ [key]: Number(text) } as Partial<Record<Key, number>>);
}

/** Everything that shapes a table's values. Throws TableNotFound. */
export async function describeTable(
  session: Session,
  facts: ServerFacts,
  table: SourceTable,
): Promise<MysqlDescription> {
  const here = `TABLE_SCHEMA = ${quoteLiteral(table.schema)} AND TABLE_NAME = ${quoteLiteral(table.name)}`;
  const subject = { table: table.id };
  const columnRows = await session.query(
    `SELECT COLUMN_NAME AS name, DATA_TYPE AS data_type, COLUMN_TYPE AS column_type,
            IS_NULLABLE AS nullable, COLUMN_COMMENT AS comment, CHARACTER_SET_NAME AS charset,
            COLLATION_NAME AS collation,
            NUMERIC_PRECISION AS p, NUMERIC_SCALE AS s, ${facts.mariadb ? 'NULL' : 'SRS_ID'} AS srid
     FROM information_schema.COLUMNS WHERE ${here} ORDER BY ORDINAL_POSITION`,
    subject,
  );
  if (columnRows.length === 0) throw tableNotFound(table);
  const keyRows = await session.query(
    `SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS
     WHERE ${here} AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX`,
    subject,
  );
  const [tableRow] = await session.query(
    `SELECT TABLE_COMMENT AS comment FROM information_schema.TABLES WHERE ${here}`,
    subject,
  );
  const json = await jsonColumns(session, facts, table, columnRows);
  // A view's comment is the word VIEW.
  const comment = table.kind === 'view' ? '' : (tableRow?.['comment'] ?? '');
  return {
    table,
    columns: columnRows.map((row) => columnOf(row, json)),
    primaryKey: keyRows.map((row) => row['name'] ?? ''),
    ...(comment === '' ? {} : { comment }),
  };
}

export function tableNotFound(table: SourceTable): ComportaError {
  return new ComportaError('TableNotFound', `${table.schema} has no table or view ${table.name}`, {
    table: table.id,
    remedy: 'check the name, and that the user of the connection may SELECT from it',
  });
}

function columnOf(row: TextRow, json: ReadonlySet<string>): MysqlColumn {
  const name = row['name'] ?? '';
  const isJson = json.has(name);
  const columnType = row['column_type'] ?? '';
  const srid = row['srid'] ?? null;
  const comment = row['comment'] ?? '';
  return {
    name,
    dataType: isJson ? 'json' : (row['data_type'] ?? '').toLowerCase(),
    columnType,
    sourceType: isJson ? 'json' : srid === null ? columnType : `${columnType} srid ${srid}`,
    nullable: row['nullable'] === 'YES',
    precision: numberOf(row['p']),
    scale: numberOf(row['s']),
    ...(comment === '' ? {} : { comment }),
    ...(row['charset'] == null ? {} : { charset: row['charset'] }),
    ...(row['collation'] == null ? {} : { collation: row['collation'] }),
  };
}

function numberOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}

/**
 * MariaDB's JSON is longtext with a check that names the column. The check is read from SHOW
 * CREATE TABLE, because information_schema.CHECK_CONSTRAINTS is empty for a user who may only
 * SELECT. https://mariadb.com/kb/en/json-data-type/
 */
async function jsonColumns(
  session: Session,
  facts: ServerFacts,
  table: SourceTable,
  columns: readonly TextRow[],
): Promise<ReadonlySet<string>> {
  const candidates = columns.filter((row) => row['data_type']?.toLowerCase() === 'longtext');
  if (!facts.mariadb || table.kind === 'view' || candidates.length === 0) return new Set();
  const [row] = await session.query(`SHOW CREATE TABLE ${quoteTable(table)}`, { table: table.id });
  const lines = (row?.['Create Table'] ?? '').split('\n');
  const names = candidates.map((candidate) => candidate['name'] ?? '');
  return new Set(names.filter((name) => lines.some((line) => isJsonLine(line, name))));
}

function isJsonLine(line: string, name: string): boolean {
  const column = quoteIdentifier(name);
  return (
    line.trimStart().startsWith(`${column} longtext `) &&
    line.includes(`CHECK (json_valid(${column}))`)
  );
}
