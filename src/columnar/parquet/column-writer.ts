import type { ColumnSpec } from '../../types/logical';
import type { KernelMemory } from '../kernels/memory';
import type { Vector } from '../vectors';
import { ByteBlocks } from './byte-blocks';
import type { PageCompressor } from './compression';
import { createDictionary, gathered, type Dictionary } from './dictionary';
import { definitionLevels, levelsRoom } from './encoding';
import {
  Encoding,
  PhysicalType,
  writeDataPageHeader,
  writeDictionaryPageHeader,
  type ColumnChunk,
  type Compression,
  type PageLocation,
  type SchemaElement,
} from './format';
import { extremesOf } from './extremes';
import { appendHybrid, bitWidth } from './hybrid';
import { PageBuffer } from './page-buffer';
import { appendPlain } from './plain';
import type { Residence } from './residence';
import { risingCheck, type RisingCheck } from './rising';
import { schemaElement } from './schema';
import type { ByteSink } from './sink';
import { boundsCollector, type BoundsCollector } from './statistics';
import { ThriftWriter } from './thrift';

/** Rows encoded in one go: small enough that what they need stays in the processor's cache. */
const ROWS_AT_ONCE = 8192;
/** After so many values a dictionary that has met hardly any of them twice is given up. */
const FIRST_LOOK = 4096;
const FIRST_INDEXES = 512;
/** After a chunk in which the dictionary did not pay so many chunks at most do without one. */
const LONGEST_REST = 16;
/** Numbers that repeat at least so often in a page are smaller as indexes, whatever zstd makes of them. */
const OFTEN = 8;
/**
 * A page of indexes that is given up becomes a plain one of so many times the usual size at most:
 * long values that repeat would else fill the memory when the dictionary is full.
 */
const LARGEST_GIVEN_UP = 8;
/** Values of so many bytes on average are texts, mostly. */
const PROSE_BYTES = 256;
const EMPTY = new Uint8Array(0);

/** Rows `from` up to `end` of a vector, with the place of their values among its dense values. */
export interface Slice {
  readonly from: number;
  readonly end: number;
  readonly valuesFrom: number;
}

/** What every column of one file has in common. */
export interface PageOptions {
  readonly pageBytes: number;
  readonly pageRows: number;
  readonly codec: Compression;
  readonly compress: PageCompressor;
  /** For pages that are encoded as a whole at their end; shared, as no two pages end at once. */
  readonly scratch: PageBuffer;
  /** For the levels of a page, shared likewise. */
  readonly levels: Buffer;
  readonly memory: KernelMemory;
  readonly place: Residence;
}

/**
 * One column of the row group being filled. Values are encoded into the current page; a full page
 * is compressed at once and kept, with its header, until the row group is written.
 *
 * A chunk begins with a dictionary, unless it did not pay in the one before. A page whose values it
 * does not hold, or for which it would not pay, is written plain, and so is the rest of the chunk;
 * earlier pages keep their indexes.
 */
export class ColumnChunkWriter {
  readonly element: SchemaElement;

  private readonly chunkBounds: BoundsCollector;
  private readonly pageBounds: BoundsCollector;
  private readonly rising: RisingCheck | undefined;
  private readonly blocks: ByteBlocks;
  private pages: PageLocation[] = [];
  private chunkRows = 0;
  private chunkNulls = 0;
  private uncompressedBytes = 0;

  private readonly page: PageBuffer;
  private pageRows = 0;
  private pageValues = 0;
  /** Levels of the page's rows; not kept while every row has a value. */
  private valid: Uint8Array<ArrayBuffer>;

  private readonly dictionary: Dictionary | undefined;
  /** Whether the page being filled holds indexes. */
  private isIndexed: boolean;
  private indexedPages = 0;
  /** Chunks that will do without the dictionary, which did not pay in those before. */
  private rest = 0;
  private nextRest = 1;
  private indexes: Int32Array<ArrayBuffer>;
  /** Per dictionary entry the number of the last page that used it. */
  private usedIn: Int32Array<ArrayBuffer>;

