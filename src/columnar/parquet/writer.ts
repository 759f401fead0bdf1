import packageJson from '../../../package.json';
import type { ColumnSpec } from '../../types/logical';
import type { Batch } from '../batch';
import { KernelMemory } from '../kernels/memory';
import { ColumnChunkWriter, type PageOptions } from './column-writer';
import { pageCompressor } from './compression';
import { levelsRoom } from './encoding';
import {
  MAGIC,
  writeFileMetadata,
  type ColumnChunk,
  type Compression,
  type PageIndexPlace,
  type RowGroup,
} from './format';
import { PageBuffer } from './page-buffer';
import { columnIndex, offsetIndex } from './page-index';
import { columnsMetadata } from './schema';
import { Residence } from './residence';
import { GatheringSink, type ByteSink } from './sink';
import { ThriftWriter } from './thrift';

export interface ParquetOptions {
  readonly compression: Compression;
  /** 1 (fast) to 22 (small). Default 1. */
  readonly zstdLevel?: number;
  /** A row group is written out when it holds this many encoded bytes, before compression. Default 64 MiB. */
  readonly rowGroupBytes?: number;
  /** … or this many rows. Default 1 Mi. */
  readonly rowGroupRows?: number;
  /**
   * A page is compressed when it holds this many bytes. Default 1 MiB, less for tables of more
   * than 64 columns, so that the pages being filled stay within 64 MiB together.
   */
  readonly pageBytes?: number;
  /** … or this many rows, by which readers can skip pages. Default 64 Ki. */
  readonly pageRows?: number;
  /** Where batches lie that need not be copied to be encoded. Default: a new one of the writer's own. */
  readonly memory?: KernelMemory;
  /** Added to the file's key-value metadata, which always describes the columns. */
  readonly keyValues?: Readonly<Record<string, string>>;
}

export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
}

const MIB = 1024 * 1024;

export const CREATED_BY = `comporta version ${packageJson.version}`;

/**
 * Writes batches as one Parquet file, front to back. Holds at most one page per column
 * uncompressed and one row group compressed.
 */
export class ParquetWriter {
  /** Rows taken so far. */
  rows = 0;
  /** Bytes handed to the sink so far. */
  bytes = 0;

  private readonly columns: readonly ColumnChunkWriter[];
  private readonly pages: PageOptions;
  private readonly rowGroupBytes: number;
  private readonly rowGroupRows: number;
  private readonly rowGroups: RowGroup[] = [];
  private pendingRows = 0;

  private readonly sink: GatheringSink;

  constructor(
    sink: ByteSink,
    private readonly specs: readonly ColumnSpec[],
    private readonly options: ParquetOptions,
  ) {
    const memory = options.memory ?? new KernelMemory();
    const compress = pageCompressor(options.compression, options.zstdLevel ?? 1, memory);
    const pageRows = options.pageRows ?? 64 * 1024;
    this.sink = new GatheringSink(sink, memory);
    this.pages = {
      pageBytes: options.pageBytes ?? Math.min(MIB, Math.floor((64 * MIB) / specs.length)),
      pageRows,
      codec: options.compression,
      compress,
      scratch: new PageBuffer(memory, levelsRoom(pageRows)),
      levels: memory.bytes(levelsRoom(pageRows)),
      memory,
      place: new Residence(memory),
    };
    this.columns = specs.map((spec) => new ColumnChunkWriter(spec, this.pages));
    this.rowGroupBytes = options.rowGroupBytes ?? 64 * MIB;
    this.rowGroupRows = options.rowGroupRows ?? MIB;
  }

  /** Takes a batch with the writer's columns in their order; its vectors may be reused afterwards. */
  async write(batch: Batch): Promise<void> {
    const valuesFrom = batch.columns.map(() => 0);
    for (let from = 0; from < batch.rows;) {
      const end = Math.min(batch.rows, from + this.rowGroupRows - this.pendingRows);
      let pendingBytes = 0;
      for (const [i, column] of this.columns.entries()) {
        const vector = batch.columns[i];
        if (vector === undefined) throw new RangeError('the batch has fewer columns than the file');
        valuesFrom[i] = column.append(vector, { from, end, valuesFrom: valuesFrom[i] ?? 0 });
        pendingBytes += column.pendingBytes;
      }
      this.pendingRows += end - from;
      from = end;
      if (this.pendingRows >= this.rowGroupRows || pendingBytes >= this.rowGroupBytes) {
        await this.endRowGroup();
      }
    }
    this.rows += batch.rows;
  }

  /** Writes the last row group and the footer. The sink is the caller's to close. */
  async finish(): Promise<WrittenFile> {
    if (this.pendingRows > 0) await this.endRowGroup();
    await this.begin();
    const rowGroups: RowGroup[] = [];
    for (const group of this.rowGroups) rowGroups.push(await this.writeIndex(group));
    const footer = new ThriftWriter();
    writeFileMetadata(footer, {
      schema: this.columns.map((column) => column.element),
      rows: this.rows,
      rowGroups,
      keyValues: { ...columnsMetadata(this.specs), ...this.options.keyValues },
      createdBy: CREATED_BY,
    });
    const metadata = footer.bytes();
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(metadata.length);
    const end = Buffer.concat([metadata, tail, MAGIC]);
    await this.sink.end(end);
    this.bytes += end.length;
    this.release();
    return { rows: this.rows, bytes: this.bytes };
  }

  private release(): void {
    for (const column of this.columns) column.release();
    this.pages.scratch.release();
    this.pages.memory.release(this.pages.levels);
    this.pages.place.release();
    this.sink.release();
  }

  private async endRowGroup(): Promise<void> {
    await this.begin();
    const chunks: ColumnChunk[] = [];
    for (const column of this.columns) {
      const chunk = await column.flush(this.sink, this.bytes);
      this.bytes += chunk.compressedBytes;
      chunks.push(chunk);
    }
    this.rowGroups.push({ rows: this.pendingRows, columns: chunks });
    this.pendingRows = 0;
  }

  private async writeIndex(group: RowGroup): Promise<RowGroup> {
    const columns = [];
    for (const [i, chunk] of group.columns.entries()) {
      const { type } = this.specs[i]!;
      const bounds = columnIndex(chunk, type);
      const index: PageIndexPlace = {
        ...(bounds === undefined ? {} : { columnIndex: await this.place(bounds) }),
        offsetIndex: await this.place(offsetIndex(chunk)),
      };
      columns.push({ ...chunk, index });
    }
    return { rows: group.rows, columns };
  }

  private async place(bytes: Buffer): Promise<{ offset: number; bytes: number }> {
    const offset = this.bytes;
    await this.emit(bytes);
    return { offset, bytes: bytes.length };
  }

  private async begin(): Promise<void> {
    if (this.bytes === 0) await this.emit(Buffer.from(MAGIC));
  }

  private async emit(bytes: Buffer): Promise<void> {
    await this.sink.write(bytes);
    this.bytes += bytes.length;
  }
}
