import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { openSqliteHistory } from '../../src/history/sqlite';
import { temporaryFolder } from './sqlite-store';

const CHILD = join(__dirname, 'sqlite-child.ts');

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

async function child(...args: string[]): Promise<Ended> {
  const running = spawn(process.execPath, ['--require', 'tsx/cjs', CHILD, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code, signal], errors] = await Promise.all([
    once(running, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    text(running.stderr),
  ]);
  return { code, signal, errors };
}

describe('SQLite history with several processes', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'new', 'history.db');
  });

  afterEach(() => folder.remove());

  it('loses nothing of what four append at once to a new file, and lets one at a time into a lease', async () => {
    const names = ['w', 'x', 'y', 'z'];
    const rounds = 100;
    const children = await Promise.all(
      names.map((name) => child('contend', path, name, String(rounds))),
    );
    for (const { code, errors } of children) assert.strictEqual(code, 0, errors);

    const history = await openSqliteHistory(path);
    const events = await history.events({ pipeline: 'sales', limit: 10_000 });
    assert.strictEqual(new Set(events.map(({ id }) => id)).size, names.length * rounds * 2);

    // Oldest first: each entry into the lease is followed by its own end, and fences grow.
    const marks = (await history.events({ pipeline: 'marks', limit: 10_000 })).toReversed();
    assert.strictEqual(marks.length, names.length * rounds * 2);
    let lastFence = 0;
    for (let i = 0; i < marks.length; i += 2) {
      const [started, ended] = [marks[i], marks[i + 1]];
      assert.deepStrictEqual([started?.kind, ended?.kind], ['STARTED', 'SUCCEEDED']);
      assert.strictEqual(started?.run, ended?.run);
      assert.ok(Number(started?.workflowId) > lastFence);
      lastFence = Number(started?.workflowId);
    }
    await history.close();
  }).timeout(180_000);

  it('keeps a success whose process is killed the moment it is recorded', async () => {
    const { signal, errors } = await child('succeed-and-die', path);
    assert.strictEqual(signal, 'SIGKILL', errors);
    const history = await openSqliteHistory(path);
    const state = (await history.states('sales')).get('orders');
    assert.strictEqual(state?.lastSuccess?.batch, 'b1');
    await history.close();
  });
});
