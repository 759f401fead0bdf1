import { stat } from 'node:fs/promises';
import { createParquetDestination } from './destinations/parquet/parquet-destination';
import { createFileStore } from './destinations/parquet/file-store';
import { createS3Store } from './destinations/parquet/s3-store';
import type { Destination } from './destinations/destination';
import { ComportaError } from './errors';
import type { History } from './history/history';
import { openHistory } from './history/open';
import type {
  Connection,
  DatabaseConnection,
  HistorySettings,
  Pipeline,
  Project,
} from './pipeline/pipeline';
import type { SecretStore } from './pipeline/secrets';
import { gatheringSource } from './sources/gathering';
import { createMysqlSource } from './sources/mysql/mysql-source';
import { createPostgresSource } from './sources/postgres/postgres-source';
import type { Source } from './sources/source';

/**
 * The servers that a project's pipelines use, opened on first use and shared after that. Keyed by
 * the settings themselves, so that an edited connection opens anew while loads that began under
 * the old one finish there.
 */
export interface Resources {
  source(project: Project, pipeline: Pipeline): Source;
  destination(project: Project, pipeline: Pipeline): Destination;
  history(project: Project): Promise<History>;
  close(): Promise<void>;
}

export function createResources(secrets: SecretStore): Resources {
  const sources = new Map<string, Source>();
  const destinations = new Map<string, Destination>();
  const histories = new Map<string, { readonly store: History; readonly file: string }>();
  const replaced: History[] = [];
  let lastHistory: Promise<unknown> = Promise.resolve();

  const openHistoryOnce = async (project: Project): Promise<History> => {
    const settings = JSON.stringify(project.history);
    const known = histories.get(settings);
    if (known !== undefined && known.file === (await fileIdentity(project.history))) {
      return known.store;
    }
    const store = await openHistory(project.history, project.connections, secrets);
    histories.set(settings, { store, file: await fileIdentity(project.history) });
    // Loads that began on the old file may still use it: it is closed at the end, with the others.
    if (known !== undefined) replaced.push(known.store);
    return store;
  };

  return {
    source(project, pipeline) {
      const connection = databaseConnection(project, pipeline.source.connection);
      return remembered(sources, [connection, pipeline.source.schemas], () =>
        gatheringSource(
          connection.type === 'mysql'
            ? createMysqlSource(connection, secrets)
            : createPostgresSource(connection, pipeline.source.schemas, secrets),
        ),
      );
    },
    destination(project, pipeline) {
      const connection = connectionOf(project, pipeline.destination.connection);
      return remembered(destinations, [connection, pipeline.destination], () => {
        switch (connection.type) {
          case 'file':
            return createParquetDestination(createFileStore(connection.path), pipeline.destination);
          case 's3':
            return createParquetDestination(
              createS3Store(connection, secrets),
              pipeline.destination,
            );
          case 'mysql':
          case 'postgres':
            throw wrongType(connection, 'a file or s3 connection');
        }
      });
    },
    history: (project) => {
      // One after the other, so that loads that start together do not each open the store.
      const result = lastHistory.then(() => openHistoryOnce(project));
      lastHistory = result.catch(() => undefined);
      return result;
    },
    async close() {
      await Promise.allSettled([
        ...[...sources.values()].map((source) => source.close()),
        ...[...destinations.values()].map((destination) => destination.close()),
        ...[...histories.values()].map(({ store }) => store.close()),
        ...replaced.map((store) => store.close()),
      ]);
    },
  };
}

/**
 * Which file a SQLite history is, so that one deleted or restored under a running worker is opened
 * anew: what is written to a deleted file is lost. Empty where there is no file.
 */
async function fileIdentity(settings: HistorySettings): Promise<string> {
  if (settings.type !== 'sqlite') return '';
  const found = await stat(settings.path).catch(() => undefined);
  return found === undefined ? 'absent' : `${found.dev}:${found.ino}`;
}

function remembered<Value>(known: Map<string, Value>, settings: unknown, open: () => Value): Value {
  const key = JSON.stringify(settings);
  let value = known.get(key);
  if (value === undefined) {
    value = open();
    known.set(key, value);
  }
  return value;
}

function connectionOf(project: Project, name: string): Connection {
  const connection = project.connections.get(name);
  if (connection === undefined) {
    throw new ComportaError('ConfigurationInvalid', `there is no connection "${name}"`, {
      remedy: 'add it to connections.yaml',
    });
  }
  return connection;
}

function databaseConnection(project: Project, name: string): DatabaseConnection {
  const connection = connectionOf(project, name);
  if (connection.type === 'mysql' || connection.type === 'postgres') return connection;
  throw wrongType(connection, 'a mysql or postgres connection');
}

function wrongType(connection: Connection, wanted: string): ComportaError {
  return new ComportaError(
    'ConfigurationInvalid',
    `connection "${connection.name}" is of type ${connection.type}, not ${wanted}`,
    { remedy: 'name another connection in the pipeline file' },
  );
}
