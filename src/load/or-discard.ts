import type { Destination, RunIdentity } from '../destinations/destination';
import { messageOf } from '../errors';

export interface DiscardDependencies {
  readonly destination: Pick<Destination, 'discard'>;
  /** For what must not hide why the work failed. */
  readonly warn: (message: string) => void;
}

/**
 * Runs the move and the checks before a publication. When they fail, what was staged is removed: an
 * engine that broke down could not do it. Not for the publication itself: one whose answer was lost
 * may have happened.
 */
export async function orDiscard<Result>(
  { destination, warn }: DiscardDependencies,
  identity: RunIdentity,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await destination.discard(identity).catch((failure: unknown) => {
      warn(`staged files could not be removed: ${messageOf(failure)}`);
    });
    throw error;
  }
}
