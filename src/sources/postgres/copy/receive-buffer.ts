import type { Allocator } from '../../../columnar/allocator';

/** Behind the window: a number may be read there before its length is found to be wrong. */
const SLACK_BYTES = 32;
/**
 * Bytes of a piece of the stream; a row that is larger gets more for as long as it needs it. A
 * little less than a power of two, which with what is added to it would take the next one.
 */
export const WINDOW_BYTES = 1024 * 1024 - 2 * SLACK_BYTES;
/** Memory for large rows is given back after this many pieces without one. */
const PATIENCE_PIECES = 64;

/**
 * Memory into which the socket's bytes are read, piece after piece, always from its beginning.
 * What a row larger than the window takes grows with what has come of it, never with what its
 * header promises.
 */
export class ReceiveBuffer {
  bytes: Buffer<ArrayBuffer>;
  /** The bytes up to here have been received. */
  filled = 0;
  private limit = WINDOW_BYTES;
  private piecesSinceGrowth = 0;

  constructor(private readonly memory: Allocator) {
    this.bytes = this.place(WINDOW_BYTES);
  }

  get isFull(): boolean {
    return this.filled === this.limit;
  }

  /** Whether another piece would bring little more. */
  get isNearlyFull(): boolean {
    return this.filled >= this.limit - this.limit / 4;
  }

  /** The place for what comes next. */
  room(): Buffer {
    return this.bytes.subarray(this.filled, this.limit);
  }

  /** Makes place for a row that ends at `end`, or for a part of it if it is very large. */
  growTowards(end: number): void {
    this.piecesSinceGrowth = 0;
    this.limit = Math.max(this.limit, Math.min(end, 2 * this.limit));
    if (this.limit + SLACK_BYTES <= this.bytes.length) return;
    const doublings = Math.ceil(Math.log2(this.limit / WINDOW_BYTES));
    const larger = this.place(WINDOW_BYTES * 2 ** doublings);
    this.bytes.copy(larger, 0, 0, this.filled);
    this.memory.release(this.bytes);
    this.bytes = larger;
  }

  /** Forgets what lies before `at`. */
  keepFrom(at: number): void {
    const kept = this.filled - at;
    this.piecesSinceGrowth += 1;
    if (this.piecesSinceGrowth > PATIENCE_PIECES && this.bytes.length > WINDOW_BYTES * 2) {
      const former = this.moveTo(WINDOW_BYTES, at);
      this.memory.release(former);
    } else {
      this.bytes.copyWithin(0, at, this.filled);
    }
    this.filled = kept;
    this.limit = Math.max(WINDOW_BYTES, kept);
  }

  /** As `keepFrom`, but leaves the present memory as it is to those who still read it. */
  leaveBefore(at: number): void {
    this.moveTo(WINDOW_BYTES, at);
    this.filled -= at;
    this.limit = Math.max(WINDOW_BYTES, this.filled);
  }

  /** Answers the memory that it has left. */
  private moveTo(size: number, at: number): Buffer {
    const former = this.bytes;
    this.bytes = this.place(Math.max(size, this.filled - at));
    former.copy(this.bytes, 0, at, this.filled);
    return former;
  }

  private place(size: number): Buffer<ArrayBuffer> {
    return this.memory.bytes(size + SLACK_BYTES);
  }
}
