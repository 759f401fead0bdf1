import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK), which Linux fixes at 100 for user space. */
const TICKS_PER_SECOND = 100;
const PAGE_MIB = 4096 / 1024 ** 2;
const SAMPLE_EVERY_MS = 50;

export interface TreeUse {
  /** Of the process itself. */
  readonly ownCpuSeconds: number;
  /** Of all processes below it, those that have ended included, but for the last moment of each. */
  readonly belowCpuSeconds: number;
  /** Resident memory of the process and all below, at the same moment at most. */
  readonly peakMiB: number;
}

/** What a process and those below it use while `work` lasts, looked at twenty times a second (Linux). */
export async function treeUse<Result>(
  pid: number,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly use: TreeUse }> {
  const before = new Map(treeOf(pid).map((one) => [one.pid, one.ticks]));
  const last = new Map<number, number>();
  let peakMiB = 0;
  const look = () => {
    const tree = treeOf(pid);
    for (const one of tree) last.set(one.pid, one.ticks - (before.get(one.pid) ?? 0));
    peakMiB = Math.max(
      peakMiB,
      tree.reduce((sum, { pages }) => sum + pages * PAGE_MIB, 0),
    );
  };
  const timer = setInterval(look, SAMPLE_EVERY_MS);
  try {
    const result = await work();
    look();
    const own = (last.get(pid) ?? 0) / TICKS_PER_SECOND;
    const all = [...last.values()].reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
    return { result, use: { ownCpuSeconds: own, belowCpuSeconds: all - own, peakMiB } };
  } finally {
    clearInterval(timer);
  }
}

interface ProcessNow {
  readonly pid: number;
  readonly parent: number;
  /** User and system time. */
  readonly ticks: number;
  /** Resident. */
  readonly pages: number;
}

function treeOf(root: number): ProcessNow[] {
  const all = readdirSync('/proc').flatMap((name) => processNow(Number(name)) ?? []);
  const childrenOf = (parent: number): ProcessNow[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...childrenOf(one.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...childrenOf(root)];
}

/** Undefined for what is no process, or one that has ended meanwhile. */
function processNow(pid: number): ProcessNow | undefined {
  if (!(pid > 0)) return undefined;
  try {
    // Fields from the third on, behind the name: proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ') ?? [];
    const at = (field: number) => Number(fields[field - 3]);
    return { pid, parent: at(4), ticks: at(14) + at(15), pages: at(24) };
  } catch {
    return undefined;
  }
}
