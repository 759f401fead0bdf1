import type { KernelMemory } from '../../../src/columnar/kernels/memory';

/** Values as they came over the wire, in the kernels' memory, with the views that kernels fill. */
export interface WireColumn {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly count: number;
}

/** Bytes around values, which no kernel may take for a part of them. */
const BETWEEN = Buffer.from('2d99ff003900', 'hex');

/** Lays values out one behind the other with strange bytes between them; null for NULL. */
export function wireColumn(
  memory: KernelMemory,
  values: readonly (Uint8Array | null)[],
): WireColumn {
  const total = values.reduce((sum, value) => sum + (value?.length ?? 0) + BETWEEN.length, 0);
  const bytes = memory.bytes(total + 64);
  bytes.fill(0x39);
  const starts = memory.int32(values.length);
  const ends = memory.int32(values.length);
  let at = 32;
  values.forEach((value, i) => {
    BETWEEN.copy(bytes, at);
    at += BETWEEN.length;
    starts[i] = value === null ? -1 : at;
    if (value === null) return;
    bytes.set(value, at);
    at += value.length;
    ends[i] = at;
  });
  return { bytes, starts, ends, count: values.length };
}

/** The addresses and the count with which nearly every kernel begins. */
export function addresses({ bytes, starts, ends, count }: WireColumn) {
  return [bytes.byteOffset, starts.byteOffset, ends.byteOffset, count] as const;
}

/** Gives a column back, so that a test of many runs needs the memory of one. */
export function release(memory: KernelMemory, views: readonly ArrayBufferView[]): void {
  for (const view of views) memory.release(view);
}

/** 16 bytes each, big-endian two's complement. */
export function wideValues(bytes: Buffer, count: number): bigint[] {
  return Array.from(
    { length: count },
    (_, i) => (bytes.readBigInt64BE(16 * i) << 64n) | bytes.readBigUInt64BE(16 * i + 8),
  );
}
