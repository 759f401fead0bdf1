import type { ComportaError } from '../errors';
import { bigqueryClient, bigqueryError } from '../google/bigquery';
import type { OldRow } from './old-history';

/** Where the old history lies, and by which way it is reached. */
export interface OldHistoryTable {
  readonly project: string;
  readonly dataset: string;
  readonly table: string;
  /** Undefined: Google's own. */
  readonly endpoint?: string;
}

/**
 * All rows, as an export in JSON would have them. BigQuery finds out by itself where the dataset lies
 * (https://cloud.google.com/bigquery/docs/locations#specify_locations), which need not be where the
 * pipeline's datasets do.
 */
export async function bigqueryRows(old: OldHistoryTable): Promise<readonly OldRow[]> {
  const place = `${old.project}.${old.dataset}.${old.table}`;
  try {
    const [rows] = await bigqueryClient(old).query(`SELECT * FROM \`${place}\``);
    // A NUMERIC is an object that has its own form in JSON.
    return JSON.parse(JSON.stringify(rows)) as OldRow[];
  } catch (error) {
    throw errorOf(error, `the old history ${place}`);
  }
}

function errorOf(thrown: unknown, subject: string): ComportaError {
  return bigqueryError(thrown, {
    ...{ subject, otherwise: 'HistoryFailed' },
    remedies: { notFound: 'check the name: bigquery:PROJECT.DATASET.TABLE' },
  });
}
