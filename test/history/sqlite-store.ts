import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteHistory } from '../../src/history/sqlite';
import type { HistoryStore } from './contract';

/** A new folder of its own for one test. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'comporta-history-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function newSqliteStore(): Promise<HistoryStore> {
  const folder = await temporaryFolder();
  let elapsed = 0;
  return {
    open: () =>
      openSqliteHistory(join(folder.path, 'history.db'), { now: () => Date.now() + elapsed }),
    elapse(milliseconds) {
      elapsed += milliseconds;
      return Promise.resolve();
    },
    dispose: () => folder.remove(),
  };
}
