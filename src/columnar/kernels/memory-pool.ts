import { KernelMemory } from './memory';

/**
 * What is kept may have grown to so much together: its pages are never given back. A load that needs
 * more does not mind a new memory.
 */
const KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Memories for loads that come one after the other. A new one costs milliseconds, as much as a
 * small table, because a gibibyte of addresses makes the garbage collector look around.
 */
export class KernelMemoryPool {
  private readonly idle: KernelMemory[] = [];

  /** Lends a memory to `work`; afterwards nothing of it may be used. */
  async lend<Result>(work: (memory: KernelMemory) => Promise<Result>): Promise<Result> {
    const memory = this.idle.pop() ?? new KernelMemory();
    try {
      return await work(memory);
    } finally {
      memory.reset();
      const idle = this.idle.reduce((sum, { touched }) => sum + touched, 0);
      if (idle + memory.touched <= KEPT_BYTES) this.idle.push(memory);
    }
  }
}