  constructor(
    spec: ColumnSpec,
    private readonly options: PageOptions,
  ) {
    this.element = schemaElement(spec);
    this.chunkBounds = boundsCollector(spec.type);
    this.pageBounds = boundsCollector(spec.type);
    this.rising = risingCheck(spec.type);
    const { memory } = options;
    this.blocks = new ByteBlocks(memory);
    this.page = new PageBuffer(memory, levelsRoom(options.pageRows));
    this.valid = memory.uint8(0);
    this.dictionary = createDictionary(memory, spec, this.element.length);
    this.indexes = memory.int32(FIRST_INDEXES);
    this.usedIn = memory.int32(FIRST_INDEXES).fill(0);
    this.isIndexed = this.dictionary !== undefined;
  }

  /** Bytes encoded since the last flush, before compression. */
  get pendingBytes(): number {
    return this.uncompressedBytes + this.pageBytes;
  }

  /** Encodes a slice of the column's vector; returns where the values behind it begin. */
  append(vector: Vector, slice: Slice): number {
    const step = rowsAtOnce(vector, this.options.pageBytes);
    let valuesFrom = slice.valuesFrom;
    for (let from = slice.from; from < slice.end;) {
      const end = Math.min(from + step, slice.end, from + this.options.pageRows - this.pageRows);
      const valuesEnd = valuesFrom + this.countValues(vector, from, end);
      this.appendLevels(vector, from, end, valuesEnd - valuesFrom);
      this.appendValues(vector, valuesFrom, valuesEnd);
      valuesFrom = valuesEnd;
      from = end;
      if (this.pageRows >= this.options.pageRows || this.pageBytes >= this.options.pageBytes) {
        this.endPage();
      }
    }
    return valuesFrom;
  }

  /** Writes the column's pages at `offset` of the file and starts the next chunk. */
  async flush(sink: Pick<ByteSink, 'write'>, offset: number): Promise<ColumnChunk> {
    if (this.pageRows > 0) this.endPage();
    const dictionary = this.dictionaryPage();
    if (dictionary !== undefined) await sink.write(dictionary);
    const dataOffset = offset + (dictionary?.length ?? 0);
    const compressedBytes = this.blocks.length + (dictionary?.length ?? 0);
    for (const block of this.blocks.take()) await sink.write(block);

    const bounds = this.chunkBounds.result();
    const plainPages = this.pages.length - this.indexedPages;
    const chunk: ColumnChunk = {
      element: this.element,
      codec: this.options.codec,
      encodings: [
        Encoding.plain,
        Encoding.rle,
        ...(dictionary === undefined ? [] : [Encoding.rleDictionary]),
      ],
      pageEncodings: { indexed: this.indexedPages, plain: plainPages },
      values: this.chunkRows,
      uncompressedBytes: this.uncompressedBytes,
      compressedBytes,
      ...(dictionary === undefined ? {} : { dictionaryOffset: offset }),
      firstPageOffset: dataOffset,
      statistics: { nulls: this.chunkNulls, ...(bounds === undefined ? {} : { bounds }) },
      isRising: this.chunkNulls === 0 && this.rising?.holds === true,
      pages: this.pages.map((page) => ({ ...page, offset: page.offset + dataOffset })),
    };
    this.learn();
    this.beginChunk();
    return chunk;
  }

  /** Gives its memory back; nothing can be written any more. */
  release(): void {
    const { memory } = this.options;
    this.page.release();
    this.dictionary?.release();
    memory.release(this.indexes);
    memory.release(this.usedIn);
    memory.release(this.valid);
  }

  private beginChunk(): void {
    this.chunkBounds.reset();
    this.rising?.reset();
    this.pages = [];
    this.chunkRows = 0;
    this.chunkNulls = 0;
    this.uncompressedBytes = 0;
    this.dictionary?.clear();
    this.isIndexed = this.dictionary !== undefined && this.rest === 0;
    this.indexedPages = 0;
    this.usedIn.fill(0);
  }

