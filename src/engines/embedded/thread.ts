/** Entry of a thread that moves tables: runs what the main thread asks for, several at a time. */
import { parentPort } from 'node:worker_threads';
import { KernelMemoryPool } from '../../columnar/kernels/memory-pool';
import type { StagingArea } from '../../destinations/destination';
import { openSource, openStaging } from '../../endpoints';
import { createSecretStore } from '../../secrets/secret-stores';
import type { Source } from '../../sources/source';
import type { LoadProgress, MoveRequest } from '../engine';
import { toErrorData } from './error-data';
import type { FromThread, ToThread } from './messages';
import { moveTable } from './move-table';
import { boundedReport } from './bounded-report';

/** Well under a heartbeat's second, and nothing beside a batch's work. */
const REPORT_EVERY_MS = 200;

const memories = new KernelMemoryPool();
const secrets = createSecretStore(process.env);
const sources = new Map<string, Source>();
const stagings = new Map<string, StagingArea>();
const moves = new Map<number, AbortController>();

/** Opened on first use and kept, by the settings themselves: an edited connection opens anew. */
function kept<Value>(known: Map<string, Value>, settings: unknown, open: () => Value): Value {
  const key = JSON.stringify(settings);
  const value = known.get(key) ?? open();
  known.set(key, value);
  return value;
}

async function move(id: number, request: MoveRequest): Promise<FromThread> {
  const controller = new AbortController();
  moves.set(id, controller);
  const send = (progress: LoadProgress) => answer({ type: 'progress', id, progress });
  try {
    const ends = {
      source: kept(sources, request.source, () => openSource(request.source, secrets)),
      staging: kept(stagings, request.destination, () => openStaging(request.destination, secrets)),
    };
    const report = boundedReport(send, REPORT_EVERY_MS, () => performance.now());
    const watch = { report, signal: controller.signal };
    const result = await memories.lend((memory) => moveTable({ ...ends, memory }, request, watch));
    return { type: 'moved', id, result };
  } catch (error) {
    return { type: 'failed', id, error: toErrorData(error) };
  } finally {
    moves.delete(id);
  }
}

function answer(message: FromThread): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'move':
      void move(message.id, message.request).then(answer);
      break;
    case 'abort':
      moves.get(message.id)?.abort();
      break;
  }
});
