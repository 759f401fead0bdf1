import { createHash } from 'node:crypto';
import type { SourceTable } from '../../source';
import { isPartitioned } from '../catalog';
import type { Session, TextRow } from '../connection';
import { quoteList, quoteLiteral } from '../identifiers';
import type { ServerFacts } from '../server';
import { keyOfEncodedName, keyOfTable, type TableKey } from './innodb-names';

/** What the server's catalogue says of a table at one moment. */
export interface TableFacts {
  readonly engine: string | null;
  readonly partitioned: boolean;
  readonly createTime: string | null;
  /** UTC, to the second. */
  readonly updateTime: string | null;
  /** The same in microseconds since 1970. */
  readonly updatedAt: bigint | undefined;
  /** The source's clock when it was asked, microseconds since 1970. */
  readonly now: bigint;
  readonly autoIncrement: string | null;
  readonly dataLength: string | null;
  readonly tableRows: string | null;
}

/** Tables by schema, and the longest list of names that goes into one statement. */
const NAMES_PER_STATEMENT = 1_000;

/** Few enough to be asked for by name; beyond, the whole schema is read in one statement. */
const NAMED_TABLES = 2_000;

/** Few enough for a statement each: MariaDB opens every table of a schema for a list of names. */
const SINGLE_TABLES = 16;

/** Conditions that together cover the tables, for statements over information_schema. */
function conditions(tables: readonly SourceTable[]): readonly string[] {
  const schemas = new Map<string, string[]>();
  for (const { schema, name } of tables) {
    schemas.set(schema, [...(schemas.get(schema) ?? []), name]);
  }
  return [...schemas].flatMap(([schema, names]) => {
    const inSchema = `TABLE_SCHEMA = ${quoteLiteral(schema)}`;
    if (names.length <= SINGLE_TABLES) {
      return names.map((name) => `${inSchema} AND TABLE_NAME = ${quoteLiteral(name)}`);
    }
    if (names.length > NAMED_TABLES) return [inSchema];
    return pages(names).map((page) => `${inSchema} AND TABLE_NAME IN (${quoteList(page)})`);
  });
}

function pages(names: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(names.length / NAMES_PER_STATEMENT);
  return Array.from({ length: count }, (_, page) =>
    names.slice(page * NAMES_PER_STATEMENT, (page + 1) * NAMES_PER_STATEMENT),
  );
}

async function queryTables(
  session: Session,
  tables: readonly SourceTable[],
  statement: (condition: string) => string,
): Promise<readonly TextRow[]> {
  const rows: TextRow[] = [];
  for (const condition of conditions(tables)) {
    for (const row of await session.query(statement(condition))) rows.push(row);
  }
  return rows;
}

/** Within one schema a name is unique, so `schema.name` is a key that nothing else has. */
export function exactKey(table: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([table.schema, table.name]);
}

function exactKeyOf(row: TextRow): string {
  return exactKey({ schema: row['table_schema'] ?? '', name: row['table_name'] ?? '' });
}

export async function readTableFacts(
  session: Session,
  tables: readonly SourceTable[],
): Promise<ReadonlyMap<string, TableFacts>> {
  const rows = await queryTables(
    session,
    tables,
    (condition) =>
      `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, ENGINE AS engine,
              CREATE_OPTIONS AS options, CREATE_TIME AS create_time, UPDATE_TIME AS update_time,
              TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UPDATE_TIME) AS updated_at,
              TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS now,
              AUTO_INCREMENT AS auto_increment, DATA_LENGTH AS data_length, TABLE_ROWS AS table_rows
       FROM information_schema.TABLES WHERE ${condition}`,
  );
  return new Map(rows.map((row) => [exactKeyOf(row), factsOf(row)] as const));
}

function factsOf(row: TextRow): TableFacts {
  const updatedAt = row['updated_at'] ?? null;
  return {
    engine: row['engine'] ?? null,
    partitioned: isPartitioned(row['options']),
    createTime: row['create_time'] ?? null,
    updateTime: row['update_time'] ?? null,
    updatedAt: updatedAt === null ? undefined : BigInt(updatedAt),
    now: BigInt(row['now'] ?? 0),
    autoIncrement: row['auto_increment'] ?? null,
    dataLength: row['data_length'] ?? null,
    tableRows: row['table_rows'] ?? null,
  };
}

