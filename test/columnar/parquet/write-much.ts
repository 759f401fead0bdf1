/**
 * Run as a process of its own by memory.test.ts: writes the gigabytes given as its argument to a
 * sink that forgets them, and prints the rows and bytes written and the peak resident memory.
 */
import { ParquetWriter } from '../../../src/columnar/parquet/writer';
import { BatchBuilder } from '../../../src/columnar/vectors';
import { appendRow, column } from '../../support/columns';

const ROWS = 16_384;

async function writeMuch(bytes: number): Promise<void> {
  const columns = [
    column('id', { kind: 'int', bits: 64, signed: true }),
    column('price', { kind: 'decimal', precision: 12, scale: 2 }),
    column('note', { kind: 'text' }),
    column('blob', { kind: 'binary' }),
  ];
  const batch = new BatchBuilder(columns);
  const noise = Buffer.alloc(256, 7);
  for (let i = 0; i < ROWS; i++) {
    const note = `row ${i} `.repeat(20);
    appendRow(batch, [BigInt(i), BigInt(i * 99), i % 5 === 0 ? null : note, noise]);
  }
  const writer = new ParquetWriter({ write: () => Promise.resolve() }, columns, {
    // A row group is then as large in memory as it can be.
    compression: 'none',
  });
  for (let sent = 0; sent < bytes; sent += batch.byteLength) await writer.write(batch);
  const { rows } = await writer.finish();
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(JSON.stringify({ rows, bytes: writer.bytes, peakBytes }));
}

void writeMuch(Number(process.argv[2]) * 1024 ** 3);
