import { KernelMemory } from './memory';

/**
 * One that has become larger than this is not kept: its pages would never be given back, and those
 * that large tables leave behind, one by one, would add up. A large table does not mind a new one.
 */
const KEPT_BYTES = 16 * 1024 * 1024;

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
      if (memory.touched <= KEPT_BYTES) this.idle.push(memory);
    }
  }
}