/** A digest of everything about each table's columns that shapes its values. */
export async function readColumnHashes(
  session: Session,
  facts: ServerFacts,
  tables: readonly SourceTable[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queryTables(
    session,
    tables,
    (condition) =>
      `SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name,
              CONCAT_WS('|', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLLATION_NAME, EXTRA,
                        ${facts.mariadb ? "''" : 'SRS_ID'}, GENERATION_EXPRESSION) AS definition
       FROM information_schema.COLUMNS WHERE ${condition}
       ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
  );
  const definitions = new Map<string, string[]>();
  for (const row of rows) {
    const key = exactKeyOf(row);
    const list = definitions.get(key);
    const definition = row['definition'] ?? '';
    if (list === undefined) definitions.set(key, [definition]);
    else list.push(definition);
  }
  return new Map([...definitions].map(([key, list]) => [key, digest(list)] as const));
}

function digest(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}

/**
 * A digest of the ids that InnoDB gives to each table, partition by partition. They change when
 * the rows under a name become others without any row being written: EXCHANGE PARTITION, TRUNCATE
 * (which MariaDB's UPDATE_TIME does not show), a rebuild, a rename that swaps tables. Needs the
 * right PROCESS; throws PermissionDenied without.
 */
export async function readInnodbIds(
  session: Session,
  { mariadb }: ServerFacts,
  tables: readonly SourceTable[],
): Promise<ReadonlyMap<TableKey, string>> {
  if (mariadb) return digests(await readTableIds(session, 'INNODB_SYS_TABLES', tables));
  const files = await readFileIds(session, tables);
  const shared = tables.filter((table) => !files.has(keyOfTable(table)) && table.kind !== 'view');
  if (shared.length === 0) return digests(files);
  // Tables without a file of their own; partitions always have one.
  const ids = await readTableIds(session, 'INNODB_TABLES', shared);
  return digests(new Map([...ids, ...files]));
}

type Ids = ReadonlyMap<TableKey, readonly string[]>;

async function readTableIds(
  session: Session,
  source: 'INNODB_SYS_TABLES' | 'INNODB_TABLES',
  tables: readonly SourceTable[],
): Promise<Ids> {
  const rows = await session.query(
    `SELECT NAME AS name, TABLE_ID AS table_id, SPACE AS space
     FROM information_schema.${source}${innodbCondition(tables)}`,
  );
  return grouped(
    rows.map((row) => [row['name'] ?? '', `${row['table_id']} ${row['space']}`] as const),
  );
}

/**
 * The ids of the files instead of those of the tables: MySQL's INNODB_TABLES opens every table of
 * the server (3.5 s for 10,000), which even makes it forget when others were last changed. Names
 * are decoded in NAME and as everywhere else in PATH.
 */
async function readFileIds(session: Session, tables: readonly SourceTable[]): Promise<Ids> {
  const rows = await session.query(
    `SELECT PATH AS path, SPACE AS space
     FROM information_schema.INNODB_TABLESPACES_BRIEF${innodbCondition(tables)}`,
  );
  return grouped(
    rows.flatMap((row) => {
      const name = /([^\\/]+)[\\/]([^\\/]+)\.ibd$/.exec(row['path'] ?? '');
      return name === null ? [] : [[`${name[1]}/${name[2]}`, row['space'] ?? ''] as const];
    }),
  );
}

function grouped(entries: readonly (readonly [name: string, id: string])[]): Ids {
  const ids = new Map<TableKey, string[]>();
  for (const [name, id] of entries) {
    const key = keyOfEncodedName(name);
    const list = ids.get(key);
    if (list === undefined) ids.set(key, [`${name} ${id}`]);
    else list.push(`${name} ${id}`);
  }
  return ids;
}

function digests(ids: Ids): ReadonlyMap<TableKey, string> {
  return new Map([...ids].map(([key, list]) => [key, digest(list.toSorted())] as const));
}

const PLAIN_NAME = /^[0-9A-Za-z_]+$/;

/** Narrows the list down where names are written plainly; keys do the rest. */
function innodbCondition(tables: readonly SourceTable[]): string {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  if (!schemas.every((schema) => PLAIN_NAME.test(schema))) return '';
  if (tables.length <= SINGLE_TABLES && tables.every(({ name }) => PLAIN_NAME.test(name))) {
    const names = tables.map(({ schema, name }) => `${schema}/${name}`);
    const partitions = names.map((name) => `NAME LIKE ${quoteLiteral(`${likePattern(name)}#%`)}`);
    return ` WHERE NAME IN (${quoteList(names)}) OR ${partitions.join(' OR ')}`;
  }
  const prefixes = schemas.map((schema) => `NAME LIKE ${quoteLiteral(`${likePattern(schema)}/%`)}`);
  return ` WHERE ${prefixes.join(' OR ')}`;
}

function likePattern(name: string): string {
  return name.replaceAll('_', '\\_');
}
