import { createHash } from 'node:crypto';
import { readFooter } from '../../columnar/parquet/footer';
import type { ByteSink } from '../../columnar/parquet/sink';
import type { StagedDataFile } from '../destination';
import type { StagedFile } from './storage';

/** Longer than any footer that is taken in pieces. */
const TAIL_BYTES = 1024 * 1024;

/**
 * A staged file that is measured as it is written: size, checksum, and its end, so that its own
 * footer can be read although a store may not give an unfinished file back.
 */
export class MeasuredFile implements ByteSink {
  bytes = 0;
  private readonly hash = createHash('sha256');
  /** The file's last bytes up to `tailEnd`: its footer, or at least `TAIL_BYTES` of them. */
  private tail: Buffer = Buffer.alloc(0);
  private tailEnd = 0;

  constructor(private readonly staged: StagedFile) {}

  async write(bytes: Buffer, isEnd = false): Promise<void> {
    this.measure(bytes);
    // Nothing else is kept: to copy each byte of a large file for the sake of its last would cost
    // more than to check its sum.
    if (isEnd) this.keepEnd(bytes);
    await this.staged.write(bytes);
  }

  /** Measures bytes that the staged file already has, divided anyhow. */
  take(bytes: Buffer): void {
    this.measure(bytes);
    this.keep(bytes);
  }

  private measure(bytes: Buffer): void {
    this.hash.update(bytes);
    this.bytes += bytes.length;
  }

  /** A small table's footer is a few kilobytes, and a lake has hundreds of small tables. */
  private keepEnd(bytes: Buffer): void {
    this.tail = Buffer.from(bytes);
    this.tailEnd = bytes.length;
  }

  private keep(bytes: Buffer): void {
    if (this.tailEnd + bytes.length > this.tail.length) {
      const kept = this.tail.subarray(Math.max(0, this.tailEnd - TAIL_BYTES), this.tailEnd);
      const needed = kept.length + bytes.length;
      // Twice the tail, so that it moves once in a megabyte; what is not touched takes no memory.
      if (needed > this.tail.length) {
        this.tail = Buffer.allocUnsafeSlow(Math.max(2 * TAIL_BYTES, needed));
      }
      kept.copy(this.tail);
      this.tailEnd = kept.length;
    }
    bytes.copy(this.tail, this.tailEnd);
    this.tailEnd += bytes.length;
  }

  /** Closes the file, and takes its row count from its own footer. */
  async finish(): Promise<StagedDataFile> {
    const receipt = await this.staged.close();
    const tail = this.tail.subarray(0, this.tailEnd);
    const start = this.bytes - tail.length;
    const footer = await readFooter({
      bytes: this.bytes,
      read: (offset, length) =>
        Promise.resolve(tail.subarray(offset - start, offset - start + length)),
    });
    return {
      path: this.staged.path,
      rows: footer.rows,
      bytes: this.bytes,
      sha256: this.hash.digest('hex'),
      nulls: footer.columns.flatMap(({ name, nulls }) =>
        nulls === undefined ? [] : [[name, nulls] as const],
      ),
      receipt,
    };
  }
}
