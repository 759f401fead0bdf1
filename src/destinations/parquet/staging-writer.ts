import type { Batch } from '../../columnar/batch';
import { ParquetWriter, type ParquetOptions } from '../../columnar/parquet/writer';
import type { ColumnSpec } from '../../types/logical';
import type { RunIdentity, StagedDataFile, StagingWriter } from '../destination';
import { partName, runFolder } from './layout';
import { MeasuredFile } from './measured-file';
import type { ObjectStore, StagedFile } from './storage';

export interface PartOptions extends ParquetOptions {
  /** A new file begins when one has grown to this many bytes. Default 1 GiB. */
  readonly partBytes?: number;
}

const GIB = 1024 ** 3;

/**
 * A row group is held until it is whole, and values that do not compress are held as they are: this
 * and not the size of a table is what a load takes of memory.
 */
const ROW_GROUP_BYTES = 24 * 1024 ** 2;

/** Writes batches as one or more Parquet files of a run, none of them visible. */
export function createStagingWriter(
  store: ObjectStore,
  identity: RunIdentity,
  columns: readonly ColumnSpec[],
  options: PartOptions,
): StagingWriter {
  const folder = runFolder(identity);
  const writing = { rowGroupBytes: ROW_GROUP_BYTES, ...options };
  const partBytes = options.partBytes ?? GIB;
  const started: StagedFile[] = [];
  const finished: StagedDataFile[] = [];
  let current: { readonly file: MeasuredFile; readonly writer: ParquetWriter } | undefined;
  let finishedBytes = 0;

  const begin = async () => {
    const path = `${folder}/${partName('part', started.length, identity)}`;
    const staged = await store.stage(identity, path);
    started.push(staged);
    const file = new MeasuredFile(staged);
    return { file, writer: new ParquetWriter(file, columns, writing) };
  };

  const endPart = async () => {
    if (current === undefined) return;
    const { file, writer } = current;
    await writer.finish();
    finished.push(await file.finish());
    finishedBytes += file.bytes;
    current = undefined;
  };

  return {
    get bytes() {
      return finishedBytes + (current?.writer.bytes ?? 0);
    },
    async write(batch: Batch) {
      current ??= await begin();
      await current.writer.write(batch);
      if (current.writer.bytes >= partBytes) await endPart();
    },
    async finish() {
      // A table without rows still has a file, which carries its columns.
      if (started.length === 0) current = await begin();
      await endPart();
      return finished;
    },
    async abort() {
      current = undefined;
      for (const staged of started) await staged.discard();
      await store.clear(identity);
    },
  };
}
