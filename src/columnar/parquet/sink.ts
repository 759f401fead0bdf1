import type { Allocator } from '../allocator';

/**
 * Where a writer's bytes go, in order. `write` resolves when the sink can take the next ones; until
 * then the bytes are the sink's, after that the caller's again, who may change them.
 */
export interface ByteSink {
  /** `isEnd` with the file's last bytes, which hold its footer whole. */
  write(bytes: Buffer, isEnd?: boolean): Promise<void>;
}

const PIECE_BYTES = 256 * 1024;

/**
 * Hands small pieces on together: what lies behind may take a system call for each. A piece is never
 * divided.
 */
export class GatheringSink {
  private readonly gathered: Buffer;
  private held = 0;

  constructor(
    private readonly target: ByteSink,
    private readonly allocator: Allocator,
  ) {
    this.gathered = allocator.bytes(PIECE_BYTES);
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.held + bytes.length > PIECE_BYTES) await this.flush();
    if (bytes.length >= PIECE_BYTES / 2) {
      await this.flush();
      await this.target.write(bytes);
    } else {
      bytes.copy(this.gathered, this.held);
      this.held += bytes.length;
    }
  }

  /** Writes the last bytes, behind all that is held. */
  async end(bytes: Buffer): Promise<void> {
    if (this.held + bytes.length > PIECE_BYTES) await this.flush();
    if (this.held === 0) return this.target.write(bytes, true);
    bytes.copy(this.gathered, this.held);
    const piece = this.gathered.subarray(0, this.held + bytes.length);
    this.held = 0;
    await this.target.write(piece, true);
  }

  /** Gives its memory back; nothing may be written any more. */
  release(): void {
    this.allocator.release(this.gathered);
  }

  private async flush(): Promise<void> {
    if (this.held === 0) return;
    const piece = this.gathered.subarray(0, this.held);
    this.held = 0;
    await this.target.write(piece);
  }
}
