import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { ComportaError, messageOf } from '../../errors';
import type { DatabaseConnection, TlsSettings } from '../../pipeline/pipeline';

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
  const files = await readFiles(connection.name, connection.tls);
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

type CertificateFiles = Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;

async function readFiles(name: string, tls: TlsSettings): Promise<CertificateFiles> {
  const read = async (part: 'ca' | 'certificate' | 'key', option: keyof CertificateFiles) => {
    const path = tls[part];
    if (path === undefined) return {};
    try {
      return { [option]: await readFile(path, 'utf8') };
    } catch (error) {
      throw new ComportaError(
        'ConfigurationInvalid',
        `connection ${name}: tls.${part} cannot be read: ${messageOf(error)}`,
        { remedy: 'check that the file exists and that this process may read it', cause: error },
      );
    }
  };
  return {
    ...(await read('ca', 'ca')),
    ...(await read('certificate', 'cert')),
    ...(await read('key', 'key')),
  };
}