  /**
   * A column whose values do not repeat is seldom one whose next values do: it is asked again after
   * one chunk, then two, four and so on.
   */
  private learn(): void {
    if (this.rest > 0) {
      this.rest -= 1;
    } else if (this.indexedPages > 0) {
      this.nextRest = 1;
    } else {
      this.rest = this.nextRest;
      this.nextRest = Math.min(LONGEST_REST, this.nextRest * 2);
    }
  }

  /** Bytes of the page being filled: its levels take a bit each at most, its indexes 16. */
  private get pageBytes(): number {
    if (!this.isIndexed || this.dictionary === undefined) return this.page.length;
    return Math.max(this.pageValues * 2, this.plainBytes(this.dictionary) / LARGEST_GIVEN_UP);
  }

  /** What the dictionary's entries take in plain encoding. */
  private entryBytes({ values }: Dictionary): number {
    if (values.storage === 'bytes') return values.byteLength;
    const isNarrow = this.element.type === PhysicalType.int32 || values.storage === 'float';
    return values.values * (isNarrow ? 4 : 8);
  }

  /** About what the page's values would take in plain encoding. */
  private plainBytes(dictionary: Dictionary): number {
    const entries = Math.max(1, dictionary.values.values);
    return (this.entryBytes(dictionary) / entries) * this.pageValues;
  }

  private appendLevels(vector: Vector, from: number, end: number, values: number): void {
    const rows = end - from;
    const hadNulls = this.pageValues < this.pageRows;
    const hasNulls = values < rows;
    if (hadNulls || hasNulls) {
      const needed = this.pageRows + rows;
      if (needed > this.valid.length) {
        const { memory } = this.options;
        const larger = memory.uint8(Math.max(this.valid.length * 2, needed));
        if (hadNulls) larger.set(this.valid.subarray(0, this.pageRows));
        memory.release(this.valid);
        this.valid = larger;
      }
      if (!hadNulls) this.valid.fill(1, 0, this.pageRows);
      this.valid.set(vector.valid.subarray(from, end), this.pageRows);
    }
    this.pageRows += rows;
  }

  private appendValues(vector: Vector, from: number, end: number): void {
    const count = end - from;
    if (count === 0) return;
    this.rising?.update(vector, from, end);
    const before = this.pageValues;
    this.pageValues += count;
    if (this.isIndexed && this.dictionary !== undefined) {
      this.reserveIndexes(this.pageValues);
      const place = this.options.place.settle(vector, from, end);
      const indexes = this.indexes.byteOffset + before * 4;
      const taken = this.dictionary.encode(place, count, indexes);
      if (taken === count && !this.isHopeless(this.dictionary)) return;
      this.giveUpIndexes(this.dictionary, before + taken);
      if (taken < count) this.appendPlainValues(vector, from + taken, end);
      return;
    }
    this.appendPlainValues(vector, from, end);
  }

  private appendPlainValues(vector: Vector, from: number, end: number): void {
    if (end === from) return;
    const place = this.options.place.settle(vector, from, end);
    this.encodePlain(vector, place, from, end);
    this.updateBounds(vector, place, from, end);
  }

  /** Values that `place` has settled. */
  private encodePlain(vector: Vector, place: Residence, from: number, end: number): void {
    const { kernels } = this.options.memory;
    appendPlain(kernels, this.page, this.element, vector, place, from, end);
  }

  /** Of values that `place` has settled. */
  private updateBounds(vector: Vector, place: Residence, from: number, end: number): void {
    const extremes = extremesOf(this.options.memory, vector, place, end - from);
    if (extremes === undefined) return this.pageBounds.update(vector, from, end);
    const { least, most } = extremes;
    this.pageBounds.update(vector, from + least, from + least + 1);
    this.pageBounds.update(vector, from + most, from + most + 1);
  }

