import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import {
  assertOldOrNew,
  assertRecovers,
  changesOf,
  crashContract,
  stateBefore,
} from '../support/crash-contract';
import { load } from '../support/loads';

describe('a load that is interrupted', function () {
  this.timeout(180_000);

  const roots: string[] = [];
  const open = async () => {
    const root = await mkdtemp(join(tmpdir(), 'comporta-crash-'));
    roots.push(root);
    return createFileStore(root);
  };
  afterEach(async () => {
    for (const root of roots.splice(0)) await rm(root, { recursive: true });
  });

  crashContract(open);

  it('by kill -9 at each change of the store', async () => {
    const total = await changesOf(open, 'incremental');
    for (let at = 0; at < total; at++) {
      const store = await open();
      const root = roots.at(-1) ?? '';
      const destination = createParquetDestination(store, { compression: 'snappy' });
      await load(destination, { run: 'r1', table: stateBefore });
      const script = join(__dirname, 'killed-load.ts');
      const child = spawn(process.execPath, ['--require', 'tsx/cjs', script, root, String(at)], {
        stdio: 'inherit',
      });
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL', `change ${at}`);
      await assertOldOrNew(store, 'incremental', `change ${at}`);
      await assertRecovers(store, 'incremental');
    }
  });
});
