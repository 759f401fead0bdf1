import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while no other process runs its own under the same lock; waits for as long as that
 * takes. A lock whose holder has died is taken over.
 * @param {string} directory where the lock file lies; made if absent.
 * @param {string} name of the lock.
 * @template Result
 * @param {() => Result} work
 * @returns {Promise<Result>}
 */
export async function withLock(directory, name, work) {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.lock`);
  while (!take(file)) await delay(100);
  try {
    return work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  // Linked into place, so that the lock never exists without its holder's id in it.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    removeIfAbandoned(file);
    return false;
  } finally {
    rmSync(own);
  }
}

function removeIfAbandoned(file) {
  const holder = holderOf(file);
  if (holder === undefined || isAlive(holder)) return;
  // Aside first, and looked at again: between the look and the removal another process may have
  // done the same and taken the lock.
  const aside = `${file}.${process.pid}.old`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (holderOf(aside) === holder) rmSync(aside);
  else renameSync(aside, file);
}

/** Undefined when the lock is gone. */
function holderOf(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
