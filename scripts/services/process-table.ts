import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Whether a process exists and is more than a zombie that waits to be collected. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !stateOf(pid).startsWith('Z');
}

/** State letter of a process, `Z` for a zombie or one that is gone by now. */
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

/** Sends a signal; does nothing if the process is gone. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Children of a process, their children, and so on. */
export function descendantsOf(pid: number): number[] {
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

/** Command line of a running process, undefined when there is none with this id. */
export function commandLineOf(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
    });
    return line.trim();
  } catch {
    return undefined;
  }
}