  private reserveIndexes(count: number): void {
    if (count <= this.indexes.length) return;
    const { memory, pageRows } = this.options;
    const larger = memory.int32(Math.min(pageRows, count * 2));
    larger.set(this.indexes.subarray(0, Math.min(this.indexes.length, larger.length)));
    memory.release(this.indexes);
    this.indexes = larger;
  }

  private countValues(vector: Vector, from: number, end: number): number {
    if (vector.values === vector.rows) return end - from;
    const { memory } = this.options;
    if (memory.holds(vector.valid)) {
      return memory.kernels.countOnes(vector.valid.byteOffset, from, end);
    }
    let count = 0;
    for (let i = from; i < end; i++) count += vector.valid[i]!;
    return count;
  }

  /** Nearly every value so far was a new one. */
  private isHopeless({ values }: Dictionary): boolean {
    return (
      this.indexedPages === 0 &&
      this.pageValues >= FIRST_LOOK &&
      values.values > this.pageValues * 0.9
    );
  }

  /** Writes the first `count` values of the page plain, and all that follow in this chunk. */
  private giveUpIndexes(dictionary: Dictionary, count: number): void {
    this.isIndexed = false;
    const values = gathered(this.options.memory, dictionary.values, this.indexes, count);
    this.appendPlainValues(values, 0, count);
    values.release();
    if (this.indexedPages === 0) dictionary.clear();
  }

  private endPage(): void {
    const { dictionary } = this;
    if (this.isIndexed && dictionary !== undefined && !this.pays(dictionary)) {
      this.giveUpIndexes(dictionary, this.pageValues);
    }
    const { memory, levels: room } = this.options;
    const { valid, pageRows, pageValues } = this;
    const levels = definitionLevels(memory.kernels, valid, pageRows, pageValues, room);
    if (this.isIndexed && dictionary !== undefined) {
      this.boundsOfUsed(dictionary);
      this.keepPage(Encoding.rleDictionary, this.indexPayload(dictionary, levels));
      this.indexedPages++;
    } else {
      this.keepPage(Encoding.plain, this.plainPayload(levels));
    }
    this.pageRows = 0;
    this.pageValues = 0;
    // A page that one huge value blew up does not keep its buffer.
    this.page.clear(this.options.pageBytes * 4);
  }

  /** Whether the chunk's first page, with the dictionary before it, is smaller than plain. */
  private pays(dictionary: Dictionary): boolean {
    if (this.indexedPages > 0 || this.pageValues === 0) return true;
    const { values } = dictionary;
    const indexBytes = (this.pageValues * bitWidth(values.values)) / 8;
    if (this.entryBytes(dictionary) + indexBytes >= this.plainBytes(dictionary)) return false;
    const isClear = values.storage === 'bytes' || values.values * OFTEN <= this.pageValues;
    return isClear || this.options.codec === 'none' || this.paysCompressed(dictionary);
  }

  /**
   * The same after compression, by trying: numbers that rise or lie close together, as keys do,
   * compress better as they are than as indexes.
   */
  private paysCompressed(dictionary: Dictionary): boolean {
    const { compress, memory } = this.options;
    const { values } = dictionary;
    const compressedPlain = (vector: Vector, count: number) => {
      this.encodePlain(vector, this.options.place.settle(vector, 0, count), 0, count);
      const { length } = compress(this.page.payload(EMPTY));
      this.page.clear(this.options.pageBytes * 4);
      return length;
    };
    const all = gathered(memory, values, this.indexes, this.pageValues);
    const plain = compressedPlain(all, this.pageValues);
    all.release();
    const indexed = compress(this.indexPayload(dictionary, EMPTY)).length;
    return indexed + compressedPlain(values, values.values) < plain;
  }

