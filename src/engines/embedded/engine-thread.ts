import { Worker, type ResourceLimits } from 'node:worker_threads';
import { ComportaError, messageOf } from '../../errors';
import type { MoveRequest, MoveResult, MoveWatch } from '../engine';
import { fromErrorData } from './error-data';
import type { FromThread, ToThread } from './messages';

export interface ThreadOptions {
  /** The script that the thread runs; one in TypeScript is compiled as it is loaded. */
  readonly script: string;
  /** Environment variables of the thread, where it finds secrets and its libraries their settings. */
  readonly environment: NodeJS.ProcessEnv;
  readonly limits: ResourceLimits;
  /** Called once, when the thread has ended for whatever reason. */
  readonly onEnd: () => void;
}

interface Move {
  readonly request: MoveRequest;
  readonly watch: MoveWatch;
  readonly weight: number;
  resolve(result: MoveResult): void;
  reject(error: Error): void;
}

/** One thread that moves tables, seen from the main thread. It keeps no process alive by itself. */
export class EngineThread {
  private readonly worker: Worker;
  private readonly moves = new Map<number, Move>();
  private nextId = 1;
  private breakdown: Error | undefined;

  constructor({ script, environment, limits, onEnd }: ThreadOptions) {
    this.worker = new Worker(script, {
      env: environment,
      resourceLimits: limits,
      ...(script.endsWith('.ts') ? { execArgv: ['--require', require.resolve('tsx/cjs')] } : {}),
    });
    this.worker.unref();
    this.worker.on('message', (message: FromThread) => this.take(message));
    this.worker.on('error', (error) => (this.breakdown = error));
    this.worker.on('exit', () => {
      onEnd();
      for (const move of this.moves.values()) move.reject(this.failure(move.request));
      this.moves.clear();
    });
  }

  /** The weights of what is being moved now. */
  get load(): number {
    let sum = 0;
    for (const { weight } of this.moves.values()) sum += weight;
    return sum;
  }

  move(request: MoveRequest, watch: MoveWatch, weight: number): Promise<MoveResult> {
    const id = this.nextId++;
    const abort = () => this.send({ type: 'abort', id });
    return new Promise<MoveResult>((resolve, reject) => {
      this.moves.set(id, { request, watch, weight, resolve, reject });
      this.worker.ref();
      this.send({ type: 'move', id, request });
      watch.signal.addEventListener('abort', abort);
    }).finally(() => {
      watch.signal.removeEventListener('abort', abort);
      this.moves.delete(id);
      if (this.moves.size === 0) this.worker.unref();
    });
  }

  /** Ends the thread at once; moves on it fail. */
  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private send(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private take(message: FromThread): void {
    const move = this.moves.get(message.id);
    switch (message.type) {
      case 'progress':
        move?.watch.report(message.progress);
        break;
      case 'moved':
        move?.resolve(message.result);
        break;
      case 'failed':
        move?.reject(errorOf(fromErrorData(message.error), move.watch.signal));
        break;
    }
  }

  private failure({ identity: { pipeline, table } }: MoveRequest): ComportaError {
    const error = this.breakdown;
    const outOfMemory = (error as NodeJS.ErrnoException)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const why = outOfMemory
      ? 'ran out of memory'
      : error === undefined
        ? 'was stopped'
        : `broke down: ${messageOf(error)}`;
    return new ComportaError('EngineFailed', `the thread that moved the table ${why}`, {
      pipeline,
      table,
      remedy: 'the load is tried again in a new thread',
      cause: error,
    });
  }
}

/** Who cancelled a move hears the reason it gave. */
function errorOf(error: Error, signal: AbortSignal): Error {
  return signal.aborted && signal.reason instanceof Error ? signal.reason : error;
}
