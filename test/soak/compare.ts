import { createHash } from 'node:crypto';
import { entityOf } from '../../src/pipeline/entity';
import { readCurrent } from '../support/lake';
import {
  openSession,
  type Dialect,
  type Session,
  type SoakSource,
  type SoakTable,
} from './sources';

/** Tables of the lake that are not what their source is, value by value, each with the difference. */
export async function differences(lake: string, source: SoakSource): Promise<string[]> {
  const session = await openSession(source);
  try {
    const found: string[] = [];
    for (const table of source.tables) {
      const difference = await differenceOf(lake, session, table);
      if (difference !== undefined) found.push(`${source.pipeline} ${table.id}: ${difference}`);
    }
    return found;
  } finally {
    await session.close();
  }
}

async function differenceOf(
  lake: string,
  session: Session,
  table: SoakTable,
): Promise<string | undefined> {
  const columns = await columnsOf(session, table);
  const select = columns.map((column) => textOf(table.dialect, column)).join(', ');
  const source = await session.rows(
    `SELECT ${select} FROM ${table.name} ORDER BY ${table.name}.id`,
  );
  const dialect = table.dialect === 'mariadb' ? 'mysql' : 'postgres';
  const entity = entityOf(table.id, dialect);
  try {
    const texts = columns.map((column) => textOf('duckdb', column)).join(', ');
    const lakeRows = await readCurrent(lake, table.pipeline, entity, `id, ${texts}`);
    const published = lakeRows.map(([, ...texts]) => texts);
    if (digest(source) === digest(published)) return undefined;
    const row = source.findIndex((values, index) => !isSame(values, published[index]));
    return `${source.length} rows at the source, ${published.length} in the lake; from row ${row}: ${JSON.stringify(source[row])} and ${JSON.stringify(published[row])}`;
  } catch (error) {
    return `the lake could not be read: ${String(error)}`;
  }
}

function digest(rows: readonly (readonly unknown[])[]): string {
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

function isSame(a: readonly unknown[], b: readonly unknown[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function columnsOf(session: Session, { dialect, name }: SoakTable): Promise<string[]> {
  const schema = dialect === 'mariadb' ? 'DATABASE()' : 'current_schema()';
  const rows = await session.rows(
    `SELECT column_name FROM information_schema.columns
     WHERE table_schema = ${schema} AND table_name = '${name}' ORDER BY ordinal_position`,
  );
  return rows.map(([column]) => String(column));
}

/** An expression for a column as text that is the same in all three. */
function textOf(engine: Dialect | 'duckdb', column: string): string {
  const value = column === 'made_at' ? MICROSECONDS[engine] : column;
  return `CAST(${value} AS ${engine === 'mariadb' ? 'CHAR' : 'VARCHAR'})`;
}

const MICROSECONDS: Readonly<Record<Dialect | 'duckdb', string>> = {
  mariadb: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', made_at)`,
  postgres: 'CAST(extract(epoch FROM made_at) * 1000000 AS bigint)',
  duckdb: 'epoch_us(made_at)',
};
