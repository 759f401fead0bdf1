import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../../src/destinations/parquet/file-lock';
import { createFileStore } from '../../src/destinations/parquet/file-store';

describe('locks between processes', function () {
  this.timeout(60_000);

  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'comporta-lock-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('let one body run at a time, and pass on when a body throws', async () => {
    let inside = 0;
    const bodies = Array.from({ length: 20 }, (_, i) =>
      withFileLock(root, 'a', async () => {
        inside++;
        assert.equal(inside, 1);
        await new Promise(setImmediate);
        inside--;
        if (i % 3 === 0) throw new Error('as planned');
        return i;
      }).catch((error: unknown) => String(error)),
    );
    const results = await Promise.all(bodies);
    assert.equal(results.filter((result) => result === 'Error: as planned').length, 7);
  });

  it('end with the process that holds them, however it ends', async () => {
    const script = `
      const { withFileLock } = require(${JSON.stringify(join(__dirname, '../../src/destinations/parquet/file-lock'))});
      void withFileLock(${JSON.stringify(root)}, 'a', async () => {
        process.stdout.write('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const holder = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', script]);
    await once(holder.stdout, 'data');
    let taken = false;
    const waiting = withFileLock(root, 'a', () => {
      taken = true;
      return Promise.resolve();
    });
    await new Promise(setImmediate);
    assert.equal(taken, false);
    holder.kill('SIGKILL');
    await waiting;
    assert.equal(taken, true);
  });

  it('make replacing a document a matter of one winner', async () => {
    const stores = Array.from({ length: 8 }, () => createFileStore(root));
    let version: string | undefined;
    for (let round = 0; round < 5; round++) {
      const bodies = stores.map((_, i) => Buffer.from(`round ${round} writer ${i}`));
      const won = await Promise.all(
        stores.map((store, i) => store.replace('raw/x.json', bodies[i] ?? Buffer.of(), version)),
      );
      assert.equal(won.filter(Boolean).length, 1);
      const present = await stores[0]?.get('raw/x.json');
      assert.deepEqual(present?.body, bodies[won.indexOf(true)]);
      version = present?.version;
    }
  });
});
