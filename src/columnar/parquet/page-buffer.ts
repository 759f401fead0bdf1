import { ComportaError } from '../../errors';
import type { Allocator } from '../allocator';

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

  constructor(
    private readonly memory: Allocator,
    private readonly headroom: number,
  ) {
    this.bytes = memory.bytes(headroom + FIRST_BYTES);
  }

  /** Where in `bytes` the next one goes. */
  get end(): number {
    return this.headroom + this.length;
  }

  /** The address of the next byte in the memory that the buffer lies in. */
  get address(): number {
    return this.bytes.byteOffset + this.end;
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
    const larger = this.memory.bytes(
      Math.min(LARGEST_PAGE, Math.max(this.bytes.length * 2, needed)),
    );
    this.bytes.copy(larger, this.headroom, this.headroom, this.end);
    this.memory.release(this.bytes);
    this.bytes = larger;
  }

  /** The whole page: `levels` and the values behind them. Good until the next value is written. */
  payload(levels: Uint8Array): Buffer {
    const start = this.headroom - levels.length;
    this.bytes.set(levels, start);
    return this.bytes.subarray(start, this.end);
  }

  /** Gives its memory back. */
  release(): void {
    this.memory.release(this.bytes);
  }

  /** Starts again; memory beyond `keep` bytes, which one huge value took, is given back. */
  clear(keep: number): void {
    this.length = 0;
    if (this.bytes.length <= this.headroom + Math.max(keep, FIRST_BYTES)) return;
    this.memory.release(this.bytes);
    this.bytes = this.memory.bytes(this.headroom + FIRST_BYTES);
  }
}
