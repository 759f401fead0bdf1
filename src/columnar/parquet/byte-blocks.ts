const FIRST_BLOCK = 4 * 1024;
const LARGEST_BLOCK = 256 * 1024;

/** Bytes collected in blocks: few enough to be written with few calls, and never moved again. */
export class ByteBlocks {
  length = 0;
  private full: Buffer[] = [];
  private block = Buffer.alloc(0);
  private used = 0;

  append(bytes: Uint8Array): void {
    if (this.used + bytes.length > this.block.length) this.begin(bytes.length);
    this.block.set(bytes, this.used);
    this.used += bytes.length;
    this.length += bytes.length;
  }

  /** Hands the blocks over, in order, and starts again. */
  take(): readonly Buffer[] {
    this.begin(0);
    const blocks = this.full;
    this.full = [];
    this.block = Buffer.alloc(0);
    this.length = 0;
    return blocks;
  }

  private begin(least: number): void {
    if (this.used > 0) this.full.push(this.block.subarray(0, this.used));
    const size = Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, this.length));
    if (least > 0) this.block = Buffer.allocUnsafeSlow(Math.max(least, size));
    this.used = 0;
  }
}
