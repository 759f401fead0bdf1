import { ComportaError } from '../../errors';

const LARGEST_PAGE = 2 ** 31 - 1;
const FIRST_BYTES = 4096;

/**
 * The values of one page as they are encoded, with room before them: a page's levels, whose length
 * is known only at its end, are put there, and the page goes out in one piece without a copy.
 */
export class PageBuffer {
  /** Bytes of values so far. */
  length = 0;
  bytes: Buffer;
  view: DataView;

  constructor(private readonly headroom: number) {
    this.bytes = Buffer.allocUnsafeSlow(headroom + FIRST_BYTES);
    this.view = viewOf(this.bytes);
  }

  /** Where the next byte goes. */
  get end(): number {
    return this.headroom + this.length;
  }

  /** Makes place for `count` more bytes; `column` is for the error of a page beyond 2 GiB. */
  reserve(count: number, column: string): void {
    const needed = this.end + count;
    if (needed <= this.bytes.length) return;
    if (needed > LARGEST_PAGE) {
      throw new ComportaError(
        'ValueUnfaithful',
        `column ${column} has a value of more than 2 GiB, which no Parquet page can hold`,
        { remedy: 'leave the column out with excludeColumns' },
      );
    }
    const size = Math.min(LARGEST_PAGE, Math.max(this.bytes.length * 2, needed));
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger, this.headroom, this.headroom, this.end);
    this.bytes = larger;
    this.view = viewOf(larger);
  }

  /** The whole page: `levels` and the values behind them. Good until the next value is written. */
  payload(levels: Uint8Array): Buffer {
    const start = this.headroom - levels.length;
    this.bytes.set(levels, start);
    return this.bytes.subarray(start, this.end);
  }

  /** Starts again; memory beyond `keep` bytes, which one huge value took, is given back. */
  clear(keep: number): void {
    this.length = 0;
    if (this.bytes.length <= this.headroom + keep) return;
    this.bytes = Buffer.allocUnsafeSlow(this.headroom + FIRST_BYTES);
    this.view = viewOf(this.bytes);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
