import { ComportaError } from '../../errors';
import type { Session } from './connection';
import { quoteLiteral } from './identifiers';

/**
 * While a server writes to a connection, in MySQL's words and in MariaDB's:
 * https://dev.mysql.com/doc/refman/8.4/en/general-thread-states.html
 */
const SENDING = new Set(['Sending to client', 'Writing to net']);

/**
 * Why a session that waits for an answer will get none, by what the server's process list says of
 * its statement; undefined while the server works on it, or cannot be asked about it. `openErrand`
 * opens a session to ask with.
 */
export async function whyNoAnswer(
  openErrand: () => Promise<Session>,
  { server, tag }: Pick<Session, 'server' | 'tag'>,
): Promise<string | undefined> {
  try {
    const errand = await openErrand();
    try {
      // A proxy may lead elsewhere, where nobody knows of the statement.
      if (errand.server !== server) return undefined;
      const [found] = await errand.query(
        `SELECT STATE AS state FROM information_schema.PROCESSLIST
         WHERE INFO LIKE CONCAT(${quoteLiteral(tag)}, '%')`,
      );
      if (found === undefined) return 'and it runs the statement no more: the answer was lost';
      return SENDING.has(found['state'] ?? '') ? 'although it is sending' : undefined;
    } finally {
      await errand.close();
    }
  } catch (error) {
    return isAnswer(error) ? undefined : 'and it does not answer on another connection either';
  }
}

/** Whether the server itself refused, for instance for want of connections: it is alive then. */
function isAnswer(error: unknown): boolean {
  const cause = error instanceof ComportaError ? error.cause : error;
  // Those of sockets are negative: https://nodejs.org/api/errors.html#errorerrno
  return ((cause as { errno?: number } | undefined)?.errno ?? 0) > 0;
}
