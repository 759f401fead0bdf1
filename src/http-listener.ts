import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that listens. */
export interface HttpListener {
  readonly port: number;
  /** Resolves when nothing of it is left, clients that keep their connections included. */
  close(): Promise<void>;
}

/** Rejects when the address is taken, or not this machine's. Port 0 takes one that is free. */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HttpListener> {
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const end = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await end;
    },
  };
}
