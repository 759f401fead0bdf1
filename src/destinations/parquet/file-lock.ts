import type { Database } from 'libsql';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ComportaError } from '../../errors';

const LOCKS = 64;
const PATIENCE_MS = 30_000;
const LONGEST_PAUSE_MS = 20;

/**
 * Runs `body` alone among all processes that use this lake on this machine. Node cannot lock a
 * file, SQLite can: the lock is the kernel's (fcntl), so it ends with its process however that
 * ends, and nobody has to guess whether a lock file is stale. The lock files stay empty; a path
 * hashes to one of 64. Bodies take milliseconds, hence the short pauses: there is nothing to await.
 */
export async function withFileLock<Result>(
  root: string,
  path: string,
  body: () => Promise<Result>,
): Promise<Result> {
  const folder = join(root, '_locks');
  await mkdir(folder, { recursive: true });
  const digest = createHash('sha256').update(path).digest();
  // Loaded when it is needed: threads that only move rows never lock.
  const { default: Sqlite } = await import('libsql');
  const database = new Sqlite(join(folder, String(digest.readUInt32BE(0) % LOCKS)), {
    timeout: 0,
  });
  try {
    await lock(database, path);
    return await body();
  } finally {
    database.close();
  }
}

async function lock(database: Database, path: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error;
      if (Date.now() > deadline) {
        throw new ComportaError('DestinationFailed', `the lock for ${path} was not free in time`, {
          remedy: 'look for a worker that hangs while it publishes',
        });
      }
    }
    await delay(pause * (0.5 + Math.random()));
  }
}
