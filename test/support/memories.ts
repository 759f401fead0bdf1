import { KernelMemoryPool } from '../../src/columnar/kernels/memory-pool';

/**
 * Lent to reads and loads of tests, as the engine's threads do: a memory of its own for each would
 * make the garbage collector work through all of the test process every time.
 */
export const memories = new KernelMemoryPool();
