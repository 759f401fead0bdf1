import type { PublishedState, RunIdentity } from '../destinations/destination';
import type { MoveResult } from '../engines/engine';
import { ComportaError } from '../errors';
import type { TableSettings } from '../pipeline/pipeline';
import type { Source, SourceTable } from '../sources/source';

/** Three counts of the same rows, taken in three places, must be one number. */
export function assertCounts(
  { pipeline, table }: RunIdentity,
  { rowsAtSource, rowsRead, rowsWritten }: MoveResult,
): void {
  if (rowsAtSource === rowsRead && rowsRead === rowsWritten) return;
  throw new ComportaError(
    'RowCountMismatch',
    `the source counts ${rowsAtSource} rows, ${rowsRead} were read and ${rowsWritten} are in the files; nothing was published`,
    {
      pipeline,
      table,
      remedy: 'the load is tried again; if it persists, report it with this message',
    },
  );
}

/**
 * A table that had rows is not emptied, nor cut by more than its guard's share, on the word of one
 * reading alone: the source is counted again, on a new connection and snapshot, and must say the
 * same. Ingestion tools have emptied tables after a read that silently came back short.
 */
export async function assertNotEmptied(
  deps: { readonly source: Source; readonly signal: AbortSignal; readonly identity?: RunIdentity },
  table: SourceTable,
  settings: TableSettings,
  before: PublishedState | undefined,
  moved: MoveResult,
): Promise<void> {
  if (before === undefined || before.rows === 0) return;
  const smallestAllowed = before.rows * (1 - settings.guard.maxDropShare);
  if (moved.rowsWritten > 0 && moved.rowsWritten >= smallestAllowed) return;

  const confirmed = await countAgain(deps, table, settings);
  const confirms = confirmed === 0 || confirmed < smallestAllowed;
  if (confirms) return;
  throw new ComportaError(
    'EmptyingRefused',
    `the load has ${moved.rowsWritten} rows where ${before.rows} were published, but a second count at the source says ${confirmed}; nothing was published`,
    {
      table: table.id,
      remedy: 'look at the source; then load the table again, or raise guard.maxDropShare',
    },
  );
}

async function countAgain(
  { source, signal }: { readonly source: Source; readonly signal: AbortSignal },
  table: SourceTable,
  settings: TableSettings,
): Promise<number> {
  const snapshot = await source.openSnapshot(table, signal);
  try {
    return await snapshot.count(settings.where === undefined ? {} : { where: settings.where });
  } finally {
    await snapshot.close();
  }
}
