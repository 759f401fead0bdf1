import type { MoveRequest } from './engine';

/** Beyond it chunks become larger instead: each has a connection, a file and a note. */
const MOST_CHUNKS = 1_000;

/**
 * In how many chunks to load a table; 1 for as a whole. Only where all of the table is read: how
 * large a part of it is, and by which index the server best finds it, nobody knows beforehand. An
 * append without a key cannot tell rows that it has from rows that came while chunks were read.
 */
export function chunkCount({ table, settings, from }: MoveRequest): number {
  const { chunkBytes, where, mode, key } = settings;
  if (chunkBytes === 'off' || table.approximateBytes === undefined) return 1;
  if (from !== undefined || where !== undefined) return 1;
  if (mode === 'append' && key === undefined) return 1;
  return Math.max(1, Math.min(MOST_CHUNKS, Math.floor(table.approximateBytes / chunkBytes)));
}
