import { HEAP, type Allocator } from './allocator';

/** Marks a NULL among the starts of a `FieldTable`. */
export const NULL_FIELD = -1;

/** Numbers of a page of memory, and of three lines of a processor's cache. */
const PAGE = 1024;
const THREE_LINES = 48;

/**
 * Where each value of some whole rows lies in the bytes that came over the wire. A source's first
 * pass walks the rows and fills it; its second pass takes one column after the other, which keeps
 * every loop short and of one type.
 *
 * It is reused from one piece of the stream to the next: what refers to `bytes` is good only until
 * the piece is given back.
 */
export class FieldTable {
  rows = 0;
  /** Per column the offset in `bytes` at which each row's value begins, `NULL_FIELD` for NULL. */
  readonly starts: readonly Int32Array<ArrayBuffer>[];
  /** Per column the offset behind each row's value. What it holds for a NULL is undefined. */
  readonly ends: readonly Int32Array<ArrayBuffer>[];
  /**
   * The memory of `starts` and `ends`, for a first pass that writes all columns of a row in one
   * loop: column c begins at `2 * c * stride` with its starts, its ends are `stride` behind them.
   */
  readonly places: Int32Array<ArrayBuffer>;
  readonly stride: number;
  /** NULLs per column, where the first pass counts them. */
  readonly nulls: Int32Array;
  bytes: Buffer = EMPTY;
  /** The same bytes for reading numbers: `view.getInt32(start)` is big-endian. */
  view: DataView = EMPTY_VIEW;

  /**
   * @param capacity the most rows that one piece may have.
   * @param memory of `places` and `nulls`. Default: the heap.
   */
  constructor(
    columns: number,
    readonly capacity: number,
    memory: Allocator = HEAP,
  ) {
    // Columns that lie whole pages apart share a few places of the processor's cache, and a loop
    // over the columns of a row then takes four times as long.
    this.stride = Math.ceil(capacity / PAGE) * PAGE + THREE_LINES;
    this.places = memory.int32(2 * columns * this.stride);
    const part = (index: number) =>
      this.places.subarray(index * this.stride, index * this.stride + capacity);
    this.starts = Array.from({ length: columns }, (_, column) => part(2 * column));
    this.ends = Array.from({ length: columns }, (_, column) => part(2 * column + 1));
    this.nulls = memory.int32(columns).fill(0);
  }

  /** Names the buffer that the offsets speak of, and forgets all rows. */
  reset(bytes: Buffer): void {
    this.rows = 0;
    this.nulls.fill(0);
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer, EMPTY.byteOffset, 0);
