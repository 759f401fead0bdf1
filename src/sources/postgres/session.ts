import type { ConnectionOptions } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig, type QueryConfig, type Submittable } from 'pg';
import { ComportaError } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { silenceError, watchSilence } from '../silence';
import { requestCancel } from './cancel';
import { isTlsRefusal, toComportaError, type ErrorContext } from './errors';
import { endBackend, whyNoAnswer, type Backend } from './lost';
import { tlsAttempts } from './tls';
import { Wire } from './wire';

/** Every value as the server printed it. */
export type TextRow = Readonly<Record<string, string | null>>;

/** What a statement is about, for its error. */
export type Subject = Pick<ErrorContext, 'table' | 'where'>;

/** A statement whose rows are taken as they come, see `CopyStream`. */
export interface Stream extends Submittable {
  /** Takes nothing more and lets what the server still sends pass by. */
  giveUp(reason: ComportaError): void;
  /** Resolves when the server has ended the statement, by its rows or by an error. */
  readonly ended: Promise<void>;
}

/** One connection of its own, with one statement at a time. */
export interface Session {
  /** `server_version_num`: 170010 for 17.10. */
  readonly version: number;
  readonly backend: Backend;
  /** Runs one statement; values are sent apart from it. Throws ComportaError. */
  query(sql: string, values?: readonly unknown[], subject?: Subject): Promise<readonly TextRow[]>;
  /** Runs statements of this project's own, divided by semicolons, in one round trip. */
  script(sql: string, subject?: Subject): Promise<void>;
  /** Begins a statement that streams. Throws the reason of `abort` after one. */
  stream(stream: Stream): void;
  /** Waits for the server, and ends the session when nothing will come over it any more. */
  attend<Result>(subject: Subject, wait: () => Promise<Result>): Promise<Result>;
  /** Where the bytes of a stream come from. */
  readonly wire: Wire;
  /** What an error of the driver means here; the reason of `abort` after one. */
  failure(error: unknown, subject?: Subject): ComportaError;
  /** Stops what runs on the server and cuts the connection: statements under way fail with `reason`. */
  abort(reason: ComportaError): Promise<void>;
  /** Ends the session; rolls back what is open. */
  close(): Promise<void>;
}

const OLDEST = 130000;
const KEEP_ALIVE_AFTER_MS = 30_000;
const FAREWELL_MS = 5_000;
const CANCEL_AGAIN_AFTER_MS = [50, 200, 800, 3_000];

/** pg turns dates into local time and numerics into text of its own; here the server's text counts. */
const AS_TEXT: ClientConfig['types'] = {
  getTypeParser: () => (value: string) => value,
};

/**
 * Opens a session. Where the server falls silent, it is asked on an errand whether it is still at
 * work. Throws ConnectionFailed, AuthenticationFailed, ConfigurationInvalid, …
 */
export function openSession(
  connection: DatabaseConnection,
  secrets: SecretStore,
): Promise<Session> {
  const errand = () => openWith(connection, secrets, ERRAND);
  return openWith(connection, secrets, {
    ask: (backend) => whyNoAnswer(errand, backend),
    end: (backend) => endBackend(errand, backend),
  });
}

/** What to do about a silent server. */
interface Oversight {
  /** See `SilenceOptions.ask`. */
  readonly ask: (backend: Backend) => Promise<string | undefined>;
  /** Ends the backend of a connection that is given up. */
  readonly end: (backend: Backend) => Promise<void>;
}

/** For statements that are answered at once: silence is the end of the session. */
const ERRAND: Oversight = {
  ask: () => Promise.resolve('and had nothing to do but answer'),
  end: () => Promise.resolve(),
};

async function openWith(
  connection: DatabaseConnection,
  secrets: SecretStore,
  oversight: Oversight,
): Promise<Session> {
  const password = connection.password === undefined ? '' : await secrets.read(connection.password);
  const attempts = await tlsAttempts(connection);
  for (const [i, ssl] of attempts.entries()) {
    try {
      return await connectOnce(connection, password, ssl, oversight);
    } catch (error) {
      const mayTryAgain = i + 1 < attempts.length && isTlsRefusal(error);
      if (!mayTryAgain) {
        throw toComportaError(error, { ...contextOf(connection), phase: 'connect' });
      }
    }
  }
  throw new RangeError('no way to connect was tried');
}

function contextOf({ name, host, port, user, database }: DatabaseConnection) {
  return { connection: name, host, port, user, database };
}

async function connectOnce(
  connection: DatabaseConnection,
  password: string,
  ssl: ConnectionOptions | false,
  oversight: Oversight,
): Promise<Session> {
  const { host, port, user, database } = connection;
  const wire = new Wire(ssl !== false);
  const client = new Client({
    host,
    port,
    user,
    database,
    // As a function, so that no PGPASSWORD or ~/.pgpass of this machine takes its place.
    password: () => password,
    ssl,
    application_name: 'comporta',
    connectionTimeoutMillis: connection.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: AS_TEXT,
    stream: () => wire.socket,
  });
  try {
    await client.connect();
    const version = await readVersion(client, connection);
    const backend = await readBackend(client, connection);
    return createSession(client, wire, connection, { ssl, version, backend, oversight });
  } catch (error) {
    client.on('error', () => undefined);
    wire.destroy();
    throw error;
  }
}

