import { HEAP, type Allocator } from '../allocator';

const FIRST_BLOCK = 4 * 1024;
const LARGEST_BLOCK = 256 * 1024;
/**
 * The first bytes lie where the allocator has them, which is kept from load to load. More would take
 * that memory from what needs it, and a table with so much does not mind the garbage collector.
 */
const ALLOCATED_BYTES = 2 * 1024 * 1024;

/**
 * Bytes collected in blocks: few enough to be written with few calls, never moved, and filled again
 * once they are written. A row group of values that do not compress passes through here whole, and
 * new memory for each would double what a load takes.
 */
export class ByteBlocks {
  length = 0;
  private full: Buffer[] = [];
  private spare: Buffer[] = [];
  private block: Buffer = Buffer.alloc(0);
  private used = 0;

  constructor(private readonly allocator: Allocator) {}

  append(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      if (this.used === this.block.length) this.begin();
      const piece = bytes.subarray(start, start + this.block.length - this.used);
      this.block.set(piece, this.used);
      this.used += piece.length;
      this.length += piece.length;
      start += piece.length;
    }
  }

  /** Hands the blocks over, in order, and starts again. They are good until the next `append`. */
  take(): readonly Buffer[] {
    const blocks = [...this.full, this.block.subarray(0, this.used)];
    this.spare = [this.block, ...this.full, ...this.spare].filter((block) => block.length > 0);
    this.full = [];
    this.block = Buffer.alloc(0);
    this.used = 0;
    this.length = 0;
    return blocks;
  }

  private begin(): void {
    if (this.used > 0) this.full.push(this.block);
    const size = Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, this.length));
    const home = this.length < ALLOCATED_BYTES ? this.allocator : HEAP;
    this.block = this.spare.pop() ?? home.bytes(size);
    this.used = 0;
  }
}
