import type { KeyRange, SplitKey } from '../../source';
import type { MysqlDescription } from '../catalog';
import type { Session } from '../connection';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers';
import { keyColumns, literal, printed, rangeConditions, type KeyColumn } from './key-columns';
import { scaleBetween, type Alphabet, type KeyScale } from './key-scale';

type Bound = readonly string[];

/** A piece of the table between two bounds, and how it can be halved. */
interface Piece {
  readonly from?: Bound;
  readonly to?: Bound;
  /** The server's estimate. */
  readonly rows: number;
  /** The leading columns of which it has one value only. */
  readonly prefix: Bound;
  /** Of the column after them; undefined until looked at. */
  readonly scale?: KeyScale | undefined;
  /** Nothing is left to divide it by. */
  readonly isWhole?: boolean;
}

/** Pieces that make up a range: so far, about, ranges are from even. */
const PIECES_PER_RANGE = 4;
/** So many times as many rows on one side tell that a scale fits badly. */
const LOPSIDED = 50;
/** Steps at most. */
const STEPS = 256;
const STEPS_PER_RANGE = 24;

/**
 * See `TableSnapshot.split`. Neither server takes samples of a table, but both estimate how many
 * rows lie between two keys from a look at two leaves of the index. So the range of keys is halved
 * by value, the piece of most rows first, until pieces are small, and they are put together to
 * ranges of about the same number of rows.
 */
export async function split(
  session: Session,
  description: MysqlDescription,
  key: SplitKey,
  count: number,
): Promise<readonly KeyRange[]> {
  const bounds = key.by === 'key' ? await keyBounds(session, description, key, count) : [];
  return [undefined, ...bounds].map((from, i) => {
    const to = bounds[i];
    return {
      key,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
  });
}

async function keyBounds(
  session: Session,
  description: MysqlDescription,
  key: SplitKey & { readonly by: 'key' },
  count: number,
): Promise<readonly Bound[]> {
  const { table } = description;
  const subject = { table: table.id };
  const columns = keyColumns(description, key.columns);
  // MySQL estimates nothing for an index that it is forced to use (8.4 reference manual, "Range
  // Optimization": index dives are skipped).
  const from = `FROM ${quoteTable(table)}${indexHint(key, 'USE')}`;
  const alphabets = await readAlphabets(session, description, columns);

  const estimate = async (first: Bound | undefined, last: Bound | undefined): Promise<number> => {
    const where = rangeConditions(columns, first, last).join(' AND ');
    const name = quoteIdentifier(columns[0]?.name ?? '');
    const rows = await session.query(
      `EXPLAIN FORMAT=TRADITIONAL SELECT ${name} ${from} WHERE ${where}`,
      subject,
    );
    return rows.reduce((sum, row) => sum + Number(row['rows'] ?? 0), 0);
  };

  /** The scale of the first column of which the piece has several values. */
  const measured = async (piece: Piece): Promise<Piece> => {
    let { prefix } = piece;
    for (;;) {
      const column = columns[prefix.length];
      if (column === undefined) return { ...piece, isWhole: true };
      const name = quoteIdentifier(column.name);
      const equals = prefix.map((value, i) => {
        const before = columns[i]!;
        return `${quoteIdentifier(before.name)} = ${literal(before, value)}`;
      });
      // The bounds of a piece say something of this column if they share the prefix.
      const within = (bound: Bound | undefined) =>
        bound !== undefined && bound.length > prefix.length && startsWith(bound, prefix)
          ? [bound[prefix.length] ?? '']
          : undefined;
      const [floor, ceiling] = [within(piece.from), within(piece.to)];
      const range = rangeConditions([column], floor, ceiling);
      const where = [...equals, ...range].join(' AND ');
      const [row] = await session.query(
        `SELECT ${printed(column, `MIN(${name})`)} AS low, ${printed(column, `MAX(${name})`)} AS high,
           MIN(${name}) = MAX(${name}) AS is_one ${from}${where === '' ? '' : ` WHERE ${where}`}`,
        subject,
      );
      const { low, high, is_one: isOne } = row ?? {};
      if (low == null || high == null) return { ...piece, isWhole: true };
      if (isOne !== '1') {
        const alphabet = alphabets.get(column.name) ?? [];
        const scale = scaleBetween(column, low, high, alphabet, floor?.[0]);
        if (scale === undefined || scale.low >= scale.high) return { ...piece, isWhole: true };
        return { ...piece, prefix, scale };
      }
      prefix = [...prefix, low];
    }
  };

  const halved = async (piece: Piece): Promise<readonly Piece[]> => {
    const { scale } = piece;
    if (scale === undefined || scale.low >= scale.high) return [await measured(piece)];
    const middle = scale.low + (scale.high - scale.low + 1n) / 2n;
    const bound = [...piece.prefix, scale.valueAt(middle)];
    const [below, above] = [await estimate(piece.from, bound), await estimate(bound, piece.to)];
    // Where one side is as good as empty, the other's values begin or end somewhere else.
    const [isLow, isHigh] = [above < below / LOPSIDED, below < above / LOPSIDED];
    const [low, high] = [
      { ...scale, high: middle - 1n },
      { ...scale, low: middle },
    ];
    return [
      { ...piece, to: bound, rows: below, scale: isLow ? undefined : low },
      { ...piece, from: bound, rows: above, scale: isHigh ? undefined : high },
    ];
  };

  let pieces: readonly Piece[] = [{ rows: Number.MAX_SAFE_INTEGER, prefix: [] }];
  for (let step = 0; step < STEPS + STEPS_PER_RANGE * count; step++) {
    const largest = largestOf(pieces);
    const enough = rowsOf(pieces) / (count * PIECES_PER_RANGE);
    if (largest === undefined || largest.rows <= enough) break;
    const parts = await halved(largest);
    pieces = pieces.flatMap((piece) => (piece === largest ? parts : [piece]));
  }
  return inOrder(session, description, columns, evenBounds(pieces, count));
}

/** Only of the primary key: the server may have been told not to use another. */
export function indexHint(key: SplitKey, hint: 'FORCE' | 'USE'): string {
  return key.by === 'key' && key.index === 'PRIMARY' ? ` ${hint} INDEX (PRIMARY)` : '';
}

function startsWith(bound: Bound, prefix: Bound): boolean {
  return prefix.every((value, i) => bound[i] === value);
}

function rowsOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { rows }) => sum + rows, 0);
}

