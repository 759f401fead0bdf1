import { HEAP, type Allocator } from '../../../columnar/allocator';
import { ComportaError } from '../../../errors';
import type { Receiver } from './transport';

/** Bytes of an answer that are held at a time, as long as no row is larger. */
export const BUFFER_BYTES = 1024 * 1024;

/** With less room than this in front of it a reading of the socket would not be worth its while. */
const LEAST_ROOM = 64 * 1024;

/**
 * No packet that a server is allowed to send is longer than 1 GiB:
 * https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_allowed_packet
 */
const LARGEST_BYTES = 1024 * 1024 * 1024 + 2 * LEAST_ROOM;

/**
 * The bytes of an answer that have come and that nobody has taken yet: those of `bytes` from
 * `begin` up to `fill`. They come only while somebody waits in `until`; in between the socket is
 * paused and everything stays where it is.
 */
export class Incoming implements Receiver {
  bytes: Buffer;
  begin = 0;
  fill = 0;
  private readonly usual: Buffer;
  private isEnough: (() => boolean) | undefined;
  private wake: () => void = () => undefined;
  private failure: ComportaError | undefined;

  constructor(
    private readonly resume: () => void,
    private readonly usualBytes = BUFFER_BYTES,
    private readonly memory: Allocator = HEAP,
    private readonly largestBytes = LARGEST_BYTES,
  ) {
    this.usual = memory.bytes(usualBytes);
    this.bytes = this.usual;
  }

  /** Whether a piece should end here, because what follows would need another place. */
  get isFull(): boolean {
    return this.bytes.length - this.fill < this.leastRoom;
  }

  private get leastRoom(): number {
    return Math.min(LEAST_ROOM, this.usualBytes >> 2);
  }

  space(): Uint8Array | undefined {
    return this.isEnough === undefined ? undefined : this.bytes.subarray(this.fill);
  }

  received(count: number): boolean {
    this.fill += count;
    if (this.isEnough?.() === false && !this.isFull) return true;
    this.isEnough = undefined;
    this.wake();
    return false;
  }

  /**
   * Lets bytes come until there are enough. `isEnough` is asked after each arrival, takes what it
   * can by moving `begin`, and must not throw. Rejects with what `fail` was called with.
   */
  async until(isEnough: () => boolean): Promise<void> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure;
      if (isEnough()) return;
      if (this.isFull) this.makeRoom();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.isEnough = isEnough;
        this.resume();
      });
    }
  }

  /** Ends the waiting, now or when it begins. */
  fail(error: ComportaError): void {
    this.failure ??= error;
    this.isEnough = undefined;
    this.wake();
  }

  throwFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /**
   * Nobody looks at what lies before `begin` any more. A buffer that has grown for a large row is
   * given up, and what is left over is moved to the front where it stands too far behind.
   */
  release(): void {
    const left = this.fill - this.begin;
    if (this.bytes !== this.usual && left <= this.usualBytes >> 1) this.move(this.usual);
    else if (left === 0 || this.bytes.length - this.fill < this.bytes.length >> 1) {
      this.move(this.bytes);
    }
  }

  /** Gives its memory back: nothing may come any more, and nobody may look at what came. */
  dispose(): void {
    if (this.bytes !== this.usual) this.memory.release(this.bytes);
    this.memory.release(this.usual);
  }

  private makeRoom(): void {
    const left = this.fill - this.begin;
    const wanted = Math.max(left + this.leastRoom, this.packetLength());
    const length = this.bytes.length;
    if (wanted <= length) return this.move(this.bytes);
    if (wanted > this.largestBytes) {
      throw new ComportaError('SourceInterrupted', 'MySQL sent a row longer than any may be');
    }
    this.move(this.memory.bytes(Math.min(this.largestBytes, Math.max(wanted, 2 * length))));
  }

  /** Bytes of the packet at `begin` and of the header after it. */
  private packetLength(): number {
    return this.fill - this.begin < 4 ? 0 : this.bytes.readUIntLE(this.begin, 3) + 8;
  }

  private move(target: Buffer): void {
    this.bytes.copy(target, 0, this.begin, this.fill);
    this.fill -= this.begin;
    this.begin = 0;
    if (this.bytes !== target && this.bytes !== this.usual) this.memory.release(this.bytes);
    this.bytes = target;
  }
}
