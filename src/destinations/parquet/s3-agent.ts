import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import type { TlsFiles } from '../../tls-files';

/** As many connections at once as the SDK's own agent makes. */
const MOST_SOCKETS = 50;

/** Connects with certificates that are read for each connection: renewed ones need no restart. */
export function fileTlsAgent(read: () => Promise<TlsFiles>): Agent {
  return new FileTlsAgent(read);
}

class FileTlsAgent extends Agent {
  constructor(private readonly read: () => Promise<TlsFiles>) {
    super({ keepAlive: true, maxSockets: MOST_SOCKETS });
  }

  override createConnection(
    options: ConnectionOptions,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.read().then(
      (files) => callback(null, connect({ ...options, ...files })),
      (error: Error) => (callback as (error: Error) => void)(error),
    );
  }
}
