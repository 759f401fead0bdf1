import type { SourceTable } from '../source';
import type { Session } from './session';

/** What the catalogue and the statistics say of one table and everything below it. */
export interface TableCounters {
  /** `pg_class.relkind`. */
  readonly kind: string;
  readonly hasForeignPart: boolean;
  readonly values: Readonly<Record<string, string | null>>;
}

/**
 * All tables in one query, with the partitions and inheritance children of each. The functions
 * take no lock and need no right. `parts` is the list of relations with their files, which
 * TRUNCATE, a rewrite, ATTACH and DETACH change; `counters` tells apart what has the same sums.
 * The columns' hash holds all labels of all enums for a table with a column of some type that is
 * not built in: ALTER TYPE … RENAME VALUE changes what is read and touches no row.
 */
const COUNTERS = `
WITH RECURSIVE wanted (ordinal, oid, kind) AS MATERIALIZED (
  SELECT w.ordinal, c.oid, c.relkind
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, name, ordinal)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
), tree (ordinal, oid) AS (
  SELECT ordinal, oid FROM wanted
  UNION
  SELECT tree.ordinal, i.inhrelid
  FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
), relations AS (
  SELECT tree.ordinal, c.oid, c.relkind, c.relfilenode,
    pg_stat_get_tuples_inserted(c.oid) AS inserted,
    pg_stat_get_tuples_updated(c.oid) AS updated,
    pg_stat_get_tuples_deleted(c.oid) AS deleted
  FROM tree JOIN pg_class c ON c.oid = tree.oid
), summed AS (
  SELECT ordinal, count(*) AS relations,
    bool_or(relkind = 'f') AS has_foreign,
    sum(inserted) AS inserted, sum(updated) AS updated, sum(deleted) AS deleted,
    string_agg(oid || '/' || relfilenode, ',' ORDER BY oid) AS parts,
    string_agg(inserted || '/' || updated || '/' || deleted, ',' ORDER BY oid)
      AS counters
  FROM relations
  GROUP BY ordinal
), enums AS (
  SELECT coalesce(sum(hashtextextended(oid || enumlabel COLLATE "C", 0)), 0) AS labels
  FROM pg_enum
), columns AS (
  SELECT a.attrelid,
    string_agg(
      concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
        a.attgenerated, CASE a.attgenerated WHEN 'v' THEN
          (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
           WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END),
      E'\\n' ORDER BY a.attnum) AS list,
    bool_or(a.atttypid >= 16384) AS has_own_type
  FROM pg_attribute a
  WHERE a.attrelid IN (SELECT oid FROM wanted) AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
)
SELECT w.ordinal, w.kind, s.relations, s.has_foreign::int4,
  s.inserted, s.updated, s.deleted,
  CASE WHEN s.relations = 1 THEN s.parts
    ELSE hashtextextended(s.parts COLLATE "C", 0)::text END AS parts,
  CASE WHEN s.relations = 1 THEN NULL
    ELSE hashtextextended(s.counters COLLATE "C", 0) END AS counters,
  hashtextextended(
    c.list || CASE WHEN c.has_own_type THEN enums.labels::text ELSE '' END COLLATE "C", 0) AS columns
FROM wanted w
JOIN summed s ON s.ordinal = w.ordinal
LEFT JOIN columns c ON c.attrelid = w.oid
CROSS JOIN enums`;

/** The counters by table id; a table that is not there is missing. */
export async function readCounters(
  session: Session,
  tables: readonly SourceTable[],
): Promise<ReadonlyMap<string, TableCounters>> {
  const rows = await session.query(COUNTERS, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  return new Map(
    rows.flatMap((row) => {
      const table = tables[Number(row.ordinal) - 1];
      if (table === undefined) return [];
      const isOne = row.relations === '1';
      const values = {
        relations: isOne ? (row.parts ?? null) : `${row.relations ?? '0'}:${row.parts ?? ''}`,
        inserted: row.inserted ?? null,
        updated: row.updated ?? null,
        deleted: row.deleted ?? null,
        ...(isOne ? {} : { counters: row.counters ?? null }),
        columns: row.columns ?? null,
      };
      return [
        [table.id, { kind: row.kind ?? '', hasForeignPart: row.has_foreign === '1', values }],
      ];
    }),
  );
}
