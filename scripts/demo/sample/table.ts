import type { SampleValue } from './values';

/** One table of the sample: how it is made and what is in it. */
export interface SampleTable {
  readonly name: string;
  /** The statement that makes it, in the database's own SQL. */
  readonly definition: string;
  readonly columns: readonly string[];
  /** The same rows each time it is called. */
  rows(): Iterable<readonly SampleValue[]>;
}

/**
 * The rows as INSERT statements.
 * @param literal writes a value as the database's SQL wants it.
 * @param quote quotes a name.
 */
export function* insertStatements(
  table: SampleTable,
  literal: (value: SampleValue) => string,
  quote: (name: string) => string,
): Generator<string> {
  const columns = table.columns.map(quote).join(', ');
  const head = `INSERT INTO ${quote(table.name)} (${columns}) VALUES\n`;
  let rows: string[] = [];
  for (const row of table.rows()) {
    rows.push(`(${row.map(literal).join(',')})`);
    if (rows.length === rowsPerStatement) {
      yield head + rows.join(',\n');
      rows = [];
    }
  }
  if (rows.length > 0) yield head + rows.join(',\n');
}

/** Some 300 KB at the sample's widths, far below the smallest packet limit of the servers. */
const rowsPerStatement = 2_000;
