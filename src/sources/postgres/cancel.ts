import type { ConnectionOptions } from 'node:tls';
import { Connection } from 'pg';

/** The parts of pg's connection and client that its types leave out. */
interface CancellingConnection {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  on(event: 'connect' | 'sslconnect' | 'end' | 'error', listener: () => void): void;
  readonly stream: { destroy(): void };
}

interface Backend {
  readonly processID?: number | null;
  readonly secretKey?: number | null;
}

const PATIENCE_MS = 3_000;

/**
 * Asks the server to cancel what a session runs, over a second connection, which the protocol
 * provides for: it needs no sign-in, and the secret key of the session keeps it from ever
 * hitting another one (postgresql.org/docs, "Canceling Requests in Progress"). Resolves true when
 * the server has taken the request, false when it could not be asked.
 */
export async function requestCancel(
  { host, port }: { readonly host: string; readonly port: number },
  ssl: ConnectionOptions | false,
  backend: unknown,
): Promise<boolean> {
  const { processID, secretKey } = backend as Backend;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return false;
  const connection = new Connection({ ssl }) as unknown as CancellingConnection;
  let isSent = false;
  const send = () => {
    isSent = true;
    connection.cancel(processID, secretKey);
  };
  const isTaken = await new Promise<boolean>((resolve) => {
    const impatience = setTimeout(() => resolve(false), PATIENCE_MS);
    const end = () => {
      clearTimeout(impatience);
      resolve(isSent);
    };
    connection.on('connect', () => (ssl === false ? send() : connection.requestSsl()));
    connection.on('sslconnect', send);
    // The server answers nothing and closes.
    connection.on('end', end);
    connection.on('error', end);
    connection.connect(port, host);
  });
  connection.stream.destroy();
  return isTaken;
}
