import type { ClosedFile, ObjectStore, StagedFile } from '../../src/destinations/parquet/storage';

/** Which change of the store does not come back, counted from 0. */
export interface Interruption {
  readonly at: number;
  /** Whether that change still takes effect. */
  readonly effect: 'before' | 'after';
  /** `forever`: no later change works either, as when the process died. */
  readonly lasting: 'once' | 'forever';
  /** Called at that moment; throws unless it ends the process. */
  readonly interrupt: () => void;
}

export interface InterruptedStore {
  readonly store: ObjectStore;
  readonly changes: () => number;
  /** Closes what a process that died would have left to its system to close. */
  readonly release: () => Promise<void>;
}

/**
 * A store whose changes are counted and of which one is interrupted. Reading always works, so
 * that what a dead process left can be looked at.
 */
export function interruptedStore(
  store: ObjectStore,
  interruption: Interruption | undefined,
): InterruptedStore {
  let changes = 0;
  const files: StagedFile[] = [];
  const change = async <Result>(body: () => Promise<Result>): Promise<Result> => {
    const index = changes++;
    const hit =
      interruption !== undefined &&
      (index === interruption.at ||
        (interruption.lasting === 'forever' && index > interruption.at));
    if (!hit) return body();
    if (index === interruption.at && interruption.effect === 'after') await body();
    interruption.interrupt();
    throw new Error('the interruption returned');
  };
  const staged = (file: StagedFile): StagedFile => {
    files.push(file);
    return {
      path: file.path,
      write: (bytes) => change(() => file.write(bytes)),
      close: () => change(() => file.close()),
      discard: () => change(() => file.discard()),
    };
  };
  const closed = (file: ClosedFile): ClosedFile => ({
    path: file.path,
    commit: () => change(() => file.commit()),
    discard: () => change(() => file.discard()),
  });
  return {
    changes: () => changes,
    release: async () => {
      for (const file of files) await file.discard();
    },
    store: {
      ...store,
      put: (path, body) => change(() => store.put(path, body)),
      replace: (path, body, expected) => change(() => store.replace(path, body, expected)),
      delete: (paths) => change(() => store.delete(paths)),
      stage: async (scope, path) => staged(await change(() => store.stage(scope, path))),
      adopt: async (scope, path, file) =>
        staged(await change(() => store.adopt(scope, path, file))),
      resume: (path, receipt) => closed(store.resume(path, receipt)),
      discard: (scope, folder) => change(() => store.discard(scope, folder)),
      workspace: (scope) => change(() => store.workspace(scope)),
      clear: (scope) => change(() => store.clear(scope)),
      sweep: (domain, entity, run) => change(() => store.sweep(domain, entity, run)),
    },
  };
}
