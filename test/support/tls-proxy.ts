import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificates } from '../../scripts/services/certificates';

/** An address that speaks TLS, in front of a server that does not. */
export interface TlsProxy {
  /** `127.0.0.1:port`. */
  readonly address: string;
  close(): Promise<void>;
}

export interface TlsProxyOptions {
  /** `host:port` of the server behind it. */
  readonly target: string;
  readonly certificates: Certificates;
  /** As the server behind it speaks: `h2` for gRPC. Default: none. */
  readonly protocols?: readonly string[];
}

/** Lets nobody through who has no certificate of the same authority (mutual TLS). */
export async function startTlsProxy(options: TlsProxyOptions): Promise<TlsProxy> {
  const { authorityFile, certificateFile, keyFile } = options.certificates;
  const [host, port] = options.target.split(':');
  const open = new Set<Socket>();
  const track = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer(
    {
      ca: await readFile(authorityFile),
      cert: await readFile(certificateFile),
      key: await readFile(keyFile),
      requestCert: true,
      rejectUnauthorized: true,
      ...(options.protocols === undefined ? {} : { ALPNProtocols: [...options.protocols] }),
    },
    (secure) => {
      const plain = connect(Number(port), host);
      track(secure);
      track(plain);
      secure.pipe(plain);
      plain.pipe(secure);
      secure.on('close', () => plain.destroy());
      plain.on('close', () => secure.destroy());
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
