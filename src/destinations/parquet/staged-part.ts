import type { DataFile, StagedDataFile } from '../destination';
import type { ClosedFile, ObjectStore, StagingReceipt } from './storage';

/** A staged file of a load, taken up by the publication that will put it in place. */
export interface StagedPart {
  readonly file: DataFile;
  readonly closed: ClosedFile;
  readonly nulls: ReadonlyMap<string, number>;
}

export function takeUp(
  store: ObjectStore,
  { path, rows, bytes, sha256, nulls, receipt }: StagedDataFile,
): StagedPart {
  return {
    file: { path, rows, bytes, sha256 },
    // Made by this store's own `close`, whatever way it came.
    closed: store.resume(path, receipt as StagingReceipt),
    nulls: new Map(nulls),
  };
}
