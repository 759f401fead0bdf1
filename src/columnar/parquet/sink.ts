/**
 * Where a writer's bytes go, in order. From the call on the bytes belong to the sink: the caller
 * changes them no more. `write` resolves when the sink can take the next ones.
 */
export interface ByteSink {
  write(bytes: Buffer): Promise<void>;
}

const PIECE_BYTES = 256 * 1024;

/** Hands small pieces on together: what lies behind may take a system call for each. */
export class GatheringSink implements ByteSink {
  private pieces: Buffer[] = [];
  private held = 0;

  constructor(private readonly target: ByteSink) {}

  async write(bytes: Buffer): Promise<void> {
    this.pieces.push(bytes);
    this.held += bytes.length;
    if (this.held >= PIECE_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const [first] = this.pieces;
    if (first === undefined) return;
    const piece = this.pieces.length === 1 ? first : Buffer.concat(this.pieces, this.held);
    this.pieces = [];
    this.held = 0;
    await this.target.write(piece);
  }
}
