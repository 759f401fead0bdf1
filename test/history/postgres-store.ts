import { Client } from 'pg';
import { openPostgresHistory, type PostgresHistoryOptions } from '../../src/history/postgres';
import type { History } from '../../src/history/history';
import type { DatabaseConnection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import type { DatabaseService } from '../../scripts/services/service';
import { sharedPostgres, uniqueName } from '../support/servers';
import type { HistoryStore } from './contract';

/** The password of every server of the tests, as a pipelines folder would refer to it. */
export const secrets = localSecretStore({ HISTORY_PASSWORD: 'comporta' });

export function connectionTo(
  { host, port, user, database }: DatabaseService,
  more: Partial<DatabaseConnection> = {},
): DatabaseConnection {
  return {
    type: 'postgres',
    name: 'history',
    host,
    port,
    user,
    database,
    password: { from: 'env', name: 'HISTORY_PASSWORD' },
    tls: { mode: 'disable' },
    connectTimeoutMs: 5_000,
    silenceTimeoutMs: 15_000,
    ...more,
  };
}

export interface PostgresStore extends HistoryStore {
  readonly schema: string;
  open(options?: PostgresHistoryOptions): Promise<History>;
  /** Runs a statement beside the history, with its schema in the search path; rows as objects. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
}

/** An empty schema with a hostile name, on the shared server unless another is given. */
export async function newPostgresStore(given?: DatabaseService): Promise<PostgresStore> {
  const server = given ?? (await sharedPostgres());
  const { host, port, user, password, database } = server;
  const schema = uniqueName(`history "x" 🐘`);
  const quoted = `"${schema.replaceAll('"', '""')}"`;
  const connection = connectionTo(server);
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  await client.query(`SET search_path TO ${quoted}`);
  const sql: PostgresStore['sql'] = async (statement) =>
    (await client.query<Record<string, unknown>>(statement)).rows;
  return {
    schema,
    sql,
    open: (options) => openPostgresHistory(connection, schema, secrets, options),
    async elapse(milliseconds) {
      await sql(
        `UPDATE comporta_lease SET expires_at = expires_at - interval '${milliseconds} ms'`,
      );
    },
    async dispose() {
      await client.query(`DROP SCHEMA IF EXISTS ${quoted} CASCADE`);
      await client.end();
    },
  };
}
