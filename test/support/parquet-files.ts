import { readThrift, type ThriftStruct } from '../../src/columnar/parquet/thrift';
import { ParquetWriter, type ParquetOptions } from '../../src/columnar/parquet/writer';
import { batches, type TestTable } from './columns';

/** A whole Parquet file of a table, by way of batches of so many rows. */
export async function parquetFile(
  table: TestTable,
  options: ParquetOptions,
  batchRows = 1000,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const sink = {
    write: (bytes: Buffer) => {
      pieces.push(Buffer.from(bytes));
      return Promise.resolve();
    },
  };
  const writer = new ParquetWriter(sink, table.columns, options);
  for (const batch of batches(table, batchRows)) await writer.write(batch);
  await writer.finish();
  return Buffer.concat(pieces);
}

export interface PageInFile {
  readonly offset: number;
  /** With its header. */
  readonly bytes: number;
  /** Counted from the row group's first. */
  readonly firstRow: number;
}

export interface ChunkInFile {
  readonly rowGroup: number;
  readonly column: number;
  readonly pages: readonly PageInFile[];
  /** As the column index has it: 0 unordered, 1 ascending, 2 descending; absent without one. */
  readonly boundaryOrder: number | undefined;
}

/** The chunks of a file by its own page index. Sources: parquet.thrift, FileMetaData and below. */
export function chunksOf(file: Buffer): ChunkInFile[] {
  return rowGroups(file).flatMap((group, rowGroup) =>
    list(group, 1).map((chunk, column) => {
      const offsets = indexAt(file, chunk, 4, 5);
      if (offsets === undefined) throw new RangeError('a chunk has no offset index');
      return {
        rowGroup,
        column,
        pages: list(offsets, 1).map((page) => ({
          offset: number(page, 1),
          bytes: number(page, 2),
          firstRow: number(page, 3),
        })),
        boundaryOrder: indexAt(file, chunk, 6, 7)?.get(4) as number | undefined,
      };
    }),
  );
}

/** By row group the columns that it says it is sorted by, each rising. Source: parquet.thrift, RowGroup. */
export function sortingColumns(file: Buffer): number[][] {
  return rowGroups(file).map((group) => {
    const sorted = group.has(4) ? list(group, 4) : [];
    if (sorted.some((column) => column.get(2) !== false || column.get(3) !== false))
      throw new RangeError('a column falls, or has NULLs first');
    return sorted.map((column) => number(column, 1));
  });
}

function rowGroups(file: Buffer): ThriftStruct[] {
  const length = file.readUInt32LE(file.length - 8);
  return list(readThrift(file.subarray(file.length - 8 - length, file.length - 8)), 4);
}

function indexAt(
  file: Buffer,
  chunk: ThriftStruct,
  offset: number,
  length: number,
): ThriftStruct | undefined {
  if (!chunk.has(offset)) return undefined;
  const from = number(chunk, offset);
  return readThrift(file.subarray(from, from + number(chunk, length)));
}

function list(struct: ThriftStruct, field: number): ThriftStruct[] {
  return struct.get(field) as ThriftStruct[];
}

function number(struct: ThriftStruct, field: number): number {
  return Number(struct.get(field));
}
