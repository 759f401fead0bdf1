import { createParquetDestination } from './destinations/parquet/parquet-destination';
import { createFileStore } from './destinations/parquet/file-store';
import { createS3Store } from './destinations/parquet/s3-store';
import type { Destination } from './destinations/destination';
import { ComportaError } from './errors';
import type { History } from './history/history';
import { openHistory } from './history/open';
import type { Connection, DatabaseConnection, Pipeline, Project } from './pipeline/pipeline';
import type { SecretStore } from './pipeline/secrets';
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
  const histories = new Map<string, Promise<History>>();

  return {
    source(project, pipeline) {
      const connection = databaseConnection(project, pipeline.source.connection);
      return remembered(sources, [connection, pipeline.source.schemas], () =>
        connection.type === 'mysql'
          ? createMysqlSource(connection, secrets)
          : createPostgresSource(connection, pipeline.source.schemas, secrets),
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
    async history(project) {
      const opened = remembered(histories, project.history, () =>
        openHistory(project.history, project.connections, secrets),
      );
      // A store that could not be opened is tried again next time.
      opened.catch(() => histories.clear());
      return opened;
    },
    async close() {
      const stores = await Promise.allSettled(histories.values());
      await Promise.allSettled([
        ...[...sources.values()].map((source) => source.close()),
        ...[...destinations.values()].map((destination) => destination.close()),
        ...stores.map((store) => (store.status === 'fulfilled' ? store.value.close() : undefined)),
      ]);
    },
  };
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
