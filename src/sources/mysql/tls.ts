import { isIP } from 'node:net';
import type { SslOptions } from 'mysql2';
import { ComportaError } from '../../errors';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import { readTlsFiles } from '../../tls-files';

/** Which connection attempts to make, in order: with TLS by these options, or without (`undefined`). */
export type TlsAttempts = readonly (SslOptions | undefined)[];

/**
 * The settings as mysql2 takes them. `prefer` is two attempts: the second, without TLS, is for a
 * server that offers none. Throws ConfigurationInvalid for a certificate file that cannot be read.
 */
export async function tlsAttempts(connection: DatabaseConnection): Promise<TlsAttempts> {
  const { tls } = connection;
  switch (tls.mode) {
    case 'disable':
      return [undefined];
    case 'prefer':
      return [await sslOptions(connection, false, false), undefined];
    case 'require':
      return [await sslOptions(connection, false, false)];
    case 'verify-ca':
      return [await sslOptions(connection, true, false)];
    case 'verify-full':
      // mysql2 has no server name to check for an address and would compare with "localhost".
      if (isIP(connection.host) !== 0) {
        throw new ComportaError(
          'ConfigurationInvalid',
          `connection ${connection.name}: tls.mode verify-full needs a host name, not the address ${connection.host}`,
          { remedy: 'set host to the name in the server certificate, or tls.mode to verify-ca' },
        );
      }
      return [await sslOptions(connection, true, true)];
  }
}

async function sslOptions(
  connection: DatabaseConnection,
  rejectUnauthorized: boolean,
  verifyIdentity: boolean,
): Promise<SslOptions> {
  const files = await readTlsFiles(connection.name, connection.tls);
  return { rejectUnauthorized, verifyIdentity, ...files };
}
