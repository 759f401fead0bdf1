import { ComportaError } from '../errors';
import type { Connection, HistorySettings } from '../pipeline/pipeline';
import type { SecretStore } from '../pipeline/secrets';
import type { History } from './history';
import { openPostgresHistory } from './postgres';
import { openSqliteHistory } from './sqlite';

/**
 * Opens the history that a project's settings name, and brings its schema up to date.
 * @throws ComportaError ConfigurationInvalid when the connection is missing or of another type,
 *   and what the store itself throws.
 */
export async function openHistory(
  settings: HistorySettings,
  connections: ReadonlyMap<string, Connection>,
  secrets: SecretStore,
): Promise<History> {
  if (settings.type === 'sqlite') return openSqliteHistory(settings.path);
  const connection = connections.get(settings.connection);
  if (connection?.type !== 'postgres') {
    const found = connection === undefined ? 'does not exist' : `is of type ${connection.type}`;
    throw new ComportaError(
      'ConfigurationInvalid',
      `history: the connection "${settings.connection}" ${found}`,
      { remedy: 'name a postgres connection for the history, or let it be a sqlite file' },
    );
  }
  return openPostgresHistory(connection, settings.schema, secrets);
}
