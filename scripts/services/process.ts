import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { poll } from './network';

/** What to run and how to tell that it is ready. */
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
  /** Asks the server to shut down and to drop its clients. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds that a shutdown may take before SIGKILL. Default: 20,000. */
  readonly stopTimeoutMs?: number;
  /** Milliseconds that a start may take. Default: 60,000. */
  readonly startTimeoutMs?: number;
  /** Folder that dies with the server if this process ends without stopping it. */
  readonly disposableDirectory?: string;
}

/** A server's process, which can come and go while its data stays. */
export interface ServerProcess {
  readonly pid: number | undefined;
  start(server: ServerCommand): Promise<void>;
  stop(): Promise<void>;
  kill9(): Promise<void>;
}

interface Survivor {
  readonly pid: number;
  readonly stopSignal: NodeJS.Signals;
  readonly disposableDirectory: string | undefined;
}

/** Milliseconds for the servers to shut down when this process ends with them still running. */
const atTheEndMs = 5_000;

const survivors = new Map<number, Survivor>();
let watchingForTheEnd = false;

/** Leaves the server with this process id running when this process ends. */
export function leaveRunning(pid: number): void {
  survivors.delete(pid);
}

/** Makes a handle for a server; nothing runs before its `start()`. */
export function serverProcess(options: ServerProcessOptions): ServerProcess {
  const { name, logFile, ready, disposableDirectory, stopSignal = 'SIGTERM' } = options;
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = undefined;
    if (ending?.pid === undefined) return;
    const family = [ending.pid, ...descendantsOf(ending.pid)];
    // SIGKILL gives the server no chance to end its children, and a database must not be started
    // again while one of them still writes.
    const targets = signal === 'SIGKILL' ? family : [ending.pid];
    targets.forEach((pid) => signalIfAlive(pid, signal));
    await waitForExit(family, options.stopTimeoutMs);
    survivors.delete(ending.pid);
  };

  return {
    get pid() {
      return child?.pid;
    },
    async start(server) {
      child = await spawnWithLog(server, logFile);
      const started = child;
      const pid = started.pid!;
      stopAtTheEnd({ pid, stopSignal, disposableDirectory });
      try {
        await poll(ready, {
          timeoutMs: options.startTimeoutMs,
          giveUp: () => {
            const { exitCode, signalCode } = started;
            if (exitCode === null && signalCode === null) return;
            throw new Error(`${name} ended with ${signalCode ?? `exit code ${exitCode}`}`);
          },
        });
      } catch (error) {
        await end('SIGKILL');
        throw new Error(`${name} did not start: ${String(error)}\n${logTail(logFile)}`, {
          cause: error,
        });
      }
    },
    stop: () => end(stopSignal),
    kill9: () => end('SIGKILL'),
  };
}

/**
 * Ends the process `pid`, which need not be a child of this one, and resolves when it is gone.
 * @param stopSignal first signal; SIGKILL follows after 20 seconds.
 */
export async function stopProcess(pid: number, stopSignal: NodeJS.Signals): Promise<void> {
  const family = [pid, ...descendantsOf(pid)];
  signalIfAlive(pid, stopSignal);
  await waitForExit(family);
}

/** Command line of a running process, undefined when there is none with this id. */
export function commandLineOf(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return undefined;
  }
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

async function waitForExit(pids: readonly number[], patienceMs = 20_000): Promise<void> {
  const anyAlive = () => pids.some(isAlive);
  const killAt = Date.now() + patienceMs;
  let killed = false;
  while (anyAlive()) {
    if (!killed && Date.now() >= killAt) {
      pids.forEach((pid) => signalIfAlive(pid, 'SIGKILL'));
      killed = true;
    }
    await delay(5);
  }
}

/** Whether a process exists and is not a zombie that only waits to be collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !stateOf(pid).startsWith('Z');
}

/** State letter of an existing process, `Z` for a zombie; or one that is gone by now. */
function stateOf(pid: number): string {
  try {
    // Field 3, after the name in parentheses: proc(5).
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop() ?? '';
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return 'Z';
  }
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function descendantsOf(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const parents = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const childrenOf = (parent: number): number[] =>
    parents
      .filter(([, itsParent]) => itsParent === parent)
      .flatMap(([child]) => [child, ...childrenOf(child)]);
  return childrenOf(pid);
}

function logTail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
}

function stopAtTheEnd(survivor: Survivor): void {
  survivors.set(survivor.pid, survivor);
  if (watchingForTheEnd) return;
  watchingForTheEnd = true;
  process.once('exit', endSurvivors);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const onSignal = () => {
      // Somebody else who listens wants to finish first, perhaps with the help of these servers;
      // what is left then ends with the process.
      if (process.listenerCount(signal) > 1) return;
      endSurvivors();
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}

/** Synchronous, because nothing asynchronous runs once a process has begun to exit. */
function endSurvivors(): void {
  const ending = [...survivors.values()].map((survivor) => ({
    ...survivor,
    family: [survivor.pid, ...descendantsOf(survivor.pid)],
  }));
  survivors.clear();
  ending.forEach(({ pid, stopSignal }) => signalIfAlive(pid, stopSignal));
  const family = ending.flatMap((survivor) => survivor.family);
  const killAt = Date.now() + atTheEndMs;
  while (Date.now() < killAt && family.some(isAlive)) pause(10);
  family.forEach((pid) => signalIfAlive(pid, 'SIGKILL'));
  for (const { disposableDirectory } of ending)
    if (disposableDirectory !== undefined)
      rmSync(disposableDirectory, { recursive: true, force: true, maxRetries: 5 });
}

/** Blocks the thread. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
