import { DatabaseError } from 'pg';
import { ComportaError } from '../../errors';
import type { Session } from './session';

/** The server's process behind a session. */
export interface Backend {
  readonly pid: string;
  /** When it began, so that its id is not mistaken for that of a later one. */
  readonly started: string;
  /** Address and port as the server has them: a name may lead to several. */
  readonly server: string;
  /** A pooler in between lends a session one backend after another. */
  readonly isPooled: boolean;
}

/**
 * Why a session that waits for an answer will get none, by what the server says of its backend;
 * undefined while that works, or cannot be asked about. `openErrand` opens a session to ask with.
 */
export async function whyNoAnswer(
  openErrand: () => Promise<Session>,
  { pid, started, server, isPooled }: Backend,
): Promise<string | undefined> {
  try {
    const errand = await openErrand();
    try {
      if (isPooled || errand.backend.server !== server) return undefined;
      const [found] = await errand.query(
        `SELECT state, wait_event_type FROM pg_stat_activity
         WHERE pid = $1 AND backend_start::text = $2`,
        [pid, started],
      );
      if (found === undefined) return 'and its session there is gone';
      // NULL where the server does not tell this user, "disabled" with track_activities = off.
      if (found.state === null || found.state === 'disabled') return undefined;
      if (found.state !== 'active') return 'and it runs the statement no more: the answer was lost';
      return found.wait_event_type === 'Client' ? 'although it is sending' : undefined;
    } finally {
      await errand.close();
    }
  } catch (error) {
    // Refused by the server itself, for instance for want of connections: it is alive then.
    const isAnswer = error instanceof ComportaError && error.cause instanceof DatabaseError;
    return isAnswer ? undefined : 'and it does not answer on another connection either';
  }
}

/**
 * Ends a backend whose connection is given up. To cancel its statement is not enough: one that
 * waits for its client to take rows does not hear of it (ProcessClientWriteInterrupt in
 * src/backend/tcop/postgres.c).
 */
export async function endBackend(
  openErrand: () => Promise<Session>,
  { pid, started, isPooled }: Backend,
): Promise<void> {
  if (isPooled) return;
  const errand = await openErrand();
  try {
    await errand.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE pid = $1 AND backend_start::text = $2`,
      [pid, started],
    );
  } finally {
    await errand.close();
  }
}
