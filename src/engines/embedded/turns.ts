/** Lets a few do something at a time; the others wait in the order in which they came. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  /** @param limit how many may have a turn at the same time. */
  constructor(limit: number) {
    this.free = limit;
  }

  /**
   * Resolves when it is the caller's turn, with what ends the turn. `onWait` is called when it is
   * not at once; a signal that fires meanwhile rejects with its reason.
   */
  async take(signal: AbortSignal, onWait: () => void): Promise<() => void> {
    if (this.free > 0) {
      this.free -= 1;
    } else {
      onWait();
      await this.wait(signal);
    }
    return () => {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    };
  }

  private wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(begin), 1);
        reject(signal.reason as Error);
      };
      this.waiting.push(begin);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
