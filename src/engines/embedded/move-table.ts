import type { Batch } from '../../columnar/batch';
import type { KernelMemory } from '../../columnar/kernels/memory';
import type { StagingArea, StagingWriter } from '../../destinations/destination';
import type { ReadStatistics, RowFilter, Source, SourceTable } from '../../sources/source';
import type { LoadProgress, MoveRequest, MoveResult, MoveWatch } from '../engine';
import { describedAs } from '../described-as';
import { assertSameColumns, assertSchemaAccepted } from '../schema-drift';

/** What a move reads from and writes to. */
export interface MoveEnds {
  readonly source: Pick<Source, 'openSnapshot'>;
  readonly staging: Pick<StagingArea, 'stage'>;
  /** Where the rows lie on their way; nothing of the move is in it afterwards. */
  readonly memory: KernelMemory;
}

/**
 * Moves a table: the source's reader fills column batches, the destination's writer takes them, one
 * batch at a time. Holds at most one batch and one row group in memory.
 */
export async function moveTable(
  { source, staging, memory }: MoveEnds,
  request: MoveRequest,
  watch: MoveWatch,
): Promise<MoveResult> {
  const { identity, table, settings, part } = request;
  watch.signal.throwIfAborted();
  watch.report({ phase: 'connecting', rows: 0, bytes: 0 });
  const snapshot = await source.openSnapshot(table, watch.signal, part?.snapshot);
  try {
    const { columns } = snapshot.plan(settings);
    assertSchemaAccepted(identity, settings, request.previousColumns, columns);
    if (part !== undefined) assertSameColumns(identity, part.columns, columns);

    const filter: RowFilter = {
      ...(settings.where === undefined ? {} : { where: settings.where }),
      ...(request.from === undefined ? {} : { from: request.from }),
      ...(part === undefined ? {} : { range: part.range }),
    };
    const cursorHigh =
      settings.cursor === undefined || part !== undefined
        ? undefined
        : await snapshot.maximum(
            settings.cursor.column,
            settings.where === undefined ? {} : { where: settings.where },
          );

    const statistics: ReadStatistics = { rows: 0, invalidValues: 0 };
    const writer = await staging.stage(identity, columns, memory);
    try {
      const batches = snapshot.read(settings, filter, statistics, memory);
      await copyRows(watch, batches, writer, statistics, rowsExpected(table, filter));
      const files = await writer.finish();
      return {
        rowsAtSource: await snapshot.rowsSent(),
        rowsRead: statistics.rows,
        rowsWritten: files.reduce((sum, file) => sum + file.rows, 0),
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
        files,
        columns,
        ...describedAs(snapshot.description),
        invalidValues: statistics.invalidValues,
        ...(cursorHigh === undefined ? {} : { cursorHigh }),
      };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await snapshot.close();
  }
}

/** The estimate is one of the whole table. */
function rowsExpected(
  { approximateRows }: SourceTable,
  { where, from, range }: RowFilter,
): Pick<LoadProgress, 'rowsExpected'> {
  const isWhole = where === undefined && from === undefined && range === undefined;
  return isWhole && approximateRows !== undefined ? { rowsExpected: approximateRows } : {};
}

async function copyRows(
  watch: MoveWatch,
  batches: AsyncIterable<Batch>,
  writer: StagingWriter,
  statistics: ReadStatistics,
  expected: Pick<LoadProgress, 'rowsExpected'>,
): Promise<void> {
  for await (const batch of batches) {
    watch.signal.throwIfAborted();
    await writer.write(batch);
    watch.report({ phase: 'reading', rows: statistics.rows, ...expected, bytes: writer.bytes });
  }
}
