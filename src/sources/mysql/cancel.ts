import { ComportaError } from '../../errors';
import type { Session } from './connection';
import { quoteLiteral } from './identifiers';

/**
 * Ends a session's statement on the server from a connection of its own. Closing the socket is
 * not enough: a server that sorts or scans notices that its client is gone only when it next
 * sends. Nothing happens when the statement is already over.
 *
 * Behind a proxy the id may be some other connection's, so it is killed only while the process
 * list shows a statement with the session's tag under that id.
 */
export async function killStatement(
  openErrand: () => Promise<Session>,
  { id, tag }: Pick<Session, 'id' | 'tag'>,
): Promise<void> {
  const errand = await openErrand();
  try {
    const [found] = await errand.query(
      `SELECT ID AS id FROM information_schema.PROCESSLIST
       WHERE ID = ${Number(id)} AND INFO LIKE CONCAT(${quoteLiteral(tag)}, '%')`,
    );
    if (found !== undefined) await errand.query(`KILL ${Number(id)}`);
  } finally {
    await errand.close();
  }
}

/** The error of everything that the caller's signal cut short. */
export function cancelled(table: string, signal: AbortSignal): ComportaError {
  return new ComportaError('SourceInterrupted', 'the load was cancelled', {
    table,
    cause: signal.reason,
  });
}