function largestOf(pieces: readonly Piece[]): Piece | undefined {
  let largest: Piece | undefined;
  for (const piece of pieces) {
    if (piece.isWhole !== true && piece.rows > (largest?.rows ?? -1)) largest = piece;
  }
  return largest;
}

/** The bounds at which each further share of the rows is reached. */
function evenBounds(pieces: readonly Piece[], count: number): readonly Bound[] {
  const share = rowsOf(pieces) / count;
  const bounds: Bound[] = [];
  let rows = 0;
  for (const piece of pieces) {
    rows += piece.rows;
    if (piece.to !== undefined && rows >= share * (bounds.length + 1)) bounds.push(piece.to);
  }
  return bounds.slice(0, count - 1);
}

/** The bounds that the server, too, finds each above the one before. */
async function inOrder(
  session: Session,
  description: MysqlDescription,
  columns: readonly KeyColumn[],
  bounds: readonly Bound[],
): Promise<readonly Bound[]> {
  const comparisons = bounds.slice(1).map((bound, i) => {
    const before = bounds[i] ?? [];
    const place = bound.findIndex((value, k) => value !== before[k]);
    const [low, high, column] = [before[place], bound[place], columns[place]];
    // The longer of two that begin alike is the later one.
    if (high === undefined || column === undefined) return 'FALSE';
    if (low === undefined) return 'TRUE';
    const value = comparable(description, column);
    return `${value(low)} < ${value(high)}`;
  });
  if (comparisons.length === 0) return bounds;
  const list = comparisons.map((comparison, i) => `${comparison} AS c${i}`).join(', ');
  const [row] = await session.query(`SELECT ${list}`, { table: description.table.id });
  const kept = bounds.filter((_, i) => i === 0 || row?.[`c${i - 1}`] === '1');
  return kept.length === bounds.length ? bounds : inOrder(session, description, columns, kept);
}

/** SQL for a value outside of the table that compares as it does in its column. */
function comparable(description: MysqlDescription, column: KeyColumn): (value: string) => string {
  const sql = (value: string) => literal(column, value);
  switch (column.kind) {
    case 'text':
      return (value) => inCollation(description, column, sql(value));
    case 'uuid':
      return (value) => `CAST(${sql(value)} AS UUID)`;
    case 'date':
      return (value) => `CAST(${sql(value)} AS DATE)`;
    case 'timestamp':
      return (value) => `CAST(${sql(value)} AS DATETIME(6))`;
    case 'integer':
    case 'decimal':
    case 'binary':
      return sql;
  }
}

function inCollation({ columns }: MysqlDescription, { name }: KeyColumn, sql: string): string {
  const { charset, collation } = columns.find((column) => column.name === name) ?? {};
  if (charset === undefined || collation === undefined) return sql;
  return `CONVERT(${sql} USING ${charset}) COLLATE ${collation}`;
}

const [FIRST_PRINTABLE, LAST_PRINTABLE] = [0x21, 0x7e];

/** Per column of text, the characters of ASCII that its collation does not pass over, in its order. */
async function readAlphabets(
  session: Session,
  description: MysqlDescription,
  columns: readonly KeyColumn[],
): Promise<ReadonlyMap<string, Alphabet>> {
  const alphabets = new Map<string, Alphabet>();
  const characters = Array.from({ length: LAST_PRINTABLE - FIRST_PRINTABLE + 1 }, (_, i) =>
    String.fromCharCode(FIRST_PRINTABLE + i),
  );
  for (const column of columns.filter(({ kind }) => kind === 'text')) {
    const value = (text: string) => inCollation(description, column, quoteLiteral(text));
    const list = characters.map((text) => `SELECT ${quoteLiteral(text)} AS c, ${value(text)} AS v`);
    const rows = await session.query(
      `SELECT c, DENSE_RANK() OVER (ORDER BY v) AS place FROM (${list.join(' UNION ALL ')}) AS printable
       WHERE v <> ${value('')} ORDER BY place`,
      { table: description.table.id },
    );
    const places = new Map<string, string[]>();
    for (const row of rows) {
      const equal = places.get(row['place'] ?? '') ?? [];
      places.set(row['place'] ?? '', [...equal, row['c'] ?? '']);
    }
    alphabets.set(column.name, [...places.values()]);
  }
  return alphabets;
}
