import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { leaveServer, stopAtTheEnd } from './end-of-process';
import { poll } from './network';
import { descendantsOf, isAlive, signalIfAlive } from './process-table';

/** What to run. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user instead of the caller's; needs root. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerProcessOptions {
  readonly name: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Resolves when the server answers a client; it is tried again while it rejects. */
  readonly ready: () => Promise<unknown>;
  /** Asks the server to shut down and to drop its clients. */
  readonly stopSignal: NodeJS.Signals;
}

/** A server's process, which can come and go while its data stays. */
export interface ServerProcess {
  readonly pid: number | undefined;
  /** Resolves when the server is ready; rejects with the end of its log. */
  start(server: ServerCommand): Promise<void>;
  stop(): Promise<void>;
  kill9(): Promise<void>;
}

/** Milliseconds that a shutdown may take before SIGKILL. */
const stopTimeoutMs = 20_000;

/** Makes a handle for a server; nothing runs before its `start()`. */
export function serverProcess(options: ServerProcessOptions): ServerProcess {
  const { name, logFile, ready, stopSignal } = options;
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = undefined;
    if (ending?.pid === undefined) return;
    await stopProcess(ending.pid, signal);
    await collected(ending);
    leaveServer(ending.pid);
  };

  return {
    get pid() {
      return child?.pid;
    },
    async start(server) {
      const started = await spawnWithLog(server, logFile);
      child = started;
      stopAtTheEnd(started.pid!, stopSignal);
      const giveUp = () => {
        const { exitCode, signalCode } = started;
        if (exitCode === null && signalCode === null) return;
        throw new Error(`it ended with ${signalCode ?? `exit code ${exitCode}`}`);
      };
      try {
        await poll(ready, { giveUp });
      } catch (error) {
        await end('SIGKILL');
        throw new Error(`${name} did not start: ${String(error)}\n${tailOf(logFile)}`, {
          cause: error,
        });
      }
    },
    stop: () => end(stopSignal),
    kill9: () => end('SIGKILL'),
  };
}

/**
 * Ends a process, which need not be a child of this one, and resolves when it and all its
 * children are gone: a database must not be started again while one of them still writes.
 * @param signal first signal; SIGKILL follows after 20 seconds.
 */
export async function stopProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  const family = [pid, ...descendantsOf(pid)];
  // SIGKILL gives the server no chance to end its children.
  const targets = signal === 'SIGKILL' ? family : [pid];
  targets.forEach((target) => signalIfAlive(target, signal));
  const killAt = Date.now() + stopTimeoutMs;
  while (family.some(isAlive)) {
    if (Date.now() >= killAt) family.forEach((target) => signalIfAlive(target, 'SIGKILL'));
    await delay(5);
  }
}

/**
 * Resolves when a child that has ended is no zombie any more. Until then its id answers to
 * signal 0, by which PostgreSQL takes the lock file of a killed server for that of a live one.
 */
async function collected(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  await once(child, 'exit');
}

function spawnWithLog(server: ServerCommand, logFile: string): Promise<ChildProcess> {
  const { command, args, cwd, env, uid, gid } = server;
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, {
    cwd,
    uid,
    gid,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    // A session of its own: Ctrl-C in the terminal reaches this process alone, which then stops
    // the servers after their clients.
    detached: true,
  });
  closeSync(log);
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child));
    child.once('error', reject);
  });
}

function tailOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}
