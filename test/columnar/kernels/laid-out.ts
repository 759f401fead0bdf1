import type { KernelMemory } from '../../../src/columnar/kernels/memory';

/** Byte strings in the kernels' memory, anywhere and in any order. */
export interface LaidOut {
  readonly data: Buffer;
  readonly starts: Int32Array<ArrayBuffer>;
  readonly ends: Int32Array<ArrayBuffer>;
}

/** Bytes behind a value, none of which may count as one of its own; they differ from value to value. */
const FOLLOWING = 19;

/** Lays values out from the last to the first, with strange bytes behind each. */
export function laidOut(memory: KernelMemory, values: readonly Uint8Array[]): LaidOut {
  const total = values.reduce((sum, value) => sum + value.length + FOLLOWING, 0);
  const data = memory.bytes(total + 1);
  const starts = memory.int32(values.length);
  const ends = memory.int32(values.length);
  let at = 1;
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i]!;
    starts[i] = at;
    data.set(value, at);
    at += value.length;
    ends[i] = at;
    data.fill((i * 37) & 0xff, at, at + FOLLOWING);
    at += FOLLOWING;
  }
  return { data, starts, ends };
}

export function releaseAll(memory: KernelMemory, views: readonly ArrayBufferView[]): void {
  for (const view of views) memory.release(view);
}
