import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ComportaError, messageOf } from '../errors';
import type * as BigqueryDatabase from '../history/bigquery/database';
import type { BigqueryPlace } from '../google/bigquery';
import { csvRows } from './csv';
import type { OldRow } from './old-history';

const load = createRequire(__filename);

const FROM_BIGQUERY = /^bigquery:([^.`]+)\.([A-Za-z0-9_]+)\.([A-Za-z0-9_-]+)$/;

/** The rows of `SELECT …` in BigQuery, whose client is loaded by those who use it. */
export function queryBigquery(place: BigqueryPlace, sql: (table: string) => string, table: string) {
  const { createDatabase } = load('../history/bigquery/database') as typeof BigqueryDatabase;
  const database = createDatabase(place);
  return database.rows(sql(database.place(table)));
}

/**
 * The old history: `bigquery:PROJECT.DATASET.TABLE`, or a file of JSON (a list of objects, or one per
 * line) or CSV.
 * @param like the way to BigQuery, as the project's own connections go it.
 */
export async function oldRows(
  from: string,
  like: Pick<BigqueryPlace, 'location' | 'endpoint'>,
): Promise<readonly OldRow[]> {
  const [, project, dataset, table] = FROM_BIGQUERY.exec(from) ?? [];
  if (project !== undefined && dataset !== undefined && table !== undefined) {
    const place = { ...like, project, dataset };
    return queryBigquery(place, (name) => `SELECT * FROM ${name}`, table);
  }
  const text = await readText(from);
  try {
    return rowsOf(text);
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `${from}: ${messageOf(error)}`, {
      remedy: 'give a JSON list of objects, one object per line, or a CSV',
    });
  }
}

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `${file} cannot be read`, {
      remedy: 'check the path',
      cause: error,
    });
  }
}

function rowsOf(text: string): readonly OldRow[] {
  if (/^\s*\[/.test(text)) return JSON.parse(text) as OldRow[];
  if (!/^\s*\{/.test(text)) return csvRows(text);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line) as OldRow);
}
