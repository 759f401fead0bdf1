import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createConnection, type Connection, type ConnectionOptions, type SslOptions } from 'mysql2';
import type { ComportaError } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { silenceError, watchSilence } from '../silence';
import { toComportaError, type ErrorContext } from './errors';
import { whyNoAnswer } from './lost';
import { tlsAttempts } from './tls';
import { plainTransport, streamTransport, type Transport } from './wire/transport';

/** A row as text: every value in the server's own rendering, NULL as null. */
export type TextRow = Readonly<Record<string, string | null>>;

/** What a statement is about, for the error that it may end in. */
export type Subject = Pick<ErrorContext, 'table' | 'where'>;

/** A statement that the server keeps, without parameters. */
export interface PreparedStatement {
  readonly id: number;
  close(): void;
}

/** One connection to the server, with a session that is the same whatever the server's defaults. */
export interface Session {
  /** The connection itself. While it is attached elsewhere, no statement may be sent. */
  readonly transport: Transport;
  /** Begins every statement of this session, so that it can be recognised in the process list. */
  readonly tag: string;
  /** Its id on the server; behind a proxy perhaps another's. */
  readonly id: string;
  /** Which server answers: a proxy may lead to several. */
  readonly server: string;
  query(sql: string, subject?: Subject): Promise<readonly TextRow[]>;
  /** Prepares a statement without parameters, which is then executed over the transport. */
  prepare(sql: string, subject?: Subject): Promise<PreparedStatement>;
  /** Waits for the server, and drops the connection when nothing will come over it any more. */
  attend<Result>(subject: Subject, wait: () => Promise<Result>): Promise<Result>;
  /** Drops the connection at once. Statements under way reject with `error`. */
  terminate(error: ComportaError): void;
  /** The error that ended the session from here, if one did. */
  readonly terminated: ComportaError | undefined;
  /**
   * Runs when the session ends unasked, from here or from the other side, until the returned
   * function is called. The driver tells a statement that its connection is lost only if the
   * statement has a callback, so that everything under way has to listen here.
   */
  onEnd(listener: (error: unknown) => void): () => void;
  failure(error: unknown, subject?: Subject): ComportaError;
  /** Ends the session in order: a transaction is rolled back by the server. */
  close(): Promise<void>;
}

/**
 * An hour: how long the server waits for this side to take rows (back-pressure) and for the next
 * statement. Long enough for any batch to be written; short enough that a vanished worker's
 * snapshot does not hold back purging for a day. The server's default is 60 s.
 */
const PATIENCE_SECONDS = 3600;

/** For an ALTER TABLE or a LOCK TABLES to end. The server's default is a day, or a year. */
const LOCK_PATIENCE_SECONDS = 60;

/**
 * Settings that make two servers answer alike. The comments are executed by MySQL 8.0.0 and later
 * alone (MariaDB skips the numbers from 50700 to 99999) and by MariaDB alone:
 * https://mariadb.com/kb/en/comment-syntax/
 */
export const SESSION_SETTINGS = [
  `SET SESSION time_zone = '+00:00'`,
  `sql_mode = ''`,
  `net_write_timeout = ${PATIENCE_SECONDS}`,
  `wait_timeout = ${PATIENCE_SECONDS}`,
  `lock_wait_timeout = ${LOCK_PATIENCE_SECONDS}`,
  `sql_select_limit = 18446744073709551615`,
  `sql_big_selects = 1 /*!80000 , max_execution_time = 0, information_schema_stats_expiry = 0 */ /*M! , max_statement_time = 0 */`,
].join(', ');

/**
 * Opens a session. Where the server falls silent, it is asked on an errand whether it is still at
 * work. Throws ConnectionFailed, AuthenticationFailed, ConfigurationInvalid, …
 */
export function openSession(
  connection: DatabaseConnection,
  secrets: SecretStore,
): Promise<Session> {
  const errand = () => openErrand(connection, secrets);
  return openWith(connection, secrets, (session) => whyNoAnswer(errand, session));
}

/** Opens a session for statements that are answered at once: whose silence is its end. */
export function openErrand(connection: DatabaseConnection, secrets: SecretStore): Promise<Session> {
  return openWith(connection, secrets, () => Promise.resolve('and had nothing to do but answer'));
}

/** What is found out about a session that waits, see `SilenceOptions.ask`. */
type Ask = (session: Session) => Promise<string | undefined>;

async function openWith(
  connection: DatabaseConnection,
  secrets: SecretStore,
  ask: Ask,
): Promise<Session> {
  const password =
    connection.password === undefined ? undefined : await secrets.read(connection.password);
  const attempts = await tlsAttempts(connection);
  let failure: unknown;
  for (const ssl of attempts) {
    try {
      return await connectOnce(connection, password, ssl, ask);
    } catch (error) {
      failure = error;
      if ((error as { code?: string }).code !== 'HANDSHAKE_NO_SSL_SUPPORT') break;
    }
  }
  throw toComportaError(failure, { ...contextOf(connection), phase: 'connect' });
}

function contextOf({ name, host, port, user, database }: DatabaseConnection) {
  return { connection: name, host, port, user, database };
}