  /** The page's bounds are those of the dictionary's entries that it uses. */
  private boundsOfUsed({ values }: Dictionary): void {
    const { indexes } = this;
    const size = values.values;
    const { memory } = this.options;
    if (size > this.usedIn.length) {
      const larger = memory.int32(size * 2).fill(0);
      larger.set(this.usedIn);
      memory.release(this.usedIn);
      this.usedIn = larger;
    }
    const { usedIn } = this;
    const page = this.pages.length + 1;
    memory.kernels.markUsed(indexes.byteOffset, this.pageValues, usedIn.byteOffset, page);
    for (let from = 0; from < size;) {
      let end = from;
      while (end < size && usedIn[end] === page) end++;
      if (end > from) {
        this.updateBounds(values, this.options.place.settle(values, from, end), from, end);
      }
      from = end + 1;
    }
  }

  private indexPayload({ values }: Dictionary, levels: Uint8Array): Buffer {
    const { scratch } = this.options;
    const width = bitWidth(values.values);
    scratch.clear(this.options.pageBytes * 4);
    scratch.bytes[scratch.end] = width;
    scratch.length = 1;
    const { memory } = this.options;
    appendHybrid(memory.kernels, scratch, this.indexes, this.pageValues, width, this.element.name);
    return scratch.payload(levels);
  }

  private plainPayload(levels: Uint8Array): Buffer {
    if (this.element.type !== PhysicalType.boolean) return this.page.payload(levels);
    const { scratch } = this.options;
    scratch.clear(this.options.pageBytes * 4);
    scratch.reserve(Math.ceil(this.pageValues / 8), this.element.name);
    const { kernels } = this.options.memory;
    kernels.packFlags(this.page.address - this.page.length, this.page.length, scratch.address);
    scratch.length = Math.ceil(this.page.length / 8);
    return scratch.payload(levels);
  }

  private keepPage(encoding: Encoding, payload: Buffer): void {
    const isProse = encoding === Encoding.plain && payload.length >= this.pageValues * PROSE_BYTES;
    const compressed = this.options.compress(payload, isProse ? 'prose' : 'values');
    const header = new ThriftWriter();
    writeDataPageHeader(header, {
      values: this.pageRows,
      encoding,
      uncompressedBytes: payload.length,
      compressedBytes: compressed.length,
    });
    const headerBytes = header.bytes();
    const bounds = this.pageBounds.result();
    const nulls = this.pageRows - this.pageValues;
    this.pages.push({
      offset: this.blocks.length,
      bytes: headerBytes.length + compressed.length,
      firstRow: this.chunkRows,
      rows: this.pageRows,
      statistics: { nulls, ...(bounds === undefined ? {} : { bounds }) },
    });
    this.blocks.append(headerBytes);
    this.blocks.append(compressed);
    this.uncompressedBytes += headerBytes.length + payload.length;
    this.chunkRows += this.pageRows;
    this.chunkNulls += nulls;
    this.chunkBounds.absorb(this.pageBounds);
    this.pageBounds.reset();
  }

  /** The dictionary's page with its header; undefined when no page holds indexes. */
  private dictionaryPage(): Buffer | undefined {
    if (this.dictionary === undefined || this.indexedPages === 0) return undefined;
    const { values } = this.dictionary;
    this.encodePlain(values, this.options.place.settle(values, 0, values.values), 0, values.values);
    const payload = this.page.payload(EMPTY);
    const compressed = this.options.compress(payload);
    const header = new ThriftWriter();
    writeDictionaryPageHeader(header, {
      values: values.values,
      uncompressedBytes: payload.length,
      compressedBytes: compressed.length,
    });
    this.uncompressedBytes += header.bytes().length + payload.length;
    this.page.clear(this.options.pageBytes * 4);
    return Buffer.concat([header.bytes(), compressed]);
  }
}

/** Few enough rows that a page of long values does not outgrow its size by much. */
function rowsAtOnce(vector: Vector, pageBytes: number): number {
  const bytesPerRow = vector.byteLength / Math.max(1, vector.rows);
  return Math.max(
    1,
    Math.min(ROWS_AT_ONCE, pageBytes, Math.floor(pageBytes / Math.max(1, bytesPerRow))),
  );
}
