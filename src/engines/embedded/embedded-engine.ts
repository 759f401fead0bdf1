import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import type { ResourceLimits } from 'node:worker_threads';
import type { Engine } from '../engine';
import type { SourceTable } from '../../sources/source';
import { EngineThread } from './engine-thread';
import { Turns } from './turns';

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
const LIMITS: ResourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

/**
 * By the server's estimate. A larger table fills the buffers of a reader, a row group and an upload,
 * some 50 to 100 MB, and is work enough for a core: as many as there are threads are moved at a
 * time, and the next ones wait before they open anything. Views are of unknown size and count too.
 */
const LARGE_BYTES = 16 * 1024 ** 2;
/** What a large table counts against small ones when a thread is chosen. */
const LARGE_WEIGHT = 4;

/**
 * Moves tables inside the worker's own process, in threads of their own: the main thread stays free
 * for heartbeats, leases and publication. Needs no other server. Threads start with the first moves
 * and are kept; a move goes to the one with the fewest, large ones by turns. `environment` is where
 * the threads find what `env:` secrets refer to.
 */
export function createEmbeddedEngine(
  environment: NodeJS.ProcessEnv,
  options: EmbeddedEngineOptions = {},
): Engine {
  const size = options.threads ?? availableParallelism();
  const script = options.script ?? join(__dirname, `thread${extname(__filename)}`);
  const threads = new Set<EngineThread>();
  const turns = new Turns(size);

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
    streams: size,
    async move(request, watch) {
      watch.signal.throwIfAborted();
      if (!isLarge(request.table)) return leastLoaded().move(request, watch, 1);
      const endTurn = await turns.take(watch.signal, () => {
        watch.report({ phase: 'waiting', rows: 0, bytes: 0 });
      });
      try {
        return await leastLoaded().move(request, watch, LARGE_WEIGHT);
      } finally {
        endTurn();
      }
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.end()));
    },
  };
}

function isLarge({ approximateBytes }: SourceTable): boolean {
  return approximateBytes === undefined || approximateBytes > LARGE_BYTES;
}
