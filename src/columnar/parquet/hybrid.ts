import type { Kernels } from '../kernels/kernels';
import type { PageBuffer } from './page-buffer';

/**
 * The RLE/bit-packed hybrid in which Parquet writes dictionary indexes: runs of equal values as
 * their length and value, everything else packed eight values to a group.
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */

/** Values of one packed group; a run is worth its header from here on. */
const GROUP = 8;
/** Header of a run and its value, and header of the packed values behind it, at most. */
const RUN_OVERHEAD = 16;

/**
 * Bits that hold every index below `size`. At least one: some readers stumble over none, and
 * Arrow's writer avoids it too.
 */
export function bitWidth(size: number): number {
  return Math.max(1, 32 - Math.clz32(size - 1));
}

/** Appends the first `count` indexes with `width` (1 to 32) bits each. Every index fits its bits. */
export function appendHybrid(
  kernels: Kernels,
  page: PageBuffer,
  indexes: Int32Array,
  count: number,
  width: number,
  column: string,
): void {
  page.reserve(Math.ceil(count / GROUP) * (width + RUN_OVERHEAD) + RUN_OVERHEAD, column);
  const address = indexes.byteOffset;
  const pack = (from: number, end: number) => {
    const groups = Math.ceil((end - from) / GROUP);
    appendVarint(page, groups * 2 + 1);
    kernels.pack(address, from, end, width, page.address);
    page.length += groups * width;
  };
  // Looking for runs costs more than it saves where neighbours seldom agree.
  if (count === 0 || kernels.countRepeats(address, count) * 2 < count) {
    if (count > 0) pack(0, count);
    return;
  }
  let packedFrom = 0;
  for (let i = 0; i < count;) {
    const end = i + kernels.runLength(address, i, count);
    // A run may begin only where a packed group ends.
    const start = packedFrom + Math.ceil((i - packedFrom) / GROUP) * GROUP;
    if (end - start >= GROUP) {
      if (start > packedFrom) pack(packedFrom, start);
      appendVarint(page, (end - start) * 2);
      for (let bits = 0; bits < width; bits += 8) appendByte(page, indexes[i]! >>> bits);
      packedFrom = end;
    }
    i = end;
  }
  if (packedFrom < count) pack(packedFrom, count);
}

function appendVarint(page: PageBuffer, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    appendByte(page, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  appendByte(page, rest);
}

function appendByte(page: PageBuffer, value: number): void {
  page.bytes[page.end] = value;
  page.length += 1;
}
