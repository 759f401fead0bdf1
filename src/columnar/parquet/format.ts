/**
 * The parts of Parquet's metadata that are written here, with their numbers.
 * Source: apache/parquet-format, src/main/thrift/parquet.thrift.
 */
import type { ThriftWriter } from './thrift';

export const PhysicalType = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  byteArray: 6,
  fixedLenByteArray: 7,
} as const;
export type PhysicalType = (typeof PhysicalType)[keyof typeof PhysicalType];

export const ConvertedType = {
  utf8: 0,
  decimal: 5,
  date: 6,
  timeMicros: 8,
  timestampMicros: 10,
  uint8: 11,
  uint16: 12,
  uint32: 13,
  uint64: 14,
  int8: 15,
  int16: 16,
  int32: 17,
  int64: 18,
  json: 19,
} as const;
export type ConvertedType = (typeof ConvertedType)[keyof typeof ConvertedType];

export const Encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const;
export type Encoding = (typeof Encoding)[keyof typeof Encoding];

export const CodecId = { none: 0, snappy: 1, zstd: 6 } as const;
export type Compression = keyof typeof CodecId;

/** The first and the last four bytes of a file. */
export const MAGIC = Buffer.from('PAR1');

export const PageType = { data: 0, dictionary: 2 } as const;

const Repetition = { required: 0, optional: 1 } as const;

export type LogicalAnnotation =
  | { readonly is: 'string' | 'date' | 'json' | 'uuid' }
  | { readonly is: 'decimal'; readonly precision: number; readonly scale: number }
  /** In microseconds. */
  | { readonly is: 'time' | 'timestamp'; readonly utc: boolean }
  | { readonly is: 'integer'; readonly bits: number; readonly signed: boolean };

/** One leaf of the schema. Every column is OPTIONAL. */
export interface SchemaElement {
  readonly name: string;
  readonly type: PhysicalType;
  /** Bytes per value, for FIXED_LEN_BYTE_ARRAY. */
  readonly length?: number;
  readonly converted?: ConvertedType;
  readonly annotation?: LogicalAnnotation;
}

/** Bounds in the column's plain encoding, without a length prefix. */
export interface Statistics {
  readonly nulls: number;
  readonly bounds?: {
    readonly min: Uint8Array;
    readonly max: Uint8Array;
    /** False for a bound that was cut short: no value need equal it. */
    readonly minExact: boolean;
    readonly maxExact: boolean;
  };
}

/** One data page in the file. */
export interface PageLocation {
  readonly offset: number;
  /** Compressed, with its header. */
  readonly bytes: number;
  /** Counted from the row group's first. */
  readonly firstRow: number;
  readonly rows: number;
  readonly statistics: Statistics;
}

export interface ColumnChunk {
  readonly element: SchemaElement;
  readonly codec: Compression;
  readonly encodings: readonly Encoding[];
  /** Data pages by what they hold: readers filter by the dictionary when all are indexed. */
  readonly pageEncodings: { readonly indexed: number; readonly plain: number };
  /** NULLs included. */
  readonly values: number;
  /** Both with page headers. */
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  /** Absent without a dictionary. */
  readonly dictionaryOffset?: number;
  readonly firstPageOffset: number;
  readonly statistics: Statistics;
  /** There are no NULLs, and no value is smaller than the one before it. */
  readonly isRising: boolean;
  readonly pages: readonly PageLocation[];
}

/** Where a chunk's page index lies in the file. */
export interface PageIndexPlace {
  /** Absent when a page has values and no bounds: readers could not tell it from an empty one. */
  readonly columnIndex?: { readonly offset: number; readonly bytes: number };
  readonly offsetIndex: { readonly offset: number; readonly bytes: number };
}

export interface RowGroup {
  readonly rows: number;
  readonly columns: readonly (ColumnChunk & { readonly index?: PageIndexPlace })[];
}

export interface FileMetadata {
  readonly schema: readonly SchemaElement[];
  readonly rows: number;
  readonly rowGroups: readonly RowGroup[];
  readonly keyValues: Readonly<Record<string, string>>;
  readonly createdBy: string;
}

export interface DataPage {
  readonly values: number;
  readonly encoding: Encoding;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
}

export function writeDataPageHeader(out: ThriftWriter, page: DataPage): void {
  out.i32(1, PageType.data);
  out.i32(2, page.uncompressedBytes);
  out.i32(3, page.compressedBytes);
  out.struct(5, () => {
    out.i32(1, page.values);
    out.i32(2, page.encoding);
    out.i32(3, Encoding.rle);
    out.i32(4, Encoding.rle);
  });
  out.stop();
}

export function writeDictionaryPageHeader(
  out: ThriftWriter,
  page: Omit<DataPage, 'encoding'>,
): void {
  out.i32(1, PageType.dictionary);
  out.i32(2, page.uncompressedBytes);
  out.i32(3, page.compressedBytes);
  out.struct(7, () => {
    out.i32(1, page.values);
    out.i32(2, Encoding.plain);
  });
  out.stop();
}

