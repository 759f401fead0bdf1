import { setImmediate as turn } from 'node:timers/promises';
import { ComportaError } from '../errors';

/** What to do about a statement that something outside ended. */
export const INTERRUPTED_REMEDY =
  "it is tried again; if that goes on, look for the cause in the server's log and on the way to it";

export interface SilenceOptions {
  /** Bytes that the connection has brought so far. */
  readonly heard: () => number;
  /** Milliseconds without a byte after which the server is asked. */
  readonly limitMs: number;
  /**
   * Asks, over another connection, what has become of the statement: undefined while the server
   * works on it or cannot say, else why no answer will come. Must not reject, and must end.
   */
  readonly ask: () => Promise<string | undefined>;
  /** Gives the connection up, which ends the wait. `why` goes on from "sent nothing for 15 s". */
  readonly lose: (why: string) => void;
}

/**
 * A wait for a server, watched. A connection can fall silent for ever: a firewall forgets it, a
 * proxy hangs, the server's machine freezes. TCP does not notice while somebody on the way still
 * acknowledges. Nor does silence tell: a server may sort for an hour before the first row. So it
 * is asked.
 */
export type SilenceWatch = <Result>(wait: () => Promise<Result>) => Promise<Result>;

export function watchSilence({ heard, limitMs, ask, lose }: SilenceOptions): SilenceWatch {
  return async (wait) => {
    let heardBefore = heard();
    let isOver = false;
    let timer: NodeJS.Timeout;
    const look = async () => {
      // Where this process was too busy to look, what came meanwhile is read before the next turn.
      await turn();
      const why = heard() === heardBefore ? await ask() : undefined;
      if (isOver) return;
      // What was under way when the server was asked has come by now.
      if (why !== undefined && heard() === heardBefore) return lose(why);
      heardBefore = heard();
      later();
    };
    const later = () => (timer = setTimeout(() => void look(), limitMs));
    later();
    try {
      return await wait();
    } finally {
      isOver = true;
      clearTimeout(timer!);
    }
  };
}

/** The error of a connection that was given up. `server` is such as `MySQL at db:3306`. */
export function silenceError(
  server: string,
  limitMs: number,
  why: string,
  table: string | undefined,
): ComportaError {
  return new ComportaError(
    'SourceInterrupted',
    `${server} sent nothing for ${limitMs / 1000} s, ${why}`,
    { remedy: INTERRUPTED_REMEDY, ...(table === undefined ? {} : { table }) },
  );
}
