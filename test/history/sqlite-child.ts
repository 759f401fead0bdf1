import { event } from './events';
import type { History, Lease } from '../../src/history/history';
import { openSqliteHistory } from '../../src/history/sqlite';

/**
 * One of several processes on one history. Appends `rounds` events in its own name, and in each
 * round enters the one lease: what it does there is between two marks in the history.
 */
async function contend(path: string, name: string, rounds: number): Promise<void> {
  const history = await openSqliteHistory(path);
  for (let round = 0; round < rounds; round++) {
    await history.append([
      event('SKIPPED', `${name}-${round}`, 'a'),
      event('SKIPPED', `${name}-${round}`, 'b'),
    ]);
    const owner = `${name}-${round}`;
    const lease = await untilAcquired(history, owner);
    const mark = { pipeline: 'marks', workflowId: String(lease.fence) };
    await history.append([event('STARTED', 't', owner, mark)]);
    await lease.renew();
    await lease.assertHeld();
    await history.append([event('SUCCEEDED', 't', owner, mark)]);
    await lease.release();
  }
  await history.close();
}

async function untilAcquired(history: History, owner: string): Promise<Lease> {
  for (;;) {
    const request = { pipeline: 'sales', table: 't', owner, ttlMs: 60_000 };
    const lease = await history.acquireLease(request);
    if (lease !== undefined) return lease;
  }
}

/** Dies without a chance to clean up, right after the append said that it was done. */
async function succeedAndDie(path: string): Promise<void> {
  const history = await openSqliteHistory(path);
  await history.append([event('SUCCEEDED', 'orders', 'b1')]);
  process.kill(process.pid, 'SIGKILL');
}

const [, , task, path = '', name = '', rounds = ''] = process.argv;
void (task === 'contend' ? contend(path, name, Number(rounds)) : succeedAndDie(path));
