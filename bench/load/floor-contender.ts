import { connect, Socket } from 'node:net';
import { createConnection } from 'mysql2';
import { Client } from 'pg';
import { perform, readJob, type Job } from './job';

const BUFFER_BYTES = 1024 * 1024;

/** An answer's first bytes, by which either protocol tells an error from a result. */
const HEAD_BYTES = 5;

/**
 * The floor: the whole table comes over the wire and is thrown away. The query is followed at once
 * by the order to hang up, so the end of the answer is the end of the connection and no byte but the
 * first ones needs to be looked at.
 */
async function discard(job: Job): Promise<void> {
  const bytes = await (job.family === 'mysql' ? discardMysql(job) : discardPostgres(job));
  process.stdout.write(`${bytes}\n`);
}

/** Passes bytes to the driver until it is told that they are nobody's. */
function countingSocket(): {
  options: object;
  taken: { over: boolean; bytes: number; head: Buffer };
  of: (socket: Socket) => void;
} {
  const taken = { over: false, bytes: 0, head: Buffer.alloc(0) };
  let owner: Socket | undefined;
  const options = {
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (length: number, buffer: Uint8Array) => {
        if (taken.over) {
          if (taken.bytes < HEAD_BYTES) {
            const missing = Math.min(length, HEAD_BYTES - taken.bytes);
            taken.head = Buffer.concat([taken.head, buffer.subarray(0, missing)]);
          }
          taken.bytes += length;
        } else owner?.emit('data', Buffer.from(buffer.subarray(0, length)));
        return true;
      },
    },
  };
  return { options, taken, of: (socket) => (owner = socket) };
}

async function discardMysql(job: Job): Promise<number> {
  const { host, port, user, password, database } = job;
  const { options, taken, of } = countingSocket();
  let socket: Socket | undefined;
  const connection = createConnection({
    user,
    password,
    database,
    // With it a query begins with the number of its attributes; ours has none.
    flags: ['-CLIENT_QUERY_ATTRIBUTES'],
    stream: () => {
      socket = connect({ host, port, ...options });
      of(socket);
      return socket;
    },
  });
  connection.on('error', () => undefined);
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) => (error ? reject(error) : resolve())),
  );
  const query = `SELECT * FROM ${job.table}`;
  let statement = 0;
  if (job.options['protocol'] === 'binary')
    statement = await new Promise<number>((resolve, reject) =>
      connection.prepare(query, (error, prepared) =>
        error ? reject(error) : resolve((prepared as unknown as { id: number }).id),
      ),
    );
  taken.over = true;
  const COM_QUIT = 0x01;
  const COM_QUERY = 0x03;
  const COM_STMT_EXECUTE = 0x17;
  const body = Buffer.alloc(9);
  body.writeUInt32LE(statement, 0);
  body.writeUInt32LE(1, 5);
  const ended = endOf(socket!);
  socket!.write(
    Buffer.concat([
      statement === 0 ? packet(COM_QUERY, Buffer.from(query)) : packet(COM_STMT_EXECUTE, body),
      packet(COM_QUIT, Buffer.alloc(0)),
    ]),
  );
  await ended;
  // The kind of a packet stands behind its length and its number.
  const ERROR_PACKET = 0xff;
  if (taken.head[4] === ERROR_PACKET) throw new Error(`the server refused ${query}`);
  return taken.bytes;
}

/** A command of the MySQL protocol: three bytes of length, a sequence number, the command. */
function packet(command: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUIntLE(body.length + 1, 0, 3);
  header[4] = command;
  return Buffer.concat([header, body]);
}

async function discardPostgres(job: Job): Promise<number> {
  const { host, port, user, password, database } = job;
  const { options, taken, of } = countingSocket();
  const socket = new Socket(options);
  of(socket);
  const client = new Client({ host, port, user, password, database, stream: () => socket });
  client.on('error', () => undefined);
  await client.connect();
  taken.over = true;
  const ended = endOf(socket);
  const query = `COPY ${job.table} TO STDOUT (FORMAT binary)`;
  socket.write(
    Buffer.concat([message('Q', Buffer.from(`${query}\0`)), message('X', Buffer.alloc(0))]),
  );
  await ended;
  const ERROR_RESPONSE = 'E';
  if (taken.head.toString('latin1', 0, 1) === ERROR_RESPONSE)
    throw new Error(`the server refused ${query}`);
  return taken.bytes;
}

/** A message of the PostgreSQL protocol: its letter, its length with the length itself. */
function message(letter: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(letter, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => resolve());
    socket.once('error', reject);
  });
}

perform(readJob(), discard).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
