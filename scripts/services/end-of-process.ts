import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { descendantsOf, isAlive, signalIfAlive } from './process-table';

/** Milliseconds for the servers to shut down when this process ends with them still running. */
const patienceMs = 5_000;

const servers = new Map<number, NodeJS.Signals>();
const directories = new Set<string>();
const commands = new Map<string, readonly string[]>();
let watching = false;

/** Has the process `pid` stopped when this process ends, however that happens (except SIGKILL). */
export function stopAtTheEnd(pid: number, stopSignal: NodeJS.Signals): void {
  servers.set(pid, stopSignal);
  watchForTheEnd();
}

/** Has a folder removed when this process ends, after the servers. */
export function removeAtTheEnd(directory: string): void {
  directories.add(directory);
  watchForTheEnd();
}

/**
 * Has a command run when this process ends.
 * @param key what {@link leaveCommand} takes to forget it.
 */
export function runAtTheEnd(key: string, command: readonly string[]): void {
  commands.set(key, command);
  watchForTheEnd();
}

/** Forgets a server that has stopped, or that shall outlive this process. */
export function leaveServer(pid: number): void {
  servers.delete(pid);
}

/** Forgets a folder that is gone, or that shall outlive this process. */
export function leaveDirectory(directory: string): void {
  directories.delete(directory);
}

/** Forgets a command that is not needed any more. */
export function leaveCommand(key: string): void {
  commands.delete(key);
}

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.once('exit', cleanUp);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const onSignal = () => {
      // Somebody else who listens wants to finish first, perhaps with the help of these servers;
      // what is left then ends with the process.
      if (process.listenerCount(signal) > 1) return;
      cleanUp();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}

/** Synchronous, because nothing asynchronous runs once a process has begun to exit. */
function cleanUp(): void {
  const family = [...servers.keys()].flatMap((pid) => [pid, ...descendantsOf(pid)]);
  servers.forEach((stopSignal, pid) => signalIfAlive(pid, stopSignal));
  const killAt = Date.now() + patienceMs;
  while (Date.now() < killAt && family.some(isAlive)) pause(10);
  family.forEach((pid) => signalIfAlive(pid, 'SIGKILL'));
  directories.forEach((directory) =>
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  );
  commands.forEach(([program, ...args]) => spawnSync(program!, args, { stdio: 'ignore' }));
  servers.clear();
  directories.clear();
  commands.clear();
}

/** Blocks the thread. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
