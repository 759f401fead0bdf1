import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ComportaError } from '../../errors';
import type { Allocator } from '../allocator';
import type { Kernels } from './kernels';

const PAGE_BYTES = 65_536;
/** 1 GiB of addresses; only what is written to becomes memory. As scripts/kernels.mjs has it. */
const PAGES = 16_384;
/** Below lies nothing; the address 0 is never given out. */
const FIRST_ADDRESS = PAGE_BYTES;
const SMALLEST_BYTES = 256;
/** Kernels read and write a few bytes beyond what they are given. */
const SLACK_BYTES = 32;

let compiled: WebAssembly.Module | undefined;

/**
 * The memory in which one load's columns lie, with the kernels that work in it. It never grows, so
 * that views of it stay good for its life; all of it is freed with the object.
 */
export class KernelMemory implements Allocator {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  /** For small results of kernels: 64 bytes. */
  readonly state: Int32Array<ArrayBuffer>;
  private readonly first: number;
  private next = FIRST_ADDRESS;
  private highest = FIRST_ADDRESS;
  /** Places given back, by the binary logarithm of their size. */
  private readonly free: number[][] = [];

  constructor() {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    compiled ??= new WebAssembly.Module(readFileSync(join(__dirname, 'kernels.wasm')));
    const imports = { env: { memory } };
    this.kernels = new WebAssembly.Instance(compiled, imports).exports as Kernels;
    this.buffer = memory.buffer;
    this.state = this.int32(16);
    this.first = this.next;
  }

  /**
   * The address of a place of at least so many bytes. What lies there is undefined. Throws
   * ValueUnfaithful when there is no more: rows of hundreds of megabytes.
   */
  private allocate(bytes: number): number {
    const size = sizeClass(bytes);
    const known = this.free[size]?.pop();
    if (known !== undefined) return known;
    const address = this.next;
    if (address + 2 ** size > PAGES * PAGE_BYTES) {
      throw new ComportaError('ValueUnfaithful', 'the table has rows too large for this engine', {
        remedy: 'leave the column with the huge values out with excludeColumns',
      });
    }
    this.next += 2 ** size;
    this.highest = Math.max(this.highest, this.next);
    return address;
  }

  release(buffer: ArrayBufferView): void {
    (this.free[sizeClass(buffer.byteLength)] ??= []).push(buffer.byteOffset);
  }

  /** Takes everything back: nothing that it gave out may be used any more. */
  reset(): void {
    this.next = this.first;
    this.free.length = 0;
  }

  /** Bytes that have been given out at one time, and are therefore real memory. */
  get touched(): number {
    return this.highest - FIRST_ADDRESS;
  }

  /** Whether a view's bytes lie in this memory, where its `byteOffset` is its address. */
  holds(view: ArrayBufferView): boolean {
    return view.buffer === this.buffer;
  }

  bytes(length: number): Buffer<ArrayBuffer> {
    return Buffer.from(this.buffer, this.allocate(length), length);
  }

  uint8(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, this.allocate(length), length);
  }

  int32(length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.buffer, this.allocate(length * 4), length);
  }

  float32(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.buffer, this.allocate(length * 4), length);
  }

  float64(length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.buffer, this.allocate(length * 8), length);
  }

  int64(length: number): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.buffer, this.allocate(length * 8), length);
  }
}

/** Powers of two, so that any place given back serves any later need of its class. */
function sizeClass(bytes: number): number {
  return Math.ceil(Math.log2(Math.max(SMALLEST_BYTES, bytes + SLACK_BYTES)));
}
