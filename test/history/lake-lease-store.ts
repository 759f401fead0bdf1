import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createLakeLeases } from '../../src/history/lake-leases';
import { acquireLease } from '../../src/history/leases';
import { createMemoryHistory } from '../support/memory-history';
import type { HistoryStore } from './contract';
import { temporaryFolder } from './sqlite-store';

/** Histories whose leases are those of one lake, in a folder. */
export async function newLakeLeaseStore(): Promise<HistoryStore> {
  const folder = await temporaryFolder();
  let elapsed = 0;
  return {
    open() {
      const lake = createFileStore(folder.path);
      const leases = createLakeLeases(lake, () => Date.now() + elapsed);
      return Promise.resolve({
        ...createMemoryHistory(),
        acquireLease: (request) => acquireLease(leases, request),
        leaseHolder: (pipeline, table) => leases.holder(pipeline, table),
        leaseHolders: (pipeline) => leases.holders(pipeline),
        close: () => lake.close(),
      });
    },
    elapse(milliseconds) {
      elapsed += milliseconds;
      return Promise.resolve();
    },
    dispose: () => folder.remove(),
  };
}
