import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentPath } from '../../src/destinations/parquet/layout';
import type { PublishedState } from '../../src/destinations/destination';
import { duckdbRows, sqlString } from './duckdb';

/**
 * The rows of a table's present state in a lake on disk, as a reader finds them: by the document
 * that says which files it consists of. `columns` is what to select; ordered by the first of them.
 */
export async function readCurrent(
  lake: string,
  domain: string,
  entity: string,
  columns: string,
): Promise<unknown[][]> {
  const document = await readFile(join(lake, currentPath(domain, entity)), 'utf8');
  const { files } = JSON.parse(document) as PublishedState;
  const paths = files.map((file) => sqlString(join(lake, file.path))).join(', ');
  return duckdbRows(
    `SELECT ${columns} FROM read_parquet([${paths}], union_by_name = true, hive_partitioning = false) ORDER BY 1`,
  );
}
