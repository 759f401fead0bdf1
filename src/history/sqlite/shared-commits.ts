interface Pending {
  readonly work: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets works that are asked for in the same moment share one commit: what a commit costs is the
 * wait for the disk, and that holds up the whole process. A work's promise resolves once it is
 * committed. Where a shared commit fails nothing of it is done, and each work is tried alone, so
 * that none fails because of another.
 *
 * @param commit runs all works in their order and commits what they did, or nothing of it.
 */
export function sharedCommits(
  commit: (works: readonly (() => unknown)[]) => Promise<readonly unknown[]>,
): <Result>(work: () => Result) => Promise<Result> {
  let pending: Pending[] = [];

  const settle = async (group: readonly Pending[]): Promise<void> => {
    try {
      const results = await commit(group.map(({ work }) => work));
      group.forEach(({ resolve }, index) => resolve(results[index]));
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else await Promise.all(group.map((one) => settle([one])));
    }
  };

  return <Result>(work: () => Result) =>
    new Promise<Result>((resolve, reject) => {
      if (pending.length === 0) {
        setImmediate(() => {
          const group = pending;
          pending = [];
          void settle(group);
        });
      }
      pending.push({ work, resolve: resolve as Pending['resolve'], reject });
    });
}
