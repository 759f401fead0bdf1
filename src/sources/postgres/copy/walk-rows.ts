import type { FieldTable } from '../../../columnar/fields';
import type { KernelMemory } from '../../../columnar/kernels/memory';
import { unreadable } from './unreadable';

/** A message is a letter, the length of what follows it, itself included, and that. */
export const MESSAGE_HEADER = 5;
/** A row is the message's header, the number of fields, and per field a length and its bytes. */
export const ROW_HEADER = MESSAGE_HEADER + 2;
export const COPY_DATA = 0x64;

/** By what the kernel says of the row at which it stopped; nothing where that is no row. */
const PROBLEMS = [
  undefined,
  'a length is wrong',
  'a value is longer than its row',
  'a row is longer than its values',
];

/**
 * Notes the rows that lie whole between `at` and `filled` of the table's bytes, one message each.
 * Answers where it stopped: at a message that is not whole, that is no row of as many fields as
 * the table has columns, or because the table is full.
 */
export function walkRows(
  { kernels, state }: KernelMemory,
  fields: FieldTable,
  at: number,
  filled: number,
): number {
  fields.rows = kernels.postgresWalk(
    fields.bytes.byteOffset,
    at,
    filled,
    fields.nulls.length,
    fields.places.byteOffset,
    fields.stride,
    fields.rows,
    fields.capacity,
    fields.nulls.byteOffset,
    state.byteOffset,
  );
  const problem = PROBLEMS[state[1]!];
  if (problem !== undefined) throw unreadable(problem);
  return state[0]!;
}
