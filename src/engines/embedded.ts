import type { StagingWriter } from '../destinations/destination';
import type { ReadStatistics, RowFilter, TableSnapshot } from '../sources/source';
import type { Engine, MoveRequest, MoveResult } from './engine';

/**
 * Moves a table inside the worker's own process: the source's reader fills column batches, the
 * destination's writer takes them, one batch at a time. Needs no other server and holds at most
 * one batch and one row group in memory.
 */
export function createEmbeddedEngine(): Engine {
  return { name: 'embedded', move };
}

async function move(request: MoveRequest): Promise<MoveResult> {
  const { source, table, settings, signal } = request;
  request.report({ phase: 'connecting', rows: 0, bytes: 0 });
  const snapshot = await source.openSnapshot(table, signal);
  try {
    const { columns } = snapshot.plan(settings);
    request.inspect(snapshot.description, columns);

    request.report({ phase: 'counting', rows: 0, bytes: 0 });
    const filter: RowFilter = {
      ...(settings.where === undefined ? {} : { where: settings.where }),
      ...(request.from === undefined ? {} : { from: request.from }),
    };
    const rowsAtSource = await snapshot.count(filter);
    const cursorHigh =
      settings.cursor === undefined
        ? undefined
        : await snapshot.maximum(
            settings.cursor.column,
            settings.where === undefined ? {} : { where: settings.where },
          );

    const statistics: ReadStatistics = { rows: 0, invalidValues: 0 };
    const writer = await request.destination.stage(request.identity, columns);
    try {
      await copyRows(request, snapshot, filter, writer, statistics, rowsAtSource);
      const files = await writer.finish();
      return {
        rowsAtSource,
        rowsRead: statistics.rows,
        rowsWritten: files.reduce((sum, file) => sum + file.rows, 0),
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
        files,
        columns,
        primaryKey: snapshot.description.primaryKey,
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

async function copyRows(
  request: MoveRequest,
  snapshot: TableSnapshot,
  filter: RowFilter,
  writer: StagingWriter,
  statistics: ReadStatistics,
  rowsExpected: number,
): Promise<void> {
  for await (const batch of snapshot.read(request.settings, filter, statistics)) {
    request.signal.throwIfAborted();
    await writer.write(batch);
    request.report({ phase: 'reading', rows: statistics.rows, rowsExpected, bytes: writer.bytes });
  }
}
