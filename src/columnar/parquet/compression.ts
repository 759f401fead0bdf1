import { compressSync } from 'snappy';
import { CCtx, compressBound, CParameter } from 'zstd-napi/binding';
import { HEAP, type Allocator } from '../allocator';
import type { Compression } from './format';

/** Compresses one page. The result is good until the next call, and may be the input itself. */
export type PageCompressor = (page: Buffer, content?: PageContent) => Buffer;

/** `prose`: texts of some length, in which words come again at any distance. */
export type PageContent = 'values' | 'prose';

/** Memory of a compressor that is kept from page to page; a huge page takes its own. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** `zstdLevel` 1 (fast) to 22 (small), for zstd only. Results lie where the allocator has room. */
export function pageCompressor(
  compression: Compression,
  zstdLevel: number,
  allocator: Allocator,
): PageCompressor {
  switch (compression) {
    case 'zstd':
      return zstdCompressor(zstdLevel, allocator);
    case 'snappy':
      // Without a copy the output would live outside V8's heap limits and be freed late.
      return (page) => compressSync(page, { copyOutputData: true });
    case 'none':
      return (page) => page;
  }
}

/**
 * Level 1 looks for repetitions in a table of 2^14 places, from the times of small caches. With twice
 * as many, English text became 3 % smaller in 9 % less time; other columns changed by less than that
 * either way. With four times as many, 4 % and 12 %, but random keys took a quarter longer. A short
 * page takes a smaller table by itself.
 *
 * In prose it also looks at every third place instead of every second, and leaves the letters between
 * repetitions as they are (a target length above 0 means both to zstd's fast strategy): 10 to 15 %
 * less time for the 3 % in size that the larger table had won. Short values grew by a quarter.
 */
const LEVEL_1: Readonly<
  Record<PageContent, { readonly hashLog: number; readonly targetLength: number }>
> = {
  values: { hashLog: 15, targetLength: 0 },
  prose: { hashLog: 16, targetLength: 2 },
};

/** By the binding itself: the package's Compressor makes a new buffer for every page. */
function zstdCompressor(level: number, allocator: Allocator): PageCompressor {
  const context = new CCtx();
  context.setParameter(CParameter.compressionLevel, level);
  let present: PageContent | undefined;
  const tune = (content: PageContent) => {
    if (level !== 1 || content === present) return;
    context.setParameter(CParameter.hashLog, LEVEL_1[content].hashLog);
    context.setParameter(CParameter.targetLength, LEVEL_1[content].targetLength);
    present = content;
  };
  let kept: Buffer | undefined;
  const roomFor = (bound: number): Buffer => {
    if (bound > KEPT_BYTES) return HEAP.bytes(bound);
    if (kept === undefined || kept.length < bound) {
      if (kept !== undefined) allocator.release(kept);
      kept = allocator.bytes(bound);
    }
    return kept;
  };
  return (page, content = 'values') => {
    tune(content);
    const target = roomFor(compressBound(page.length));
    return target.subarray(0, context.compress2(target, page));
  };
}
