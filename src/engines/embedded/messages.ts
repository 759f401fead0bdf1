import type { LoadProgress, MoveRequest, MoveResult } from '../engine';
import type { ErrorData } from './error-data';

/** What crosses between the main thread and one that moves tables. `id` numbers the moves. */
export type ToThread =
  | { readonly type: 'move'; readonly id: number; readonly request: MoveRequest }
  | { readonly type: 'abort'; readonly id: number };

export type FromThread =
  | { readonly type: 'progress'; readonly id: number; readonly progress: LoadProgress }
  | { readonly type: 'moved'; readonly id: number; readonly result: MoveResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorData };
