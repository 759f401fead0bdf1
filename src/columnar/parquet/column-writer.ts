import { ComportaError } from '../../errors';
import type { ColumnSpec } from '../../types/logical';
import type { BytesVector, Vector } from '../vectors';
import type { PageCompressor } from './compression';
import { definitionLevels, packBits, writeByteArrays, writeTails } from './encoding';
import {
  Encoding,
  PhysicalType,
  writeDataPageHeader,
  type ColumnChunk,
  type Compression,
  type SchemaElement,
} from './format';
import { schemaElement } from './schema';
import type { ByteSink } from './sink';
import { boundsCollector, type BoundsCollector } from './statistics';
import { ThriftWriter } from './thrift';

const ROWS_AT_ONCE = 8192;
const LARGEST_PAGE = 2 ** 31 - 1;

/** Rows `from` up to `end` of a vector, with the place of their values among its dense values. */
export interface Slice {
  readonly from: number;
  readonly end: number;
  readonly valuesFrom: number;
}

/**
 * One column of the row group being filled. Values are encoded into the current page; a full page
 * is compressed at once and kept, with its header, until the row group is written. A dictionary
 * would stand here: collected beside the page, written as the chunk's first page.
 */
export class ColumnChunkWriter {
  readonly element: SchemaElement;
  /** Bytes encoded since the last flush, page headers excluded. */
  pendingBytes = 0;

  private readonly bounds: BoundsCollector;
  private pages: Buffer[] = [];
  private chunkRows = 0;
  private chunkNulls = 0;
  private uncompressedBytes = 0;
  private compressedBytes = 0;

  private values = Buffer.allocUnsafe(4096);
  private valueBytes = 0;
  private valid = new Uint8Array(1024);
  private pageRows = 0;
  private pageValues = 0;

  constructor(
    spec: ColumnSpec,
    private readonly pageBytes: number,
    private readonly codec: Compression,
    private readonly compress: PageCompressor,
  ) {
    this.element = schemaElement(spec);
    this.bounds = boundsCollector(spec.type);
  }

  /** Encodes a slice of the column's vector; returns where the values behind it begin. */
  append(vector: Vector, slice: Slice): number {
    const step = rowsAtOnce(vector, this.pageBytes);
    let valuesFrom = slice.valuesFrom;
    for (let from = slice.from; from < slice.end; from += step) {
      const end = Math.min(from + step, slice.end);
      const valuesEnd = valuesFrom + countValues(vector, from, end);
      this.appendLevels(vector, from, end);
      this.appendValues(vector, valuesFrom, valuesEnd);
      this.bounds.update(vector, valuesFrom, valuesEnd);
      this.pageValues += valuesEnd - valuesFrom;
      valuesFrom = valuesEnd;
      // A level takes a byte of its own until the page ends.
      if (Math.max(this.valueBytes, this.pageRows) >= this.pageBytes) this.endPage();
    }
    return valuesFrom;
  }

  /** Writes the column's pages at `offset` of the file and starts the next chunk. */
  async flush(sink: ByteSink, offset: number): Promise<ColumnChunk> {
    if (this.pageRows > 0) this.endPage();
    const { pages } = this;
    this.pages = [];
    for (const page of pages) await sink.write(page);
    const bounds = this.bounds.result();
    const chunk: ColumnChunk = {
      element: this.element,
      codec: this.codec,
      encodings: [Encoding.plain, Encoding.rle],
      values: this.chunkRows,
      uncompressedBytes: this.uncompressedBytes,
      compressedBytes: this.compressedBytes,
      firstPageOffset: offset,
      statistics: { nulls: this.chunkNulls, ...(bounds === undefined ? {} : { bounds }) },
    };
    this.bounds.reset();
    this.chunkRows = 0;
    this.chunkNulls = 0;
    this.uncompressedBytes = 0;
    this.compressedBytes = 0;
    this.pendingBytes = 0;
    return chunk;
  }

  private appendLevels(vector: Vector, from: number, end: number): void {
    const rows = end - from;
    if (this.pageRows + rows > this.valid.length) {
      const larger = new Uint8Array(Math.max(this.valid.length * 2, this.pageRows + rows));
      larger.set(this.valid.subarray(0, this.pageRows));
      this.valid = larger;
    }
    this.valid.set(vector.valid.subarray(from, end), this.pageRows);
    this.pageRows += rows;
  }

