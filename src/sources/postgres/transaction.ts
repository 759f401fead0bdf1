import { ComportaError } from '../../errors';
import type { SourceTable } from '../source';
import { quoteLiteral, quoteQualified } from './identifiers';
import type { Session } from './session';

const LOCK_PATIENCE = '60s';

/**
 * What makes every server print the same value the same way, never hide a row and never end a
 * load for being slow. `row_security = off` turns rows that a policy would hide into an error.
 */
export function sessionSettings(version: number): string {
  return [
    `SET LOCAL timezone = 'UTC'`,
    `SET LOCAL datestyle = 'ISO, YMD'`,
    `SET LOCAL intervalstyle = 'iso_8601'`,
    `SET LOCAL bytea_output = 'hex'`,
    `SET LOCAL extra_float_digits = 3`,
    `SET LOCAL client_encoding = 'UTF8'`,
    `SET LOCAL row_security = off`,
    `SET LOCAL statement_timeout = 0`,
    `SET LOCAL idle_in_transaction_session_timeout = 0`,
    ...(version >= 170_000 ? [`SET LOCAL transaction_timeout = 0`] : []),
    `SET LOCAL lock_timeout = '${LOCK_PATIENCE}'`,
  ].join('; ');
}

/** A read-only transaction in which each statement sees what is committed when it begins. */
export async function beginReading(session: Session): Promise<void> {
  await session.script(
    `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; ${sessionSettings(session.version)}`,
  );
}

/**
 * A read-only transaction of one snapshot for all statements, with the table locked against
 * ALTER and TRUNCATE first: a snapshot from before one of these would find the table empty after
 * it (postgresql.org/docs, "MVCC Caveats"). LOCK alone takes no snapshot; where it is not allowed,
 * the snapshot comes first and is checked against such a statement.
 */
export async function beginSnapshot(
  session: Session,
  table: SourceTable,
  shared?: string,
): Promise<void> {
  if (session.version >= 140_000) await noticeDeadClients(session);
  const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${sessionSettings(session.version)}`;
  if (shared !== undefined) return joinSnapshot(session, table, begin, shared);
  if (isLockable(table)) {
    try {
      await session.script(`${begin}; LOCK TABLE ${quoteQualified(table)} IN ACCESS SHARE MODE`, {
        table,
      });
      return;
    } catch (error) {
      // LOCK wants a right on the whole table; some columns of it can be enough to read.
      if (!(error instanceof ComportaError) || error.code !== 'PermissionDenied') throw error;
      await session.script('ROLLBACK');
    }
  }
  await session.script(`${begin}; SELECT FROM ${quoteQualified(table)} LIMIT 0`, { table });
  await assertNotRewritten(session, table);
}

/** The table needs no lock of its own: whoever shares the snapshot has one, and keeps it. */
async function joinSnapshot(
  session: Session,
  table: SourceTable,
  begin: string,
  shared: string,
): Promise<void> {
  try {
    await session.script(`${begin}; SET TRANSACTION SNAPSHOT ${quoteLiteral(shared)}`, { table });
  } catch (error) {
    if (!(error instanceof ComportaError) || error.code !== 'SourceRejected') throw error;
    throw new ComportaError('SourceInterrupted', 'the snapshot that its chunks share is gone', {
      table: table.id,
      cause: error,
    });
  }
}

function isLockable({ kind }: SourceTable): boolean {
  return kind === 'table' || kind === 'partitioned' || kind === 'view';
}

/** A server whose client vanished would otherwise notice with the next row; not every platform can. */
async function noticeDeadClients(session: Session): Promise<void> {
  try {
    await session.script(`SET client_connection_check_interval = '10s'`);
  } catch (error) {
    if (!(error instanceof ComportaError) || error.code !== 'SourceRejected') throw error;
  }
}

/**
 * The files as the snapshot sees them are the files of now, which the lock of the statement before
 * keeps: so nothing was rewritten or truncated between the snapshot and the lock.
 */
const REWRITTEN = `
WITH RECURSIVE tree (oid) AS (
  SELECT c.oid FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2
  UNION
  SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
)
SELECT count(*) AS rewritten
FROM tree JOIN pg_class c ON c.oid = tree.oid
WHERE c.relkind = 'r' AND c.relfilenode <> 0
  AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid)`;

async function assertNotRewritten(session: Session, table: SourceTable): Promise<void> {
  const [row] = await session.query(REWRITTEN, [table.schema, table.name], { table });
  if (row?.rewritten === '0') return;
  throw new ComportaError('SourceInterrupted', 'it was rewritten or truncated as the load began', {
    table: table.id,
  });
}
