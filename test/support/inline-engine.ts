import { KernelMemoryPool } from '../../src/columnar/kernels/memory-pool';
import type { Engine } from '../../src/engines/engine';
import { moveTable, type MoveEnds } from '../../src/engines/embedded/move-table';

/** The embedded engine without its threads, between ends that the test holds in its hands. */
export function inlineEngine(ends: Omit<MoveEnds, 'memory'>): Engine {
  const memories = new KernelMemoryPool();
  return {
    name: 'embedded',
    streams: 2,
    move: (request, watch) =>
      memories.lend((memory) => moveTable({ ...ends, memory }, request, watch)),
    close: () => Promise.resolve(),
  };
}