  private appendValues(vector: Vector, from: number, end: number): void {
    const start = this.valueBytes;
    const count = end - from;
    switch (vector.storage) {
      case 'boolean':
        // One byte each until the page ends, then one bit.
        this.reserve(count);
        this.values.set(vector.data.subarray(from, end), start);
        this.valueBytes += count;
        break;
      case 'fixed32':
      case 'float':
        this.copy(vector.data, 4, from, end);
        break;
      case 'double':
        this.copy(vector.data, 8, from, end);
        break;
      case 'fixed64':
        if (this.element.type === PhysicalType.int32) this.copyLowHalves(vector.data, from, end);
        else this.copy(vector.data, 8, from, end);
        break;
      case 'bytes':
        this.appendBytes(vector, from, end);
        break;
    }
    this.pendingBytes += this.valueBytes - start;
  }

  private copy(data: ArrayBufferView, width: 4 | 8, from: number, end: number): void {
    const bytes = (end - from) * width;
    this.reserve(bytes);
    const source = new Uint8Array(data.buffer, data.byteOffset + from * width, bytes);
    this.values.set(source, this.valueBytes);
    this.valueBytes += bytes;
  }

  private copyLowHalves(data: BigInt64Array, from: number, end: number): void {
    const halves = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
    this.reserve((end - from) * 4);
    for (let i = from; i < end; i++) {
      this.valueBytes = this.values.writeInt32LE(halves[2 * i] ?? 0, this.valueBytes);
    }
  }

  private appendBytes({ data, starts, ends }: BytesVector, from: number, end: number): void {
    const { length } = this.element;
    if (length !== undefined) {
      this.reserve((end - from) * length);
      this.valueBytes = writeTails(this.values, this.valueBytes, data, ends, from, end, length);
      return;
    }
    let bytes = (end - from) * 4;
    for (let i = from; i < end; i++) bytes += (ends[i] ?? 0) - (starts[i] ?? 0);
    this.reserve(bytes);
    this.valueBytes = writeByteArrays(this.values, this.valueBytes, data, starts, ends, from, end);
  }

  private reserve(bytes: number): void {
    const needed = this.valueBytes + bytes;
    if (needed <= this.values.length) return;
    if (needed > LARGEST_PAGE) {
      throw new ComportaError(
        'ValueUnfaithful',
        `column ${this.element.name} has a value of more than 2 GiB, which no Parquet page can hold`,
        { remedy: 'leave the column out with excludeColumns' },
      );
    }
    const larger = Buffer.allocUnsafe(
      Math.min(LARGEST_PAGE, Math.max(this.values.length * 2, needed)),
    );
    this.values.copy(larger, 0, 0, this.valueBytes);
    this.values = larger;
  }

  private endPage(): void {
    const levels = definitionLevels(this.valid, this.pageRows, this.pageValues);
    const payload = Buffer.concat([levels, this.encodedValues()]);
    const compressed = this.compress(payload);
    const header = new ThriftWriter();
    writeDataPageHeader(header, {
      values: this.pageRows,
      encoding: Encoding.plain,
      uncompressedBytes: payload.length,
      compressedBytes: compressed.length,
    });
    const headerBytes = header.bytes();
    // One exact buffer per page: the compressor's own may be a small part of a large one.
    this.pages.push(Buffer.concat([headerBytes, compressed]));
    this.uncompressedBytes += headerBytes.length + payload.length;
    this.compressedBytes += headerBytes.length + compressed.length;
    this.chunkRows += this.pageRows;
    this.chunkNulls += this.pageRows - this.pageValues;
    this.pageRows = 0;
    this.pageValues = 0;
    this.valueBytes = 0;
    // A page that one huge value blew up does not keep its buffer.
    if (this.values.length > this.pageBytes * 4) this.values = Buffer.allocUnsafe(this.pageBytes);
  }

  private encodedValues(): Buffer {
    const values = this.values.subarray(0, this.valueBytes);
    if (this.element.type !== PhysicalType.boolean) return values;
    const packed = Buffer.allocUnsafe(Math.ceil(values.length / 8));
    packBits(packed, 0, values, 0, values.length);
    return packed;
  }
}

function countValues(vector: Vector, from: number, end: number): number {
  if (vector.values === vector.rows) return end - from;
  let count = 0;
  for (let i = from; i < end; i++) count += vector.valid[i] ?? 0;
  return count;
}

/** Few enough rows that a page of long values does not outgrow its size by much. */
function rowsAtOnce(vector: Vector, pageBytes: number): number {
  const bytesPerRow = vector.byteLength / Math.max(1, vector.rows);
  return Math.max(
    1,
    Math.min(ROWS_AT_ONCE, pageBytes, Math.floor(pageBytes / Math.max(1, bytesPerRow))),
  );
}
