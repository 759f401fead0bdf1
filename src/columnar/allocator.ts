/** Where buffers come from. What a new one holds is undefined. */
export interface Allocator {
  bytes(length: number): Buffer<ArrayBuffer>;
  uint8(length: number): Uint8Array<ArrayBuffer>;
  int32(length: number): Int32Array<ArrayBuffer>;
  float32(length: number): Float32Array<ArrayBuffer>;
  float64(length: number): Float64Array<ArrayBuffer>;
  int64(length: number): BigInt64Array<ArrayBuffer>;
  /** Takes a buffer back that it gave out; nobody may use it any more. */
  release(buffer: ArrayBufferView): void;
}

/** JavaScript's own memory, where the garbage collector takes buffers back. */
export const HEAP: Allocator = {
  bytes: (length) => Buffer.allocUnsafeSlow(length),
  uint8: (length) => new Uint8Array(length),
  int32: (length) => new Int32Array(length),
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  int64: (length) => new BigInt64Array(length),
  release: () => undefined,
};
