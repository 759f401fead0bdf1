import { Client } from 'pg';
import {
  startPostgres,
  type PostgresOptions,
  type PostgresVersion,
} from '../../../scripts/services/postgres';
import type { NativeDatabaseService } from '../../../scripts/services/service';
import type { DatabaseConnection } from '../../../src/pipeline/pipeline';
import type { SecretStore } from '../../../src/pipeline/secrets';
import { createPostgresSource } from '../../../src/sources/postgres/postgres-source';
import type { Wait } from '../../../src/sources/postgres/tokens';
import type { Source } from '../../../src/sources/source';

export const VERSIONS = [17, 13] as const;

/** A database of a test file's own, and a client that may do everything on its server. */
export interface TestServer {
  readonly service: NativeDatabaseService;
  readonly connection: DatabaseConnection;
  /** Runs statements as the superuser; every value comes as text. */
  sql(statement: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
  /** Another session of the superuser, ended by `stop` at the latest. */
  client(): Promise<Client>;
  source(options?: SourceOptions): Source;
  stop(): Promise<void>;
}

interface SourceOptions {
  readonly schemas?: readonly string[];
  readonly user?: string;
  readonly wait?: Wait;
  readonly connection?: Partial<DatabaseConnection>;
}

const SECRET = { from: 'env', name: 'PASSWORD' } as const;

/** Starts a server that nobody else uses. */
export async function startServer(options: PostgresOptions): Promise<TestServer> {
  const service = await startPostgres(options);
  return connectTo(service, service.database, () => service.stop());
}

const SHARED = { autovacuum: 'off', max_prepared_transactions: '10' };
const shared = new Map<PostgresVersion, Promise<NativeDatabaseService>>();
let databases = 0;

/**
 * A new database on the server that all test files of this process share, which counts changes
 * and does nothing of its own accord. Stopping drops the database; the server ends with the process.
 */
export async function sharedServer(version: PostgresVersion): Promise<TestServer> {
  const starting = shared.get(version) ?? startPostgres({ version, settings: SHARED });
  shared.set(version, starting);
  const service = await starting;
  databases += 1;
  const database = `test_${databases}`;
  const owner = await connectTo(service, service.database, () => Promise.resolve());
  await owner.sql(`CREATE DATABASE ${database}`);
  return connectTo(service, database, async () => {
    await owner.sql(`DROP DATABASE ${database} WITH (FORCE)`);
    await owner.stop();
  });
}

async function connectTo(
  service: NativeDatabaseService,
  database: string,
  end: () => Promise<void>,
): Promise<TestServer> {
  const clients = new Set<Client>();
  const { host, port, user, password } = service;
  const connection: DatabaseConnection = {
    type: 'postgres',
    name: 'shop',
    host,
    port,
    user,
    password: SECRET,
    database,
    tls: { mode: 'disable' },
    connectTimeoutMs: 5_000,
    silenceTimeoutMs: 15_000,
  };
  const secrets: SecretStore = { read: () => Promise.resolve(password) };
  const open = async () => {
    const client = new Client({ host, port, user, password, database, types: asText });
    client.on('error', () => clients.delete(client));
    await client.connect();
    clients.add(client);
    return client;
  };
  let admin = await open();

  return {
    service,
    connection,
    async sql(statement, values = []) {
      if (!clients.has(admin)) admin = await open();
      const config = { text: statement, values: [...values], rowMode: 'array' as const };
      const result: unknown = await admin.query<(string | null)[]>(config);
      const last = (Array.isArray(result) ? result.at(-1) : result) as {
        rows: (string | null)[][];
      };
      return last.rows;
    },
    client: open,
    source: ({ schemas = ['public'], user: role, wait, connection: changes } = {}) =>
      createPostgresSource(
        { ...connection, ...(role === undefined ? {} : { user: role }), ...changes },
        schemas,
        secrets,
        wait === undefined ? {} : { wait },
      ),
    async stop() {
      await Promise.allSettled([...clients].map((client) => client.end()));
      await end();
    },
  };
}

const asText = { getTypeParser: () => (value: string) => value };
