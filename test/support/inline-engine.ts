import type { Engine } from '../../src/engines/engine';
import { moveTable, type MoveEnds } from '../../src/engines/embedded/move-table';

/** The embedded engine without its threads, between ends that the test holds in its hands. */
export function inlineEngine(ends: MoveEnds): Engine {
  return {
    name: 'embedded',
    move: (request, watch) => moveTable(ends, request, watch),
    close: () => Promise.resolve(),
  };
}
