/**
 * The contract of `scripts/services`: the servers that the demo, the tests and the benchmarks
 * talk to, each on a free port of 127.0.0.1, each with a directory of its own.
 *
 * A start function resolves once the server has answered a real client, and rejects with the
 * end of the server's log otherwise. What is not stopped explicitly is stopped when this
 * process ends.
 */

/** Names that `npm run services -- up` and {@link RunningService.name} use. */
export const serviceNames = ['temporal', 'mariadb', 'mysql', 'postgres', 's3', 'gcs'] as const;

export type ServiceName = (typeof serviceNames)[number];

/**
 * A server that answers on `host:port` until `stop()`.
 * `Name` is of those that `npm run services` starts, unless it is a server of tests alone.
 */
export interface RunningService<Name extends string = ServiceName> {
  readonly name: Name;
  readonly host: string;
  /** Stays the same over restarts. */
  readonly port: number;
  /** Process id; undefined where a container engine runs the service, or while it is down. */
  readonly pid: number | undefined;
  /** Data and log of this service; undefined where a container engine runs it. */
  readonly directory: string | undefined;
  /**
   * Stops the server and removes its directory, unless the directory was chosen by the caller.
   * Calling it again does nothing.
   */
  stop(): Promise<void>;
  /** Leaves the server running when this process ends; tells how another process stops it. */
  keep(): StopRecord;
}

/** What it takes to stop a server that another process started. Plain data, for a file. */
export type StopRecord =
  | {
      readonly kind: 'process';
      readonly pid: number;
      /** As in the process table, to recognise the process: its id may have been reused. */
      readonly commandLine: string;
      readonly stopSignal: NodeJS.Signals;
      /** Folder to remove afterwards, if any. */
      readonly disposableDirectory?: string;
    }
  | { readonly kind: 'compose'; readonly project: string };

/** A server whose process this project owns, so that tests can take it down. */
export interface NativeService<Name extends string = ServiceName> extends RunningService<Name> {
  readonly directory: string;
  readonly logFile: string;
  /**
   * Stops the server if it runs and starts it on the same data and port.
   * @param extraArgs replace the extra arguments of the start; default: the same again.
   */
  restart(extraArgs?: readonly string[]): Promise<void>;
  /** Kills the server as a power cut would (SIGKILL) and resolves when all of it is gone. */
  kill9(): Promise<void>;
}

/** How a client signs in to a database server. The user may do everything on the server. */
export interface DatabaseConnection {
  readonly user: string;
  readonly password: string;
  /** An empty database made for the caller. */
  readonly database: string;
}

/** A running database server and the facts a client needs. */
export interface DatabaseService extends RunningService, DatabaseConnection {}

/** A database server whose process this project owns. */
export interface NativeDatabaseService extends NativeService, DatabaseConnection {}

/** Options that every native start function takes. */
export interface NativeOptions {
  /** Port on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /**
   * Folder for the data and the log. An existing one is used again with its data and is left in
   * place by `stop()`. Default: a new folder under the system's temporary directory, removed by
   * `stop()`.
   */
  readonly directory?: string;
  /** Appended to the server's command line. Default: none. */
  readonly extraArgs?: readonly string[];
  /** Told about slow steps such as an installation. Default: silent. */
  readonly progress?: (line: string) => void;
}

/** Address that every service binds; never another interface. */
export const loopback = '127.0.0.1';

/** Credentials of the databases made here. They protect nothing: the servers are local and empty. */
export const testConnection: DatabaseConnection = {
  user: 'comporta',
  password: 'comporta',
  database: 'comporta',
};

/** Thrown where a server cannot be had on this machine; the message says how to fix that. */
export class ToolUnavailableError extends Error {
  override readonly name = 'ToolUnavailableError';
}
