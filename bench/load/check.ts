import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, withDuckdb, type SourceData } from './source-data';
import type { BenchColumn } from './tables';

export interface Verdict {
  /** What is wrong with the values; empty when every column holds what the source holds. */
  readonly wrong: readonly string[];
  /** Types that lost something: a decimal that came as a text, say, with how many columns. */
  readonly types: readonly string[];
  /** Where the file is not made as the others: another codec, no dictionaries, no statistics. */
  readonly settings: readonly string[];
}

/** Kinds of types; a reader who finds another kind has to know better than the file. */
type Kind = 'integer' | 'decimal' | 'float' | 'text' | 'date' | 'time' | 'truth' | 'other';

/**
 * Compares the answer of a contender with the source, column by column: rows, values that are not
 * NULL, smallest, largest, sum of numbers, and a sum of hashes that depends on every value. An
 * answer of another type counts as right if a cast brings the values back.
 */
export async function checkAnswer(data: SourceData, files: readonly string[]): Promise<Verdict> {
  if (files.length === 0) {
    return { wrong: ['no Parquet file'], types: [], settings: [] };
  }
  return withDuckdb(':memory:', async (connection) => {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`ATTACH ${literal(data.file)} AS source (READ_ONLY)`);
    const answer = `read_parquet([${files.map(literal).join(', ')}])`;
    const found = await typesOf(connection, answer);
    const missing = data.table.columns.filter(({ name }) => !found.has(name));
    const columns = data.table.columns.filter(({ name }) => found.has(name));
    const expected = await facts(connection, `source.${data.table.name}`, columns);
    const actual = await factsOrError(connection, answer, columns);
    const wrong = missing.map(({ name }) => `${name} is missing`);
    if (typeof actual === 'string') wrong.push(actual);
    else
      for (const [index, { name, value }] of expected.entries()) {
        const answered = actual[index]?.value;
        if (answered !== value) wrong.push(`${name}: ${answered}, not ${value}`);
      }
    return {
      wrong,
      types: typeLosses(columns, found),
      settings: await settingsOf(connection, files),
    };
  });
}

async function typesOf(
  connection: DuckDBConnection,
  relation: string,
): Promise<Map<string, string>> {
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${relation}`);
  return new Map(reader.getRows().map(([name, type]) => [String(name), String(type)]));
}

interface Fact {
  readonly name: string;
  readonly value: string;
}

async function factsOrError(
  connection: DuckDBConnection,
  relation: string,
  columns: readonly BenchColumn[],
): Promise<readonly Fact[] | string> {
  try {
    return await facts(connection, relation, columns);
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? '';
  }
}

async function facts(
  connection: DuckDBConnection,
  relation: string,
  columns: readonly BenchColumn[],
): Promise<readonly Fact[]> {
  const asked = columns.flatMap((column) =>
    Object.entries(aggregates(column)).map(([what, sql]) => ({
      name: `${what} of ${column.name}`,
      sql: `(${sql})::VARCHAR`,
    })),
  );
  const all = [{ name: 'rows', sql: 'count(*)::VARCHAR' }, ...asked];
  const reader = await connection.runAndReadAll(
    `SELECT ${all.map(({ sql }) => sql).join(', ')} FROM ${relation}`,
  );
  const [row = []] = reader.getRows();
  return all.map(({ name }, index) => ({ name, value: String(row[index]) }));
}

function aggregates(column: BenchColumn): Record<string, string> {
  const value = canonical(column);
  const kind = kindOf(column.duckdb);
  return {
    count: `count(${value})`,
    // Longer texts would only fill the report.
    smallest: kind === 'text' ? `left(min(${value}), 40)` : `min(${value})`,
    largest: kind === 'text' ? `left(max(${value}), 40)` : `max(${value})`,
    // A sum of floating-point numbers depends on their order.
    ...(kind === 'integer' || kind === 'decimal' ? { sum: `sum(${value}::DECIMAL(38,4))` } : {}),
    hash: `sum(hash(${value})::HUGEINT)`,
  };
}

/** A column's value in the type it has at the source; JSON without the blanks that carry nothing. */
function canonical({ name, duckdb, mysql }: BenchColumn): string {
  const value = `CAST("${name}" AS ${duckdb})`;
  return mysql.startsWith('json') ? `replace(replace(${value}, ': ', ':'), ', ', ',')` : value;
}

/** Found in the files themselves, as not every contender can be told. */
async function settingsOf(
  connection: DuckDBConnection,
  files: readonly string[],
): Promise<readonly string[]> {
  const reader = await connection.runAndReadAll(
    `SELECT string_agg(DISTINCT compression, ', '), ` +
      `bool_or(dictionary_page_offset > 0 OR encodings LIKE '%DICTIONARY%'), ` +
      `bool_or(stats_max_value IS NOT NULL OR stats_max IS NOT NULL) ` +
      `FROM parquet_metadata([${files.map(literal).join(', ')}])`,
  );
  const [[codec, dictionaries, statistics] = []] = reader.getRows();
  return [
    ...(codec === 'ZSTD' ? [] : [`codec ${String(codec)}`]),
    ...(dictionaries === true ? [] : ['no dictionaries']),
    ...(statistics === true ? [] : ['no statistics']),
  ];
}

function typeLosses(
  columns: readonly BenchColumn[],
  found: ReadonlyMap<string, string>,
): readonly string[] {
  const losses = new Map<string, number>();
  for (const { name, duckdb } of columns) {
    const [wanted, got] = [kindOf(duckdb), kindOf(found.get(name) ?? '')];
    const exact = got === wanted || (got === 'decimal' && wanted === 'integer');
    const flag = got === 'integer' && wanted === 'truth';
    if (exact || flag) continue;
    const loss = `${wanted} as ${got}`;
    losses.set(loss, (losses.get(loss) ?? 0) + 1);
  }
  return [...losses].map(([loss, count]) => (count === 1 ? loss : `${loss} (${count})`));
}

function kindOf(type: string): Kind {
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/.test(type)) return 'integer';
  if (type.startsWith('DECIMAL')) return 'decimal';
  if (type === 'DOUBLE' || type === 'FLOAT') return 'float';
  if (type === 'VARCHAR' || type === 'JSON') return 'text';
  if (type === 'DATE') return 'date';
  if (type.startsWith('TIMESTAMP')) return 'time';
  return type === 'BOOLEAN' ? 'truth' : 'other';
}
