import type { ConnectionInput, ConnectionsFile } from '../connections-schema';
import { DEFAULT_HISTORY_PATH, DEFAULT_HISTORY_SCHEMA } from '../defaults';
import { defined } from '../defined';
import type { Partly } from '../issues';
import type { Connection, HistorySettings } from '../pipeline';
import { bigqueryHistory, bigqueryTables } from './bigquery';
import { slack, smtp } from './channel';
import { database } from './database';
import { dataproc } from './dataproc';
import { glue } from './glue';
import { folder, gcs, s3 } from './lake';
import { placeAt, type Place, type Reading } from './place';

/**
 * The connections by name, as far as they could be made out; complete when no mistake was added.
 * One whose type is unknown is there as undefined, so that speaking of it is not a second mistake.
 */
export function resolveConnections(
  reading: Reading,
  input: Partly<ConnectionsFile>,
): ReadonlyMap<string, Partly<Connection> | undefined> {
  const entries = Object.entries(input.connections ?? {});
  return new Map(
    entries.map(([name, given]) => {
      const place = placeAt(reading, ['connections', name]);
      return [name, connection(place, name, given)];
    }),
  );
}

function connection(
  place: Place,
  name: string,
  given: Partly<ConnectionInput> | undefined,
): Partly<Connection> | undefined {
  const input = given === undefined ? undefined : place.withoutUnset(given);
  switch (input?.type) {
    case 'mysql':
    case 'postgres':
      return database(place, name, input);
    case 'file':
      return folder(place, name, input);
    case 's3':
      return s3(place, name, input);
    case 'gcs':
      return gcs(place, name, input);
    case 'bigquery':
      return bigqueryTables(place, name, input);
    case 'dataproc':
      return dataproc(place, name, input);
    case 'glue':
      return glue(place, name, input);
    case 'slack':
      return slack(place, name, input);
    case 'smtp':
      return smtp(place, name, input);
    case undefined:
      return undefined;
  }
}

/** Where the history lives; complete when no mistake was added. */
export function resolveHistory(
  reading: Reading,
  input: Partly<ConnectionsFile>,
): Partly<HistorySettings> {
  const place = placeAt(reading, ['history']);
  const history = input.history === undefined ? undefined : place.withoutUnset(input.history);
  if (history?.type === 'postgres') {
    return defined({
      type: history.type,
      connection: history.connection,
      schema: history.schema ?? DEFAULT_HISTORY_SCHEMA,
    });
  }
  if (history?.type === 'bigquery') return bigqueryHistory(place, history);
  const given = history?.type === 'sqlite' ? history.path : undefined;
  const path = place.file(place.text('path', given ?? DEFAULT_HISTORY_PATH));
  return defined({ type: 'sqlite', path });
}
