import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from '../../scripts/services/cache';
import { findExecutable } from '../../scripts/services/command';
import { hasDebianTools, unpackDebianPackages } from '../../scripts/services/debian';
import { ToolUnavailableError } from '../../scripts/services/service';
import type { DatabaseName } from './databases';
import type { Job } from './job';

/** How to run a database's own client, and the libraries that it wants. */
export interface DatabaseClient {
  readonly command: readonly string[];
  readonly libraries: readonly string[];
}

/**
 * Finds the client program that comes with a database: on this machine, or in Debian's package.
 * @throws ToolUnavailableError where there is none.
 */
export async function databaseClient(
  database: DatabaseName,
  progress: (line: string) => void,
): Promise<DatabaseClient> {
  const { program, place, packages, suite } = CLIENTS[database];
  const installed = findExecutable(program);
  // A client called mysql may be MariaDB's: that database is measured with its own.
  if (installed && database !== 'mysql') return { command: [installed], libraries: [] };
  if (!hasDebianTools())
    throw new ToolUnavailableError(`${program} is missing. Install it so that it is on PATH.`);
  const root = await installOnce('client', `${database}-debian-${suite}`, async (target) => {
    progress(`fetching ${packages.join(', ')} from Debian`);
    await unpackDebianPackages({ packages, suite }, target);
  });
  const folder = await libraryFolder(root);
  const path = join(root, place, program);
  if (suite === 'installed') return { command: [path], libraries: [folder] };
  // Packages of another release need that release's C library, hence its loader.
  const loader = (await readdir(folder)).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name)) ?? '';
  return { command: [join(folder, loader), '--library-path', folder, path], libraries: [] };
}

const CLIENTS = {
  mariadb: {
    program: 'mariadb',
    place: 'usr/bin',
    packages: ['mariadb-client-core'],
    suite: 'installed',
  },
  mysql: { program: 'mysql', place: 'usr/bin', packages: ['mysql-client-core'], suite: 'sid' },
  postgres: {
    program: 'psql',
    place: 'usr/lib/postgresql/15/bin',
    packages: ['postgresql-client-15'],
    suite: 'installed',
  },
} as const;

async function libraryFolder(root: string): Promise<string> {
  const library = join(root, 'usr/lib');
  const platform = (await readdir(library)).find((name) => name.endsWith('-linux-gnu')) ?? '';
  return join(library, platform);
}

/** Prints the whole table to /dev/null in the client's fastest form. */
export function ownClientCommand({ command, libraries }: DatabaseClient, job: Job): string[] {
  const { family, host, port, user, password, database, table } = job;
  const environment = [
    ...(libraries.length === 0 ? [] : [`LD_LIBRARY_PATH=${libraries.join(':')}`]),
    family === 'mysql' ? `MYSQL_PWD=${password}` : `PGPASSWORD=${password}`,
  ];
  const address = [`--host=${host}`, `--port=${port}`];
  const query =
    family === 'mysql'
      ? [
          '--no-defaults',
          ...address,
          `--user=${user}`,
          '--quick',
          '--batch',
          '--raw',
          '--skip-column-names',
          `--execute=SELECT * FROM ${table}`,
          database,
        ]
      : [
          '--no-psqlrc',
          ...address,
          `--username=${user}`,
          `--dbname=${database}`,
          `--command=COPY ${table} TO STDOUT`,
        ];
  return ['env', ...environment, ...command, ...query];
}
