import type { KeyRange, SplitKey } from '../source';
import { printedValue, type PostgresColumn, type PostgresDescription } from './describe';
import { quoteIdentifier, quoteQualified } from './identifiers';
import type { Session } from './session';

/** Ranges of blocks are read as ranges, and not by looking at every row, from this version on. */
const TID_RANGE_SCANS = 140_000;

/** Types whose printed form, read back, is the same value in the same place of the order. */
const KEY_TYPES = new Set([
  ...['int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', 'uuid', 'bytea'],
  ...['date', 'timestamp', 'timestamptz'],
]);

/**
 * Columns of the unique indexes that sort as their columns do, the primary key's first. A parent of
 * INHERITS has none: its indexes say nothing of its children's rows.
 */
const INDEXES = `
SELECT quote_ident(x.relname) AS index, a.attname AS column
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
JOIN pg_class c ON c.oid = i.indrelid
CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS position
JOIN pg_opclass o ON o.oid = i.indclass[position]
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[position]
  AND a.attcollation = i.indcollation[position] AND o.opcdefault
WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
  AND NOT (c.relkind = 'r' AND c.relhassubclass)
ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname, position`;

/** The largest file among those of a table, its partitions and children, if PostgreSQL's own all. */
const BLOCKS = `
WITH RECURSIVE tree (oid) AS (
  SELECT $1::oid
  UNION
  SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
)
SELECT coalesce(max(pg_relation_size(c.oid)), 0) / current_setting('block_size')::int8 AS blocks,
  coalesce(sum(pg_relation_size(c.oid)), 0) / current_setting('block_size')::int8 AS all_blocks,
  coalesce(bool_and(m.amname = 'heap'), false)::int4 AS is_heap
FROM tree JOIN pg_class c ON c.oid = tree.oid AND c.relkind <> 'p'
LEFT JOIN pg_am m ON m.oid = c.relam`;

interface Blocks {
  readonly largest: number;
  readonly all: number;
  readonly areHeap: boolean;
}

/** See `TableSnapshot.splitKey`. */
export async function splitKey(
  session: Session,
  description: PostgresDescription,
): Promise<SplitKey | undefined> {
  const { table, oid } = description;
  const rows = await session.query(INDEXES, [oid], { table });
  for (const index of new Set(rows.map((row) => row.index ?? ''))) {
    const names = rows.filter((row) => row.index === index).map((row) => row.column);
    const end = names.findIndex((name) => !isKeyColumn(columnOf(description, name)));
    const columns = (end < 0 ? names : names.slice(0, end)).map((name) => name ?? '');
    if (columns.length > 0) return { by: 'key', index, columns };
  }
  const hasRanges = session.version >= TID_RANGE_SCANS && table.kind !== 'view';
  if (!hasRanges || !(await readBlocks(session, description)).areHeap) return undefined;
  return { by: 'blocks' };
}

function columnOf({ columns }: PostgresDescription, name: string | null | undefined) {
  return columns.find((column) => column.name === name);
}

function isKeyColumn(column: PostgresColumn | undefined): boolean {
  if (column === undefined || column.nullable) return false;
  return column.type.builtIn && column.type.kind === 'base' && KEY_TYPES.has(column.type.name);
}

/** See `TableSnapshot.split`. */
export async function split(
  session: Session,
  description: PostgresDescription,
  key: SplitKey,
  count: number,
): Promise<readonly KeyRange[]> {
  const blocks = await readBlocks(session, description);
  const bounds =
    key.by === 'blocks'
      ? blockBounds(blocks.largest, count)
      : await keyBounds(session, description, key.columns, count, blocks.all);
  return [undefined, ...bounds].map((from, i) => {
    const to = bounds[i];
    return {
      key,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
  });
}

function blockBounds(blocks: number, count: number): readonly (readonly string[])[] {
  const bounds = Array.from({ length: count - 1 }, (_, i) =>
    Math.floor((blocks * (i + 1)) / count),
  );
  return [...new Set(bounds)].filter((bound) => bound > 0).map((bound) => [String(bound)]);
}

async function readBlocks(session: Session, { table, oid }: PostgresDescription): Promise<Blocks> {
  const [row] = await session.query(BLOCKS, [oid], { table });
  return {
    largest: Number(row?.blocks),
    all: Number(row?.all_blocks),
    areHeap: row?.is_heap === '1',
  };
}

/** Enough for bounds that are a few percent from even; at 8 KiB a block some megabytes. */
const LEAST_BLOCKS = 300;
const BLOCKS_PER_CHUNK = 30;

/** Bounds from the keys of rows in a few blocks chosen at random, ordered by the server. */
async function keyBounds(
  session: Session,
  description: PostgresDescription,
  names: readonly string[],
  count: number,
  blocks: number,
): Promise<readonly (readonly string[])[]> {
  const { table } = description;
  const wanted = Math.max(LEAST_BLOCKS, BLOCKS_PER_CHUNK * count);
  const percent = Math.min(100, (100 * wanted) / Math.max(1, blocks));
  const printed = names.map((name, i) => {
    const column = columnOf(description, name);
    return column === undefined ? 'NULL' : `${printedValue(column)} AS key_${i}`;
  });
  const sql = `
SELECT * FROM (
  SELECT ${printed.join(', ')},
    row_number() OVER (ORDER BY ${names.map(quoteIdentifier).join(', ')}) AS place,
    count(*) OVER () AS total
  FROM ${quoteQualified(table)} TABLESAMPLE SYSTEM (${percent})
) AS sample
WHERE place < total AND place * ${count} / total <> (place - 1) * ${count} / total
ORDER BY place`;
  const rows = await session.query(sql, [], { table });
  const bounds = rows.map((row) => names.map((_, i) => row[`key_${i}`] ?? ''));
  return bounds.filter((bound, i) => bound.join('\0') !== bounds[i - 1]?.join('\0'));
}
