/**
 * Collects bytes into parts of one size, in buffers that are used again: a file of any length needs
 * one more than are on their way.
 */
export class PartBuffers {
  private readonly free: Buffer[] = [];
  private filling: Buffer | undefined;
  private filled = 0;

  constructor(private readonly partBytes: number) {}

  get isEmpty(): boolean {
    return this.filled === 0;
  }

  get isFull(): boolean {
    return this.filled === this.partBytes;
  }

  /** Copies from `bytes` as much as fits into the part and returns how much that was. */
  fill(bytes: Buffer, start: number): number {
    // Untouched memory costs nothing, so a small file's buffer is as small as the file.
    this.filling ??= this.free.pop() ?? Buffer.allocUnsafeSlow(this.partBytes);
    const copied = bytes.copy(this.filling, this.filled, start);
    this.filled += copied;
    return copied;
  }

  /** The part as far as it is filled; it is the taker's until given back. */
  take(): Buffer {
    const part = (this.filling ?? Buffer.alloc(0)).subarray(0, this.filled);
    this.filling = undefined;
    this.filled = 0;
    return part;
  }

  giveBack(part: Buffer): void {
    if (part.length === this.partBytes) this.free.push(part);
  }
}
