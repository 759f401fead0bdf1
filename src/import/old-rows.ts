import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ComportaError, messageOf } from '../errors';
import type * as BigqueryRows from './bigquery-rows';
import { csvRows } from './csv';
import type { OldRow } from './old-history';

const load = createRequire(__filename);

const SCHEME = 'bigquery:';
const PLACE = /^([^.`:]+)\.([A-Za-z0-9_]+)\.([^.`:]+)$/;

/**
 * The old history: `bigquery:PROJECT.DATASET.TABLE`, or a file of JSON (a list of objects, or one per
 * line) or CSV.
 * @param endpoint of BigQuery, as the project's own connections reach it.
 * @throws ComportaError ConfigurationInvalid also where there are no rows.
 */
export async function oldRows(
  from: string,
  endpoint: string | undefined,
): Promise<readonly OldRow[]> {
  const rows = from.startsWith(SCHEME)
    ? await rowsInBigquery(from.slice(SCHEME.length), endpoint)
    : await rowsInFile(from);
  if (rows.length > 0) return rows;
  throw new ComportaError('ConfigurationInvalid', `${from}: there are no rows`, {
    remedy: 'check that it is the old history, or that its export is whole',
  });
}

async function rowsInBigquery(
  place: string,
  endpoint: string | undefined,
): Promise<readonly OldRow[]> {
  const [, project, dataset, table] = PLACE.exec(place) ?? [];
  if (project === undefined || dataset === undefined || table === undefined) {
    throw new ComportaError('ConfigurationInvalid', `${SCHEME}${place} names no table`, {
      remedy: `write ${SCHEME}PROJECT.DATASET.TABLE`,
    });
  }
  // Its client is loaded by those who use it.
  const { bigqueryRows } = load('./bigquery-rows') as typeof BigqueryRows;
  return bigqueryRows({
    ...{ project, dataset, table },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

async function rowsInFile(file: string): Promise<readonly OldRow[]> {
  const text = await readText(file);
  try {
    return rowsOf(text);
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `${file}: ${messageOf(error)}`, {
      remedy: 'give a JSON list of objects, one object per line, or a CSV',
    });
  }
}

/** @throws ComportaError ConfigurationInvalid where there is no such file, or no text in it. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new ComportaError('ConfigurationInvalid', `${file} cannot be read`, {
      remedy: 'check the path',
      cause: error,
    });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `${file} is no text in UTF-8`, {
      remedy: 'save it as UTF-8',
      cause: error,
    });
  }
}

function rowsOf(text: string): readonly OldRow[] {
  if (/^\s*\[/.test(text)) return (JSON.parse(text) as unknown[]).map(objectOf);
  if (!/^\s*\{/.test(text)) return csvRows(text);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => objectOf(JSON.parse(line)));
}

function objectOf(item: unknown): OldRow {
  if (typeof item === 'object' && item !== null) return item as OldRow;
  throw new SyntaxError(`${JSON.stringify(item)} is no object`);
}
