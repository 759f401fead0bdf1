import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK), which Linux fixes at 100 for user space. */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of a server so far: its process and its children, those that have ended included
 * (PostgreSQL has one for each connection). From /proc (Linux), in hundredths of a second.
 */
export function serverCpuSeconds(pid: number): number {
  const server = ticks(pid);
  const children = childrenOf(pid).map((child) => ticks(child)?.own ?? 0);
  const sum = (server?.own ?? 0) + (server?.ended ?? 0) + children.reduce((a, b) => a + b, 0);
  return sum / TICKS_PER_SECOND;
}

/** Fields 14 to 17 of proc(5)'s stat: user and system time, its own and of children waited for. */
function ticks(pid: number): { own: number; ended: number } | undefined {
  const fields = read(`/proc/${pid}/stat`)?.split(') ').pop()?.split(' ');
  if (fields === undefined) return undefined;
  // Two fields went with the split: the id and the name.
  const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number);
  return { own: user! + system!, ended: endedUser! + endedSystem! };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

function parentOf(pid: number): number {
  return Number(read(`/proc/${pid}/stat`)?.split(') ').pop()?.split(' ')[1]);
}

/** Undefined for a process that has ended meanwhile. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
