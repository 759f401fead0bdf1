import type { TableDescription } from '../sources/source';
import type { MoveResult } from './engine';

/** The part of a move's outcome that the description of its table says. */
export function describedAs({
  primaryKey,
  comment,
}: Pick<TableDescription, 'primaryKey' | 'comment'>): Pick<
  MoveResult,
  'primaryKey' | 'tableComment'
> {
  return { primaryKey, ...(comment === undefined ? {} : { tableComment: comment }) };
}
