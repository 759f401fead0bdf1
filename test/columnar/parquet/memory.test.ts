import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Written {
  readonly rows: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

const MIB = 1024 * 1024;

async function writtenInOwnProcess(gigabytes: number): Promise<Written> {
  const script = join(__dirname, 'write-much.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--require',
    'tsx/cjs',
    script,
    String(gigabytes),
  ]);
  return JSON.parse(stdout) as Written;
}

describe('memory of the Parquet writer', () => {
  it('stays under 400 MiB while 2 GiB pass through', async () => {
    const { rows, peakBytes } = await writtenInOwnProcess(2);
    assert.ok(rows > 5_000_000, `${rows} rows`);
    assert.ok(peakBytes < 400 * MIB, `${Math.round(peakBytes / MIB)} MiB`);
  }).timeout(180_000);
});
