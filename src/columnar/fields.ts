/** Marks a NULL among the starts of a `FieldTable`. */
export const NULL_FIELD = -1;

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
  readonly starts: readonly Int32Array[];
  /** Per column the offset behind each row's value. What it holds for a NULL is undefined. */
  readonly ends: readonly Int32Array[];
  bytes: Buffer = EMPTY;
  /** The same bytes for reading numbers: `view.getInt32(start)` is big-endian. */
  view: DataView = EMPTY_VIEW;

  /** @param capacity the most rows that one piece may have. */
  constructor(
    columns: number,
    readonly capacity: number,
  ) {
    this.starts = Array.from({ length: columns }, () => new Int32Array(capacity));
    this.ends = Array.from({ length: columns }, () => new Int32Array(capacity));
  }

  /** Names the buffer that the offsets speak of, and forgets all rows. */
  reset(bytes: Buffer): void {
    this.rows = 0;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer, EMPTY.byteOffset, 0);
