import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the assertion holds, for what a server does in its own time (visibility, events). */
export async function eventually(
  assertion: () => Promise<void> | void,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}
