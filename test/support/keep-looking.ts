import { setTimeout as delay } from 'node:timers/promises';

/**
 * Looks every few milliseconds. `stop` looks once more, and rejects with what a look threw.
 */
export function keepLooking(look: () => Promise<void>): { stop(): Promise<void> } {
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      await look();
      await delay(20);
    }
    await look();
  })();
  // Told by `stop`.
  looking.catch(() => undefined);
  return {
    stop() {
      isOver = true;
      return looking;
    },
  };
}
