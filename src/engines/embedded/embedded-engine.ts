import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import type { ResourceLimits } from 'node:worker_threads';
import type { Engine } from '../engine';
import { EngineThread } from './engine-thread';

export interface EmbeddedEngineOptions {
  /** Threads at most. Default: as many as the machine lends to this process. */
  readonly threads?: number;
  /** For tests: another script in place of the thread's own. */
  readonly script?: string;
  readonly limits?: ResourceLimits;
}

/**
 * Of objects of JavaScript; rows travel in buffers, which are outside. A thread that goes beyond
 * ends alone, where without a limit of its own it might take the process with it.
 */
const LIMITS: ResourceLimits = { maxOldGenerationSizeMb: 256 };

/**
 * Moves tables inside the worker's own process, in threads of their own: the main thread stays free
 * for heartbeats, leases and publication. Needs no other server. Threads start with the first moves
 * and are kept; a move goes to the one with the fewest. `environment` is where the threads find
 * what `env:` secrets refer to.
 */
export function createEmbeddedEngine(
  environment: NodeJS.ProcessEnv,
  options: EmbeddedEngineOptions = {},
): Engine {
  const size = options.threads ?? availableParallelism();
  const script = options.script ?? join(__dirname, `thread${extname(__filename)}`);
  const threads = new Set<EngineThread>();

  const start = () => {
    const thread: EngineThread = new EngineThread({
      script,
      environment,
      limits: options.limits ?? LIMITS,
      onEnd: () => threads.delete(thread),
    });
    threads.add(thread);
    return thread;
  };

  const leastLoaded = () => {
    const [first] = [...threads].toSorted((a, b) => a.load - b.load);
    return first === undefined || (first.load > 0 && threads.size < size) ? start() : first;
  };

  return {
    name: 'embedded',
    move: async (request, watch) => {
      watch.signal.throwIfAborted();
      return leastLoaded().move(request, watch);
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.end()));
    },
  };
}
