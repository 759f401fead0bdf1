import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import {
  assertOldOrNew,
  assertRecovers,
  changesOf,
  crashContract,
  stateBefore,
} from '../support/crash-contract';
import { load } from '../support/loads';

const KILLED_LOAD = join(__dirname, 'killed-load.ts');

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

  /** Loads in a process of its own, which kills itself; resolves with whether it came to that. */
  async function killed(store: ObjectStore, at: number, moment: 'change' | 'rename') {
    const root = roots.at(-1) ?? '';
    const destination = createParquetDestination(store, { compression: 'snappy' });
    await load(destination, { run: 'r1', table: stateBefore });
    const line = ['--require', 'tsx/cjs', KILLED_LOAD, root, String(at), moment];
    const child = spawn(process.execPath, line, { stdio: 'inherit' });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    await assertOldOrNew(store, 'incremental', `${moment} ${at}`);
    await makeOlder(join(root, '_staging/_documents'));
    return signal === 'SIGKILL';
  }

  /** As if the next load came two minutes later. */
  async function makeOlder(folder: string) {
    const twoMinutesAgo = new Date(Date.now() - 120_000);
    for (const name of await readdir(folder)) {
      await utimes(join(folder, name), twoMinutesAgo, twoMinutesAgo);
    }
  }

  it('by kill -9 at each change of the store', async () => {
    const total = await changesOf(open, 'incremental');
    for (let at = 0; at < total; at++) {
      const store = await open();
      assert.ok(await killed(store, at, 'change'), `change ${at}`);
      await assertRecovers(store, 'incremental');
    }
  });

  it('by kill -9 before each file gets its name', async () => {
    let kills = 0;
    for (; ; kills++) {
      const store = await open();
      if (!(await killed(store, kills, 'rename'))) break;
      await assertRecovers(store, 'incremental');
    }
    assert.ok(kills >= 4, `${kills} kills`);
  });
});