export function writeFileMetadata(out: ThriftWriter, file: FileMetadata): void {
  out.i32(1, 2);
  const root = { name: 'schema', children: file.schema.length };
  out.structList(2, [root, ...file.schema], (element) => {
    if ('children' in element) {
      out.binary(4, element.name);
      out.i32(5, element.children);
    } else {
      writeSchemaElement(out, element);
    }
  });
  out.i64(3, file.rows);
  out.structList(4, file.rowGroups, (group) => writeRowGroup(out, group));
  out.structList(5, Object.entries(file.keyValues), ([key, value]) => {
    out.binary(1, key);
    out.binary(2, value);
  });
  out.binary(6, file.createdBy);
  // Without a column order, readers must ignore min_value and max_value.
  out.structList(7, file.schema, () => out.struct(1, () => undefined));
  out.stop();
}

function writeSchemaElement(out: ThriftWriter, element: SchemaElement): void {
  const { annotation } = element;
  out.i32(1, element.type);
  if (element.length !== undefined) out.i32(2, element.length);
  out.i32(3, Repetition.optional);
  out.binary(4, element.name);
  if (element.converted !== undefined) out.i32(6, element.converted);
  if (annotation?.is === 'decimal') {
    out.i32(7, annotation.scale);
    out.i32(8, annotation.precision);
  }
  if (annotation !== undefined) out.struct(10, () => writeAnnotation(out, annotation));
}

function writeAnnotation(out: ThriftWriter, annotation: LogicalAnnotation): void {
  const empty = (field: number) => out.struct(field, () => undefined);
  const clock = (field: number, utc: boolean) =>
    out.struct(field, () => {
      out.boolean(1, utc);
      out.struct(2, () => empty(2));
    });
  switch (annotation.is) {
    case 'string':
      return empty(1);
    case 'decimal':
      return out.struct(5, () => {
        out.i32(1, annotation.scale);
        out.i32(2, annotation.precision);
      });
    case 'date':
      return empty(6);
    case 'time':
      return clock(7, annotation.utc);
    case 'timestamp':
      return clock(8, annotation.utc);
    case 'integer':
      return out.struct(10, () => {
        out.i8(1, annotation.bits);
        out.boolean(2, annotation.signed);
      });
    case 'json':
      return empty(12);
    case 'uuid':
      return empty(14);
  }
}

function writeRowGroup(out: ThriftWriter, group: RowGroup): void {
  out.structList(1, group.columns, (chunk) => {
    out.i64(2, 0);
    out.struct(3, () => writeColumnMetadata(out, chunk));
    const { offsetIndex, columnIndex } = chunk.index ?? {};
    if (offsetIndex !== undefined) {
      out.i64(4, offsetIndex.offset);
      out.i32(5, offsetIndex.bytes);
    }
    if (columnIndex !== undefined) {
      out.i64(6, columnIndex.offset);
      out.i32(7, columnIndex.bytes);
    }
  });
  out.i64(
    2,
    total(group.columns, (chunk) => chunk.uncompressedBytes),
  );
  out.i64(3, group.rows);
  writeSortingColumns(out, group);
  out.i64(5, startOf(group.columns[0]));
  out.i64(
    6,
    total(group.columns, (chunk) => chunk.compressedBytes),
  );
}

/** Columns that each rise are an order together, too, whichever comes first. */
function writeSortingColumns(out: ThriftWriter, { columns }: RowGroup): void {
  const rising = columns.flatMap(({ isRising }, index) => (isRising ? [index] : []));
  if (rising.length === 0) return;
  out.structList(4, rising, (index) => {
    out.i32(1, index);
    out.boolean(2, false);
    out.boolean(3, false);
  });
}

function writeColumnMetadata(out: ThriftWriter, chunk: ColumnChunk): void {
  out.i32(1, chunk.element.type);
  out.i32List(2, chunk.encodings);
  out.binaryList(3, [chunk.element.name]);
  out.i32(4, CodecId[chunk.codec]);
  out.i64(5, chunk.values);
  out.i64(6, chunk.uncompressedBytes);
  out.i64(7, chunk.compressedBytes);
  out.i64(9, chunk.firstPageOffset);
  if (chunk.dictionaryOffset !== undefined) out.i64(11, chunk.dictionaryOffset);
  out.struct(12, () => writeStatistics(out, chunk.statistics));
  out.structList(13, pageEncodings(chunk), ({ type, encoding, count }) => {
    out.i32(1, type);
    out.i32(2, encoding);
    out.i32(3, count);
  });
}

function pageEncodings({ pageEncodings: { indexed, plain } }: ColumnChunk) {
  return [
    { type: PageType.dictionary, encoding: Encoding.plain, count: Math.min(indexed, 1) },
    { type: PageType.data, encoding: Encoding.rleDictionary, count: indexed },
    { type: PageType.data, encoding: Encoding.plain, count: plain },
  ].filter(({ count }) => count > 0);
}

function startOf(chunk: ColumnChunk | undefined): number {
  return chunk?.dictionaryOffset ?? chunk?.firstPageOffset ?? 0;
}

function writeStatistics(out: ThriftWriter, { nulls, bounds }: Statistics): void {
  out.i64(3, nulls);
  if (bounds === undefined) return;
  out.binary(5, bounds.max);
  out.binary(6, bounds.min);
  out.boolean(7, bounds.maxExact);
  out.boolean(8, bounds.minExact);
}

function total<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + size(item), 0);
}
