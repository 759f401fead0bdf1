import { readFile } from 'node:fs/promises';
import { ComportaError, messageOf } from './errors';
import type { TlsFilePaths } from './pipeline/pipeline';

/** PEM texts under the names that `node:tls` and the drivers on it have for them; only those given. */
export interface TlsFiles {
  ca?: string;
  cert?: string;
  key?: string;
}

const NAMES = { ca: 'ca', certificate: 'cert', key: 'key' } as const;

/** Reads the files of a connection's TLS. Throws ConfigurationInvalid for one that cannot be read. */
export async function readTlsFiles(connection: string, tls: TlsFilePaths): Promise<TlsFiles> {
  const files: TlsFiles = {};
  for (const part of ['ca', 'certificate', 'key'] as const) {
    const path = tls[part];
    if (path === undefined) continue;
    try {
      files[NAMES[part]] = await readFile(path, 'utf8');
    } catch (error) {
      throw new ComportaError(
        'ConfigurationInvalid',
        `connection ${connection}: tls.${part} cannot be read: ${messageOf(error)}`,
        { remedy: 'check that the file exists and that this process may read it', cause: error },
      );
    }
  }
  return files;
}
