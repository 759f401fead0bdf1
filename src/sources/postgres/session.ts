import type { ConnectionOptions } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig, type QueryConfig, type Submittable } from 'pg';
import { ComportaError } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import type { SecretStore } from '../../pipeline/secrets';
import { requestCancel } from './cancel';
import { isTlsRefusal, toComportaError, type ErrorContext } from './errors';
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
  /** Runs one statement; values are sent apart from it. Throws ComportaError. */
  query(sql: string, values?: readonly unknown[], subject?: Subject): Promise<readonly TextRow[]>;
  /** Runs statements of this project's own, divided by semicolons, in one round trip. */
  script(sql: string, subject?: Subject): Promise<void>;
  /** Begins a statement that streams. Throws the reason of `abort` after one. */
  stream(stream: Stream): void;
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

/** Opens a session. Throws ConnectionFailed, AuthenticationFailed, ConfigurationInvalid, … */
export async function openSession(
  connection: DatabaseConnection,
  secrets: SecretStore,
): Promise<Session> {
  const password = connection.password === undefined ? '' : await secrets.read(connection.password);
  const attempts = await tlsAttempts(connection);
  for (const [i, ssl] of attempts.entries()) {
    try {
      return await connectOnce(connection, password, ssl);
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
    return createSession(client, wire, connection, ssl, version);
  } catch (error) {
    client.on('error', () => undefined);
    wire.destroy();
    throw error;
  }
}

async function readVersion(client: Client, { name }: DatabaseConnection): Promise<number> {
  const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  const version = Number(rows[0]?.server_version_num);
  if (version >= OLDEST) return version;
  throw new ComportaError(
    'ConfigurationInvalid',
    `connection ${name}: this server speaks for PostgreSQL ${Math.floor(version / 10_000)}`,
    { remedy: 'use PostgreSQL 13 or later' },
  );
}

function createSession(
  client: Client,
  wire: Wire,
  connection: DatabaseConnection,
  ssl: ConnectionOptions | false,
  version: number,
): Session {
  const context = contextOf(connection);
  const { socket } = wire;
  let aborted: ComportaError | undefined;
  let aborting: Promise<void> | undefined;
  let lost: unknown;
  /** What the server works at; resolves when it has answered. */
  let running: Promise<unknown> = Promise.resolve();
  let streaming: Stream | undefined;
  // A connection lost while nothing runs is met by the next statement, with the first reason.
  client.on('error', (error) => (lost ??= error));

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
      return (await answer).rows;
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

  return {
    version,
    wire,
    failure,
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
