import type { SourceTable, TableKind } from '../source';
import { parseTableId, tableId } from '../table-id';
import type { Session, TextRow } from './session';

const KINDS: Readonly<Record<string, TableKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign',
};

/** `pg_class.relkind` in words; undefined for what is not read, such as an index. */
export function tableKind(relkind: string | null | undefined): TableKind | undefined {
  return KINDS[relkind ?? ''];
}

/**
 * A partition is part of its table and not listed. A view that an extension brings along shows the
 * server's own state (pg_stat_statements) and is not listed either; an extension's tables are.
 * Estimates of a table with children, by partitioning or by inheritance, are sums over them.
 */
const LIST = `
WITH RECURSIVE listed AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1::text[])
    AND ($2::text[] IS NULL OR c.relname = ANY ($2::text[]))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
    AND NOT (c.relkind = 'v' AND EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass
        AND d.objid = c.oid AND d.deptype = 'e'))
), tree (root, oid) AS (
  SELECT oid, oid FROM listed
  UNION
  SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
), size AS (
  SELECT tree.root,
    sum(c.reltuples) FILTER (WHERE c.reltuples >= 0 AND c.relkind <> 'p') AS tuples,
    sum(c.relpages) FILTER (WHERE c.relkind IN ('r', 'm'))::int8
      * current_setting('block_size')::int8 AS bytes
  FROM tree JOIN pg_class c ON c.oid = tree.oid
  GROUP BY tree.root
)
SELECT listed.nspname AS schema, listed.relname AS name, listed.relkind AS kind,
  size.tuples::numeric AS rows, size.bytes
FROM listed JOIN size ON size.root = listed.oid`;

/** Tables, partitioned tables, views, materialized views and foreign tables, ordered by id. */
export async function listTables(
  session: Session,
  schemas: readonly string[],
  only: readonly string[] | undefined,
): Promise<readonly SourceTable[]> {
  const wanted = only?.map((id) => parseTableId(id, 'postgres'));
  const found = await session.query(LIST, [schemas, wanted?.map(({ name }) => name) ?? null]);
  const tables = found.flatMap(toTable);
  const ids = only === undefined ? undefined : new Set(only);
  return tables
    .filter(({ id }) => ids === undefined || ids.has(id))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function toTable(row: TextRow): SourceTable[] {
  const kind = tableKind(row.kind);
  if (kind === undefined || row.schema == null || row.name == null) return [];
  return [
    {
      id: tableId(row.schema, row.name),
      schema: row.schema,
      name: row.name,
      kind,
      ...(row.rows == null ? {} : { approximateRows: Number(row.rows) }),
      ...(row.bytes == null ? {} : { approximateBytes: Number(row.bytes) }),
    },
  ];
}
