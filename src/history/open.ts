import { createRequire } from 'node:module';
import { openStore } from '../endpoints';
import { ComportaError } from '../errors';
import {
  isLake,
  type BigqueryHistorySettings,
  type Connection,
  type HistorySettings,
} from '../pipeline/pipeline';
import type { SecretStore } from '../pipeline/secrets';
import type * as BigqueryHistory from './bigquery';
import type { History } from './history';
import { createLakeLeases } from './lake-leases';
import { openPostgresHistory } from './postgres';
import { openSqliteHistory } from './sqlite';

/** BigQuery's client is loaded by those who use it. */
const load = createRequire(__filename);

/**
 * Opens the history that a project's settings name, and brings its schema up to date.
 * @throws ComportaError ConfigurationInvalid when a connection is missing or of another type,
 *   and what the store itself throws.
 */
export async function openHistory(
  settings: HistorySettings,
  connections: ReadonlyMap<string, Connection>,
  secrets: SecretStore,
): Promise<History> {
  switch (settings.type) {
    case 'sqlite':
      return openSqliteHistory(settings.path);
    case 'postgres': {
      const connection = connections.get(settings.connection);
      if (connection?.type === 'postgres') {
        return openPostgresHistory(connection, settings.schema, secrets);
      }
      throw unusable(
        settings.connection,
        connection,
        'name a postgres connection for the history, or let it be a sqlite file',
      );
    }
    case 'bigquery':
      return openBigquery(settings, connections, secrets);
  }
}

async function openBigquery(
  settings: BigqueryHistorySettings,
  connections: ReadonlyMap<string, Connection>,
  secrets: SecretStore,
): Promise<History> {
  const connection = connections.get(settings.leases);
  if (!isLake(connection)) {
    throw unusable(settings.leases, connection, 'name a lake for its leases');
  }
  const { openBigqueryHistory } = load('./bigquery') as typeof BigqueryHistory;
  const lake = openStore(connection, secrets);
  try {
    const place = { leases: createLakeLeases(lake), close: () => lake.close() };
    return await openBigqueryHistory(settings, place);
  } catch (error) {
    await lake.close();
    throw error;
  }
}

function unusable(name: string, connection: Connection | undefined, remedy: string): ComportaError {
  const found = connection === undefined ? 'does not exist' : `is of type ${connection.type}`;
  return new ComportaError('ConfigurationInvalid', `history: the connection "${name}" ${found}`, {
    remedy,
  });
}
