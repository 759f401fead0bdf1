import type { Evidence } from '../../../detection/detection';
import { ComportaError } from '../../../errors';
import type { TokenRequest } from '../../source';
import { describeTable, type MysqlColumn } from '../catalog';
import type { Session } from '../connection';
import { cursorColumn, maximumExpression, whereClause } from '../filter';
import { quoteIdentifier, quoteTable } from '../identifiers';
import type { ServerState } from '../server';

/** Evidence that is made by reading rows, one table at a time: `cursor` and `checksum`. */
type RowStrategy = 'cursor' | 'checksum';

/** A table that cannot be read gets evidence that says so; it does not spoil the others. */
export async function rowEvidence(
  session: Session,
  state: ServerState,
  strategy: RowStrategy,
  request: TokenRequest,
): Promise<Evidence> {
  const identity = { server: state.identity };
  try {
    const read = strategy === 'cursor' ? readCursor : readChecksum;
    const { values, distrust } = await read(session, state, request);
    return {
      strategy,
      identity,
      values: { ...values, where: request.where ?? null },
      ...(distrust === undefined ? {} : { distrust }),
    };
  } catch (error) {
    if (!(error instanceof ComportaError) || error.retryable) throw error;
    return { strategy, identity, values: {}, distrust: error.message };
  }
}

interface RowValues {
  readonly values: Evidence['values'];
  readonly distrust?: string;
}

/** The largest cursor value and the number of rows: blind to edits in place and to late commits. */
async function readCursor(
  session: Session,
  state: ServerState,
  { table, cursor, where }: TokenRequest,
): Promise<RowValues> {
  if (cursor === undefined) return { values: {}, distrust: 'no cursor column is set' };
  const description = await describeTable(session, state, table);
  const column = cursorColumn(description, cursor.column);
  const [row] = await session.query(
    `SELECT COUNT(*) AS row_count, ${maximumExpression(column)} AS maximum
     FROM ${quoteTable(table)}${whereClause(description, where === undefined ? {} : { where })}`,
    { table: table.id, ...(where === undefined ? {} : { where }) },
  );
  return {
    values: {
      column: column.name,
      maximum: row?.['maximum'] ?? null,
      rows: row?.['row_count'] ?? null,
    },
  };
}

/**
 * The number of rows and the sum of a 64-bit digest of each: independent of their order, the same
 * on MySQL and MariaDB, and good for views, none of which holds for CHECKSUM TABLE, whose 32 bits
 * also leave a difference unseen once in four billion. Here it is once in 2^64, by chance; nobody
 * is kept from making one on purpose.
 */
async function readChecksum(
  session: Session,
  state: ServerState,
  { table, where }: TokenRequest,
): Promise<RowValues> {
  const description = await describeTable(session, state, table);
  const rowDigest = `SHA2(CONCAT_WS(',', ${description.columns.map(columnText).join(', ')}), 256)`;
  const [row] = await session.query(
    `SELECT COUNT(*) AS row_count, COUNT(digest) AS digests,
            SUM(CAST(CONV(LEFT(digest, 16), 16, 10) AS UNSIGNED)) AS checksum
     FROM (SELECT ${rowDigest} AS digest
           FROM ${quoteTable(table)}${whereClause(description, where === undefined ? {} : { where })}) AS digests`,
    { table: table.id, ...(where === undefined ? {} : { where }) },
  );
  const values = {
    rows: row?.['row_count'] ?? null,
    checksum: row?.['checksum'] ?? '0',
    columns: description.columns.map(({ name, sourceType }) => `${name} ${sourceType}`).join(', '),
  };
  // A value larger than max_allowed_packet has no digest.
  return row?.['digests'] === row?.['row_count']
    ? { values }
    : { values, distrust: 'a value is too large to be digested (max_allowed_packet)' };
}

const NUMBERS_AND_DATES = new Set([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'double', 'year'],
  ...['date', 'datetime', 'timestamp', 'time'],
]);

/** SQL for text that no other value of the column has and that holds no comma; N for NULL. */
function columnText({ name, dataType }: MysqlColumn): string {
  const quoted = quoteIdentifier(name);
  if (NUMBERS_AND_DATES.has(dataType)) return `IFNULL(${quoted}, 'N')`;
  if (dataType === 'float') return `IFNULL(${quoted} * 1e0, 'N')`;
  if (dataType === 'bit') return `IFNULL(${quoted} + 0, 'N')`;
  return `IF(${quoted} IS NULL, 'N', SHA2(${quoted}, 256))`;
}
