import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { openBigqueryHistory } from '../../src/history/bigquery';
import type { History } from '../../src/history/history';
import { createLakeLeases } from '../../src/history/lake-leases';
import type { BigqueryHistorySettings } from '../../src/pipeline/pipeline';
import { sharedBigquery, uniqueName } from '../support/servers';
import type { HistoryStore } from './contract';
import { temporaryFolder } from './sqlite-store';

export interface BigqueryStore extends HistoryStore {
  readonly settings: BigqueryHistorySettings;
  /** @param endpoint a way to the emulator. Default: straight. */
  open(endpoint?: string): Promise<History>;
  /**
   * Runs a statement beside the history; rows as objects.
   * @param within the default dataset. Default: the history's.
   */
  sql(statement: string, within?: string): Promise<Record<string, unknown>[]>;
  /** Instead of `dispose`: leaves the dataset's tables, without a row. */
  empty(): Promise<void>;
}

/** A dataset that does not exist yet, on the shared emulator, and leases in a folder. */
export async function newBigqueryStore(dataset = uniqueName('history')): Promise<BigqueryStore> {
  const { project, endpoint } = await sharedBigquery();
  const folder = await temporaryFolder();
  const client = new BigQuery({
    projectId: project,
    apiEndpoint: endpoint,
    authClient: new PassThroughClient(),
  });
  const settings: BigqueryHistorySettings = {
    type: 'bigquery',
    project,
    dataset,
    endpoint,
    leases: 'lake',
  };
  let elapsed = 0;
  let used = false;
  const sql: BigqueryStore['sql'] = async (query, within = dataset) => {
    const defaultDataset = { projectId: project, datasetId: within };
    const [rows] = await client.query({ query, defaultDataset });
    return rows as Record<string, unknown>[];
  };
  return {
    settings,
    sql,
    async empty() {
      if (used) await sql('TRUNCATE TABLE historico_execucao_gravacao');
      await folder.remove();
    },
    open(way = endpoint) {
      used = true;
      const lake = createFileStore(join(folder.path, 'lake'));
      const leases = createLakeLeases(lake, () => Date.now() + elapsed);
      return openBigqueryHistory(
        { ...settings, endpoint: way },
        { leases, close: () => lake.close() },
      );
    },
    elapse(milliseconds) {
      elapsed += milliseconds;
      return Promise.resolve();
    },
    async dispose() {
      const made = client.dataset(dataset);
      if ((await made.exists())[0]) await made.delete({ force: true });
      await folder.remove();
    },
  };
}

/**
 * Makes stores that are one dataset, emptied after each: to make a dataset takes the emulator a
 * second.
 */
export function emptiedBigqueryStores(): () => Promise<BigqueryStore> {
  const dataset = uniqueName('history');
  return async () => {
    const store = await newBigqueryStore(dataset);
    return { ...store, dispose: () => store.empty() };
  };
}
