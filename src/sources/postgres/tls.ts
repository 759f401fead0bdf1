import type { ConnectionOptions } from 'node:tls';
import type { DatabaseConnection } from '../../pipeline/pipeline';
import { readTlsFiles } from '../../tls-files';

/** Which connection attempts to make, in order: with TLS by these options, or without (`false`). */
export type TlsAttempts = readonly (ConnectionOptions | false)[];

/**
 * The settings as pg takes them, with the meaning of libpq's `sslmode`
 * (postgresql.org/docs, "SSL Mode Descriptions"). `prefer` is two attempts, the second without
 * TLS. Throws ConfigurationInvalid for a certificate file that cannot be read.
 */
export async function tlsAttempts(connection: DatabaseConnection): Promise<TlsAttempts> {
  const { mode } = connection.tls;
  if (mode === 'disable') return [false];
  const files = await readTlsFiles(connection.name, connection.tls);
  switch (mode) {
    case 'prefer':
      return [{ ...files, rejectUnauthorized: false }, false];
    case 'require':
      return [{ ...files, rejectUnauthorized: false }];
    case 'verify-ca':
      return [{ ...files, rejectUnauthorized: true, checkServerIdentity: () => undefined }];
    case 'verify-full':
      return [{ ...files, rejectUnauthorized: true }];
  }
}
