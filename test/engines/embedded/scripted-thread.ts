/** Stands in for the engine's thread: does with a move what the name of its table says. */
import { parentPort, threadId } from 'node:worker_threads';
import type { MoveResult } from '../../../src/engines/engine';
import { toErrorData } from '../../../src/engines/embedded/error-data';
import type { FromThread, ToThread } from '../../../src/engines/embedded/messages';
import { ComportaError } from '../../../src/errors';

const answer = (message: FromThread) => parentPort?.postMessage(message);

/** A result that tells which thread moved the table and what it found in its environment. */
function result(): MoveResult {
  return {
    rowsAtSource: 0,
    rowsRead: 0,
    rowsWritten: threadId,
    bytes: 0,
    files: [],
    columns: [],
    primaryKey: [process.env['PLANTED'] ?? ''],
    invalidValues: 0,
  };
}

const held = new Set<number>();

parentPort?.on('message', (message: ToThread) => {
  const { id } = message;
  if (message.type === 'abort') {
    answer({ type: 'failed', id, error: toErrorData(new Error('stopped as told')) });
    held.delete(id);
    return;
  }
  const { table, identity } = message.request;
  const { pipeline } = identity;
  switch (table.id) {
    case 'hold':
      held.add(id);
      answer({ type: 'progress', id, progress: { phase: 'reading', rows: 1, bytes: 2 } });
      return;
    case 'release':
      for (const one of held) answer({ type: 'moved', id: one, result: result() });
      held.clear();
      break;
    case 'crash':
      setImmediate(() => {
        throw new TypeError('an error that nobody catches');
      });
      return;
    case 'exit':
      process.exit(3);
      break;
    case 'devour': {
      const eaten: number[][] = [];
      for (;;) eaten.push(new Array<number>(10_000).fill(eaten.length));
    }
    case 'refuse': {
      const error = new ComportaError('TypeUnsupported', 'it does not fit', {
        pipeline,
        table: table.id,
        remedy: 'leave it out',
        cause: new Error('planted-secret'),
      });
      answer({ type: 'failed', id, error: toErrorData(error) });
      return;
    }
    case 'stumble':
      answer({ type: 'failed', id, error: toErrorData(new RangeError('out of range')) });
      return;
  }
  answer({ type: 'moved', id, result: result() });
});
