import type { Session } from './connection';

/** How long a session waits for the next operation. */
const LINGER_MS = 1_000;

export interface LingeringSession {
  /** Runs one operation, which reads only and leaves no transaction open. */
  use<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  /** Closes the session that waits, if one does. */
  close(): Promise<void>;
}

/**
 * Lets operations that follow each other closely use one session, since connecting costs more than
 * most of them. An operation that fails on a session of earlier use, which the server may have
 * ended meanwhile, runs again on a new one; what failed is never used again.
 */
export function lingeringSession(
  open: () => Promise<Session>,
  lingerMs = LINGER_MS,
): LingeringSession {
  let idle: { readonly session: Session; readonly timer: NodeJS.Timeout } | undefined;
  let closed = false;

  const takeIdle = (): Session | undefined => {
    const taken = idle;
    idle = undefined;
    clearTimeout(taken?.timer);
    return taken?.session;
  };

  const keep = async (session: Session): Promise<void> => {
    if (closed || idle !== undefined) return session.close();
    const timer = setTimeout(() => void takeIdle()?.close(), lingerMs);
    timer.unref();
    idle = { session, timer };
  };

  const run = async <Result>(
    session: Session,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> => {
    let result: Result;
    try {
      result = await work(session);
    } catch (error) {
      await session.close();
      throw error;
    }
    await keep(session);
    return result;
  };

  return {
    async use(work) {
      const session = takeIdle();
      if (session === undefined) return run(await open(), work);
      try {
        return await run(session, work);
      } catch {
        return run(await open(), work);
      }
    },
    async close() {
      closed = true;
      await takeIdle()?.close();
    },
  };
}
