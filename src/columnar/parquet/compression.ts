import { compressSync } from 'snappy';
import { Compressor } from 'zstd-napi';
import type { Compression } from './format';

/** Compresses one page. The result may share no memory with the input. */
export type PageCompressor = (page: Buffer) => Buffer;

/** `zstdLevel` 1 (fast) to 22 (small), for zstd only. */
export function pageCompressor(compression: Compression, zstdLevel: number): PageCompressor {
  switch (compression) {
    case 'zstd': {
      const compressor = new Compressor();
      compressor.setParameters({ compressionLevel: zstdLevel });
      return (page) => compressor.compress(page);
    }
    case 'snappy':
      // Without a copy the output would live outside V8's heap limits and be freed late.
      return (page) => compressSync(page, { copyOutputData: true });
    case 'none':
      return (page) => page;
  }
}