async function readVersion(client: Client, connection: DatabaseConnection): Promise<number> {
  const row = await firstRow<{ version: string }>(
    client,
    connection,
    `SELECT current_setting('server_version_num') AS version`,
  );
  const version = Number(row?.version);
  if (version >= OLDEST) return version;
  throw new ComportaError(
    'ConfigurationInvalid',
    `connection ${connection.name}: this server speaks for PostgreSQL ${Math.floor(version / 10_000)}`,
    { remedy: 'use PostgreSQL 13 or later' },
  );
}

const BACKEND = `
SELECT pid::text, backend_start::text AS started,
  concat(inet_server_addr(), ':', inet_server_port()) AS server
FROM pg_stat_activity WHERE pid = pg_backend_pid()`;

async function readBackend(client: Client, connection: DatabaseConnection): Promise<Backend> {
  const row = await firstRow<Omit<Backend, 'isPooled'>>(client, connection, BACKEND);
  const { pid, started, server } = row ?? { pid: '', started: '', server: '' };
  const { processID } = client as unknown as { readonly processID?: number | null };
  return { pid, started, server, isPooled: String(processID) !== pid };
}

/** Asks what belongs to connecting, and so has to be answered as soon. */
async function firstRow<Row extends object>(
  client: Client,
  { connectTimeoutMs }: DatabaseConnection,
  text: string,
): Promise<Row | undefined> {
  // Not among pg's types: https://node-postgres.com/apis/client ("query_timeout").
  const query: QueryConfig & { readonly query_timeout: number } = {
    text,
    query_timeout: connectTimeoutMs,
  };
  return (await client.query<Row>(query)).rows[0];
}

interface SessionFacts {
  readonly ssl: ConnectionOptions | false;
  readonly version: number;
  readonly backend: Backend;
  readonly oversight: Oversight;
}

function createSession(
  client: Client,
  wire: Wire,
  connection: DatabaseConnection,
  { ssl, version, backend, oversight }: SessionFacts,
): Session {
  const context = contextOf(connection);
  const { socket } = wire;
  let aborted: ComportaError | undefined;
  let aborting: Promise<void> | undefined;
  let lost: unknown;
  /** What the server works at; resolves when it has answered. */
  let running: Promise<unknown> = Promise.resolve();
  let streaming: Stream | undefined;
  let attended: Subject = {};
  // A connection lost while nothing runs is met by the next statement, with the first reason.
  client.on('error', (error) => (lost ??= error));

  const watch = watchSilence({
    heard: () => socket.bytesRead,
    limitMs: connection.silenceTimeoutMs,
    ask: () => oversight.ask(backend),
    lose: (why) => {
      const server = `PostgreSQL at ${connection.host}:${connection.port}`;
      aborted ??= silenceError(server, connection.silenceTimeoutMs, why, attended.table?.id);
      aborting ??= cutAndEnd(aborted);
    },
  });
  const attend: Session['attend'] = (subject, wait) => {
    attended = subject;
    return watch(wait);
  };

  const failure: Session['failure'] = (error, subject = {}) => {
    if (aborted !== undefined) return aborted;
    const first = lost !== undefined && isAftermath(error) ? lost : error;
    return toComportaError(first, { ...context, ...subject, phase: 'query' });
  };

  const run = async (
    config: QueryConfig & { readonly queryMode?: 'extended' },
    subject: Subject | undefined,
  ): Promise<readonly TextRow[]> => {
    if (aborted !== undefined) throw aborted;
    try {
      const answer = client.query<Record<string, string | null>>(config);
      running = answer.catch(() => undefined);
      return (await attend(subject ?? {}, () => answer)).rows;
    } catch (error) {
      throw failure(error, subject);
    }
  };

  /**
   * A cancellation that comes before its statement is lost, so it is sent until the statement has
   * ended; then the server waits for the client, and sees at once that there is none any more.
   */
  const cancelAndCut = async (reason: ComportaError) => {
    streaming?.giveUp(reason);
    const answered = running.then(() => true);
    const isAnsweredWithin = (patience: number) =>
      Promise.race([answered, delay(patience, false, { ref: false })]);
    for (const patience of CANCEL_AGAIN_AFTER_MS) {
      if (socket.destroyed || (await isAnsweredWithin(0))) break;
      const isTaken = await requestCancel(connection, ssl, client);
      if (!isTaken || (await isAnsweredWithin(patience))) break;
    }
    wire.destroy();
  };

  /** There is nobody to cancel with: what the server still does for this session is ended from outside. */
  const cutAndEnd = async (reason: ComportaError) => {
    streaming?.giveUp(reason);
    wire.destroy();
    // One that cannot be asked will notice by itself.
    await oversight.end(backend).catch(() => undefined);
  };

  return {
    version,
    backend,
    wire,
    failure,
    attend,
    // The extended protocol takes one statement only, whatever a filter in it says.
    query: (text, values, subject) =>
      run({ text, values: [...(values ?? [])], queryMode: 'extended' }, subject),
    script: async (text, subject) => {
      await run({ text }, subject);
    },
    stream(stream) {
      if (aborted !== undefined) throw aborted;
      streaming = stream;
      running = stream.ended;
      client.query(stream);
    },
    abort(reason) {
      aborted ??= reason;
      return (aborting ??= cancelAndCut(aborted));
    },
    async close() {
      await aborting;
      if (socket.destroyed) return;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      const impatience = setTimeout(() => socket.destroy(), FAREWELL_MS);
      client.end().catch(() => socket.destroy());
      await closed;
      clearTimeout(impatience);
    },
  };
}

/** What pg says of a connection that it knows to be gone already. */
function isAftermath(error: unknown): boolean {
  return error instanceof Error && /is not queryable$|^Connection terminated/.test(error.message);
}
