import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute, findExecutable } from './command';
import { loopback, ToolUnavailableError } from './service';

/** PEM files of a server and of the authority that vouches for it. */
export interface Certificates {
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Makes an authority and a server certificate for 127.0.0.1 and localhost, valid for two days.
 * @param directory where the files go; made if absent.
 * @throws ToolUnavailableError where there is no openssl.
 */
export async function makeCertificates(directory: string): Promise<Certificates> {
  if (findExecutable('openssl') === undefined)
    throw new ToolUnavailableError('TLS tests need openssl on PATH.');
  await mkdir(directory, { recursive: true });
  const path = (name: string) => join(directory, name);
  const files = {
    authorityFile: path('authority.crt'),
    certificateFile: path('server.crt'),
    keyFile: path('server.key'),
  };
  const newKey = ['req', '-newkey', 'rsa:2048', '-nodes'];
  await execute('openssl', [
    ...newKey,
    '-x509',
    ...['-days', '2', '-subj', '/CN=Comporta test authority'],
    ...['-keyout', path('authority.key'), '-out', files.authorityFile],
  ]);
  await execute('openssl', [
    ...newKey,
    ...['-subj', '/CN=localhost', '-keyout', files.keyFile, '-out', path('server.csr')],
  ]);
  await writeFile(path('extensions'), `subjectAltName=DNS:localhost,IP:${loopback}\n`);
  await execute('openssl', [
    ...['x509', '-req', '-days', '2', '-in', path('server.csr'), '-out', files.certificateFile],
    ...['-CA', files.authorityFile, '-CAkey', path('authority.key'), '-CAcreateserial'],
    ...['-extfile', path('extensions')],
  ]);
  await Promise.all(
    ['server.csr', 'extensions', 'authority.key', 'authority.srl'].map((name) =>
      rm(path(name), { force: true }),
    ),
  );
  return files;
}
