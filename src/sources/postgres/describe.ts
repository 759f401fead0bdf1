import { ComportaError } from '../../errors';
import type { SourceColumn, SourceTable, TableDescription } from '../source';
import { quoteIdentifier, quoteQualified } from './identifiers';
import type { Session, TextRow } from './session';
import { tableKind } from './tables';
import type { ColumnType } from './types';

export interface PostgresColumn extends SourceColumn {
  readonly type: ColumnType;
  /** The function that prints a value of the type, quoted and with its schema. */
  readonly outputFunction: string;
  /** The type's name without length or precision, for a cast: `timestamp without time zone`. */
  readonly castName: string;
}

export interface PostgresDescription extends TableDescription {
  readonly oid: string;
  readonly columns: readonly PostgresColumn[];
}

const TABLE = `
SELECT c.oid, c.relkind AS kind, obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

/**
 * A domain is resolved to the type below it, whose modifier the domain has. A NOT NULL is not
 * believed of a foreign table, where nothing enforces it, nor one that is still NOT VALID
 * (PostgreSQL 18): the rows from before it may hold NULL.
 */
const COLUMNS = `
WITH RECURSIVE resolved (attnum, type, modifier) AS (
  SELECT attnum, atttypid, atttypmod
  FROM pg_attribute
  WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT r.attnum, t.typbasetype, t.typtypmod
  FROM resolved r JOIN pg_type t ON t.oid = r.type AND t.typtype = 'd'
)
SELECT a.attname AS name,
  format_type(a.atttypid, a.atttypmod) AS declared,
  format_type(t.oid, r.modifier) AS base,
  format_type(t.oid, -1) AS cast,
  (a.attnotnull AND c.relkind <> 'f' AND NOT EXISTS (
    SELECT FROM pg_constraint k
    WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated
      AND k.conkey[1] = a.attnum))::int4 AS not_null,
  col_description(a.attrelid, a.attnum) AS comment,
  t.typname AS type_name, tn.nspname AS type_schema, t.typtype AS type_type,
  (t.typelem <> 0 AND t.typcategory = 'A')::int4 AS is_array,
  r.modifier, e.extname AS extension,
  pn.nspname AS output_schema, p.proname AS output_name
FROM resolved r
JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = r.attnum
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = r.type AND t.typtype <> 'd'
JOIN pg_namespace tn ON tn.oid = t.typnamespace
JOIN pg_proc p ON p.oid = t.typoutput
JOIN pg_namespace pn ON pn.oid = p.pronamespace
LEFT JOIN pg_depend d
  ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
ORDER BY a.attnum`;

const PRIMARY_KEY = `
SELECT a.attname AS name
FROM pg_index i
CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS position
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[position]
WHERE i.indrelid = $1::oid AND i.indisprimary
ORDER BY position`;

/** What a table is made of, as the session's transaction sees it. Throws TableNotFound. */
export async function describeTable(
  session: Session,
  table: SourceTable,
): Promise<PostgresDescription> {
  const [found] = await session.query(TABLE, [table.schema, table.name], { table });
  const kind = tableKind(found?.kind);
  if (found?.oid == null || kind === undefined) {
    throw new ComportaError('TableNotFound', 'there is no such table', {
      table: table.id,
      remedy: 'check that it still exists and that the connection names the right database',
    });
  }
  const columns = await session.query(COLUMNS, [found.oid], { table });
  const key = await session.query(PRIMARY_KEY, [found.oid], { table });
  return {
    table: { ...table, kind },
    oid: found.oid,
    columns: columns.map(toColumn),
    primaryKey: key.map(({ name }) => name ?? ''),
    ...(found.comment == null ? {} : { comment: found.comment }),
  };
}

function toColumn(row: TextRow): PostgresColumn {
  const declared = row.declared ?? '';
  const base = row.base ?? '';
  return {
    name: row.name ?? '',
    sourceType: declared === base ? declared : `${declared} (${base})`,
    nullable: row.not_null !== '1',
    ...(row.comment == null ? {} : { comment: row.comment }),
    type: {
      name: row.type_name ?? '',
      kind: typeKind(row),
      schema: row.type_schema ?? '',
      builtIn: row.type_schema === 'pg_catalog',
      modifier: Number(row.modifier),
      ...(row.extension == null ? {} : { extension: row.extension }),
    },
    outputFunction: quoteQualified({
      schema: row.output_schema ?? '',
      name: row.output_name ?? '',
    }),
    castName: row.cast ?? '',
  };
}

const KINDS: Readonly<Record<string, ColumnType['kind']>> = {
  e: 'enum',
  c: 'composite',
  r: 'range',
  m: 'range',
};

function typeKind({ type_type: type, is_array: isArray }: TextRow): ColumnType['kind'] {
  return KINDS[type ?? ''] ?? (isArray === '1' ? 'array' : 'base');
}

/** The select list's way to a value as PostgreSQL prints it; NULL stays NULL. */
export function printedValue(
  column: PostgresColumn,
  expression = quoteIdentifier(column.name),
): string {
  return `textin(${column.outputFunction}(${expression}))`;
}
