import type { Session } from './connection';

/** How long a session waits for the next operation. */
const LINGER_MS = 1_000;

/** More than so many never wait. */
const MOST_IDLE = 3;

export interface LingeringSessions {
  /** Runs one operation, which reads only and leaves no transaction open. */
  use<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  /** Closes the sessions that wait. */
  close(): Promise<void>;
}

/**
 * Lets operations that follow each other closely use the same sessions, since connecting costs
 * more than most of them; each has its session to itself. An operation that fails on a session of earlier use, which the server may have
 * ended meanwhile, runs again on a new one; what failed is never used again.
 */
export function lingeringSessions(
  open: () => Promise<Session>,
  lingerMs = LINGER_MS,
): LingeringSessions {
  /** The one used last at the end. */
  let idle: { readonly session: Session; readonly timer: NodeJS.Timeout }[] = [];
  let closed = false;

  const takeIdle = (): Session | undefined => {
    const taken = idle.pop();
    clearTimeout(taken?.timer);
    return taken?.session;
  };

  const keep = async (session: Session): Promise<void> => {
    if (closed || idle.length >= MOST_IDLE) return session.close();
    const timer = setTimeout(() => {
      idle = idle.filter((one) => one.session !== session);
      void session.close();
    }, lingerMs);
    timer.unref();
    idle.push({ session, timer });
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
      for (let session = takeIdle(); session !== undefined; session = takeIdle()) {
        await session.close();
      }
    },
  };
}
