import type { Evidence } from '../../detection/detection';
import { ComportaError } from '../../errors';
import type { TokenRequest } from '../source';
import { describeTable, printedValue, type PostgresDescription } from './describe';
import { cursorColumn, whereClause } from './filter';
import { quoteIdentifier, quoteQualified } from './identifiers';
import type { ServerIdentity } from './server-facts';
import type { Session } from './session';
import { beginReading } from './transaction';

/** Content is comparable wherever it is the same database; a restart changes nothing in it. */
function identityOf({ system, database }: ServerIdentity): Evidence['identity'] {
  return { system, database };
}

/**
 * Evidence from the rows themselves, one query for one table. A table that cannot be asked gives
 * evidence that carries the reason as its distrust; a lost connection is thrown.
 */
export async function readContentEvidence(
  session: Session,
  request: TokenRequest & { readonly strategy: 'cursor' | 'checksum' },
  server: ServerIdentity,
): Promise<Evidence> {
  const { table, strategy } = request;
  const evidence = { strategy, identity: identityOf(server) };
  try {
    await beginReading(session);
    const description = await describeTable(session, table);
    const seen =
      strategy === 'cursor'
        ? await readCursor(session, description, request)
        : await readChecksum(session, description, request);
    await session.script('COMMIT');
    return { ...evidence, ...seen };
  } catch (error) {
    if (!(error instanceof ComportaError)) throw error;
    // Ends the failed transaction, and throws where there is no connection any more.
    await session.script('ROLLBACK');
    return { ...evidence, values: {}, distrust: error.message };
  }
}

type Seen = Pick<Evidence, 'values' | 'distrust'>;

/**
 * MAX and COUNT: blind to an edit that leaves the cursor alone, and to a row deleted for each one
 * inserted below the maximum.
 */
async function readCursor(
  session: Session,
  description: PostgresDescription,
  { table, cursor, where }: TokenRequest,
): Promise<Seen> {
  if (cursor === undefined) return { values: {}, distrust: 'no cursor column is set' };
  const column = cursorColumn(description, cursor.column);
  const relation = quoteQualified(table);
  const filter = where === undefined ? {} : { where };
  const quoted = quoteIdentifier(column.name);
  const notNull = whereClause(description, filter, [`${quoted} IS NOT NULL`]);
  const sql = `SELECT
    (SELECT ${printedValue(column)} FROM ${relation}${notNull} ORDER BY ${quoted} DESC LIMIT 1) AS maximum,
    (SELECT count(*) FROM ${relation}${whereClause(description, filter)}) AS count`;
  const [row] = await session.query(sql, [], { table, ...filter });
  const maximum = row?.maximum ?? null;
  const values = { maximum, count: row?.count ?? null };
  if (maximum === null && row?.count !== '0') {
    return { values, distrust: `column ${column.name} holds only NULL` };
  }
  if (/^(infinity|NaN)$/i.test(maximum ?? '')) {
    return { values, distrust: `column ${column.name} reaches ${maximum}` };
  }
  return { values };
}

/**
 * The number of rows and two sums, of 64-bit hashes under different seeds of each row's printed
 * form: the same whatever the order, different for a row that is there twice. Reads every row.
 */
async function readChecksum(
  session: Session,
  description: PostgresDescription,
  { table, where }: TokenRequest,
): Promise<Seen> {
  const filter = where === undefined ? {} : { where };
  const printed = `textin(record_out(ROW(comporta_row.*))) COLLATE "C"`;
  const sum = (seed: number) => `coalesce(sum(hashtextextended(${printed}, ${seed})), 0)`;
  const sql = `SELECT count(*) AS count, ${sum(0)} AS first, ${sum(1)} AS second
    FROM ${quoteQualified(table)} AS comporta_row${whereClause(description, filter)}`;
  const [row] = await session.query(sql, [], { table, ...filter });
  return {
    values: { count: row?.count ?? null, checksum: `${row?.first ?? ''}:${row?.second ?? ''}` },
  };
}