async function connectOnce(
  connection: DatabaseConnection,
  password: string | undefined,
  ssl: SslOptions | undefined,
  ask: Ask,
): Promise<Session> {
  const plain = ssl === undefined ? plainTransport() : undefined;
  const socket = connect({
    ...{ host: connection.host, port: connection.port, noDelay: true },
    ...(plain === undefined ? {} : { onread: plain.onread }),
  });
  // The driver speaks from the beginning.
  const transport = plain?.over(socket);
  socket.setKeepAlive(true, 30_000);
  const options: ConnectionOptions = {
    stream: socket,
    host: connection.host,
    port: connection.port,
    user: connection.user,
    password,
    database: connection.database,
    charset: 'utf8mb4',
    connectTimeout: connection.connectTimeoutMs,
    // Room for 16,000, the default, costs more than connecting does; one is prepared at a time.
    maxPreparedStatements: 4,
    // No file of this machine may be asked for, and function names stay usable as column names.
    flags: ['-LOCAL_FILES', '-IGNORE_SPACE'],
    ...(ssl === undefined ? {} : { ssl }),
  };
  const driver = createConnection(options);
  try {
    await new Promise<void>((resolve, reject) => {
      driver.once('error', reject);
      driver.connect((error) => (error === null ? resolve() : reject(error)));
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  try {
    const { stream } = driver as unknown as { readonly stream: Duplex };
    return await createSession(
      driver,
      socket,
      transport ?? streamTransport(stream),
      connection,
      ask,
    );
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

const WHEREABOUTS = `SELECT CONNECTION_ID() AS id, CONCAT_WS(':', @@hostname, @@port, @@server_id) AS server`;

async function createSession(
  driver: Connection,
  socket: Socket,
  transport: Transport,
  connection: DatabaseConnection,
  ask: Ask,
): Promise<Session> {
  const context = contextOf(connection);
  const tag = `/* comporta ${randomUUID()} */`;
  const listeners = new Set<(error: unknown) => void>();
  let terminated: ComportaError | undefined;
  let whereabouts = { id: '', server: '' };
  let attended: Subject = {};
  const tellListeners = (error: unknown) => {
    for (const listener of [...listeners]) listener(error);
    listeners.clear();
  };
  // A connection lost while nothing runs is met by the next statement.
  driver.on('error', tellListeners);

  /** A statement of the driver's, whose callback may never be called if the connection is lost. */
  function run<Result>(
    subject: Subject | undefined,
    start: (done: (error: Error | null, result: Result) => void) => void,
  ): Promise<Result> {
    const wait = () =>
      new Promise<Result>((resolve, reject) => {
        if (terminated !== undefined) return reject(terminated);
        const forget = session.onEnd((error) => reject(session.failure(error, subject)));
        start((error, result) => {
          forget();
          if (error === null) resolve(result);
          else reject(session.failure(error, subject));
        });
      });
    return session.attend(subject ?? {}, wait);
  }

  const watch = watchSilence({
    heard: () => socket.bytesRead,
    limitMs: connection.silenceTimeoutMs,
    ask: () => ask(session),
    lose: (why) => {
      const server = `MySQL at ${context.host}:${context.port}`;
      session.terminate(silenceError(server, connection.silenceTimeoutMs, why, attended.table));
    },
  });

  const session: Session = {
    transport,
    tag,
    get id() {
      return whereabouts.id;
    },
    get server() {
      return whereabouts.server;
    },
    attend(subject, wait) {
      attended = subject;
      return watch(wait);
    },
    get terminated() {
      return terminated;
    },
    failure: (error, subject = {}) =>
      terminated ?? toComportaError(error, { ...context, ...subject, phase: 'query' }),
    query: (sql, subject) =>
      run(subject, (done) => {
        const statement = { sql: `${tag} ${sql}`, typeCast: asText };
        driver.query(statement, (error, rows) => done(error, rows as unknown as TextRow[]));
      }),
    async prepare(sql, subject) {
      const tagged = `${tag} ${sql}`;
      const { id, parameters } = await run<DriverStatement>(subject, (done) =>
        driver.prepare(tagged, (error, statement) =>
          done(error, statement as unknown as DriverStatement),
        ),
      );
      const close = () => void driver.unprepare(tagged);
      if (parameters.length > 0) {
        close();
        throw session.failure(
          Object.assign(new Error('a ? stands for a parameter, and there is none'), { errno: 0 }),
          subject,
        );
      }
      return { id, close };
    },
    terminate(error) {
      if (terminated !== undefined) return;
      terminated = error;
      driver.destroy();
      socket.destroy();
      tellListeners(error);
    },
    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        socket.once('close', () => resolve());
        driver.end(() => socket.destroySoon());
      }),
  };
  await session.query(SESSION_SETTINGS);
  const [row] = await session.query(WHEREABOUTS);
  whereabouts = { id: row?.['id'] ?? '', server: row?.['server'] ?? '' };
  return session;
}

/** What mysql2 calls back with, beyond what its types say. */
interface DriverStatement {
  readonly id: number;
  readonly parameters: readonly unknown[];
}

function asText(field: { string(encoding?: string): string | null }): string | null {
  return field.string('utf8');
}
