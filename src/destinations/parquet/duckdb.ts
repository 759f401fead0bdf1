import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { duckdbError } from './errors';

/** A DuckDB of its own for one merge. */
export interface MergeEngine {
  run(sql: string): Promise<void>;
  /** The one number that a query returns. */
  count(sql: string): Promise<number>;
  close(): void;
}

/**
 * Opens DuckDB in memory, bounded: 512 MB, two threads, the rest spills to `temporaryFolder`.
 * `signal` interrupts what runs.
 */
export async function openMergeEngine(
  temporaryFolder: string,
  signal: AbortSignal,
): Promise<MergeEngine> {
  const { instance, connection } = await connect(temporaryFolder);
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt);

  const attempt = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw duckdbError(error);
    }
  };
  return {
    run: async (sql) => {
      await attempt(() => connection.run(sql));
    },
    count: (sql) => attempt(() => countOf(connection, sql)),
    close: () => {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function connect(temporaryFolder: string) {
  try {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: '512MB',
      threads: '2',
      temp_directory: temporaryFolder,
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    return { instance, connection };
  } catch (error) {
    throw duckdbError(error);
  }
}

async function countOf(connection: DuckDBConnection, sql: string): Promise<number> {
  const reader = await connection.runAndReadAll(sql);
  return Number(reader.getRows()[0]?.[0]);
}
