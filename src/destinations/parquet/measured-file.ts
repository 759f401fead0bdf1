import { createHash } from 'node:crypto';
import { readFooter } from '../../columnar/parquet/footer';
import type { ByteSink } from '../../columnar/parquet/sink';
import type { StagedDataFile } from '../destination';
import type { StagedFile } from './storage';

const TAIL_BYTES = 64 * 1024;

/**
 * A staged file that is measured as it is written: size, checksum, and its end, so that its own
 * footer can be read although a store may not give an unfinished file back.
 */
export class MeasuredFile implements ByteSink {
  bytes = 0;
  private readonly hash = createHash('sha256');
  private tail: Buffer[] = [];
  private tailBytes = 0;

  constructor(private readonly staged: StagedFile) {}

  async write(bytes: Buffer): Promise<void> {
    this.take(bytes);
    await this.staged.write(bytes);
  }

  /** Measures bytes that the staged file already has. */
  take(bytes: Buffer): void {
    this.hash.update(bytes);
    this.bytes += bytes.length;
    this.tail.push(bytes);
    this.tailBytes += bytes.length;
    // The writer hands the footer over in one piece, so the last piece always holds it whole.
    while (this.tailBytes - (this.tail[0]?.length ?? 0) >= TAIL_BYTES) {
      this.tailBytes -= this.tail.shift()?.length ?? 0;
    }
  }

  /** Closes the file, and takes its row count from its own footer. */
  async finish(): Promise<StagedDataFile> {
    const receipt = await this.staged.close();
    const tail = Buffer.concat(this.tail);
    this.tail = [];
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
