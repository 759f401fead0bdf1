import type { JobWatch } from '../../../src/engines/spark/job-runner';

/** Why a wait ends that ends the job, too. */
export class Cancelled extends Error {}
/** Why a wait ends that leaves the job alone. */
export class Shutdown extends Error {}

export interface RecordedWatch extends JobWatch {
  readonly progress: readonly Parameters<JobWatch['report']>[0][];
  abort(reason: Cancelled | Shutdown): void;
}

export function createJobWatch(): RecordedWatch {
  const abort = new AbortController();
  const progress: Parameters<JobWatch['report']>[0][] = [];
  return {
    progress,
    report: (one) => progress.push(one),
    signal: abort.signal,
    shouldCancel: (reason) => reason instanceof Cancelled,
    abort: (reason) => abort.abort(reason),
  };
}
