import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installOnce } from './cache';
import { execute, findExecutable } from './command';
import { hasDebianTools, libraryFolders, libraryPath, unpackDebianPackages } from './debian';
import { inServiceDirectory, runsAsRoot, type ServiceDirectory } from './directory';
import { answersMysqlClient, testUserStatements } from './mysql-client';
import { startNative, withFacts } from './native';
import { freePort } from './network';
import {
  loopback,
  testConnection,
  ToolUnavailableError,
  type NativeDatabaseService,
  type NativeOptions,
} from './service';

/** A MariaDB server program with the files it cannot do without. */
export interface MariadbTool {
  readonly server: string;
  /** Folder of the message files and of the scripts that make the system tables. */
  readonly share: string;
  /** Folders of shared libraries that the system may lack. */
  readonly libraries: readonly string[];
}

export interface MariadbOptions extends NativeOptions {
  /** Whether to write a binary log in row format, as change capture needs it. Default: true. */
  readonly binaryLog?: boolean;
}

/**
 * Finds or fetches MariaDB: `mariadbd` of this machine, else Debian's package in the cache.
 * @throws ToolUnavailableError where neither can be had.
 */
export async function ensureMariadb(
  progress: (line: string) => void = () => undefined,
): Promise<MariadbTool> {
  const installed = findExecutable('mariadbd');
  const share = installed && systemShare(installed);
  if (installed && share) return { server: installed, share, libraries: [] };
  if (!hasDebianTools())
    throw new ToolUnavailableError(
      'MariaDB is missing. Install it so that mariadbd is on PATH (macOS: brew install mariadb), ' +
        'or start a Docker engine.',
    );
  const directory = await installOnce('mariadb', 'debian', async (target) => {
    progress('fetching MariaDB from Debian (7 MB)');
    await unpackDebianPackages({ packages: ['mariadb-server-core'], suite: 'installed' }, target);
  });
  return {
    server: join(directory, 'usr/sbin/mariadbd'),
    share: join(directory, 'usr/share/mysql'),
    libraries: await libraryFolders(directory),
  };
}

/**
 * Starts MariaDB with an empty database and a user that may do everything.
 *
 * Zone, character set and SQL mode are the server's defaults. Commits survive a kill of the
 * server, but not of the machine: that would cost an fsync each and prove nothing here.
 */
export async function startMariadb(options: MariadbOptions = {}): Promise<NativeDatabaseService> {
  const tool = await ensureMariadb(options.progress);
  return inServiceDirectory('mariadb', options.directory, (directory) =>
    startIn(directory, tool, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  tool: MariadbTool,
  options: MariadbOptions,
): Promise<NativeDatabaseService> {
  const dataDirectory = join(directory.path, 'data');
  const port = options.port ?? (await freePort());
  const always = baseArguments(tool, directory.path, dataDirectory);
  const environment = { LD_LIBRARY_PATH: libraryPath(tool.libraries) };
  if (!existsSync(dataDirectory)) await createDatabase(tool, always, dataDirectory, environment);

  const service = await startNative({
    name: 'mariadb',
    port,
    directory,
    extraArgs: options.extraArgs,
    ready: () => answersMysqlClient(port),
    command: (extraArgs) => ({
      command: tool.server,
      env: environment,
      args: [
        ...always,
        `--port=${port}`,
        `--bind-address=${loopback}`,
        // Relative to the data directory: a socket's path may have 107 characters at most.
        '--socket=server.sock',
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=2',
        ...(options.binaryLog === false
          ? ['--skip-log-bin']
          : ['--log-bin=binlog', '--binlog-format=ROW', '--server-id=1']),
        ...extraArgs,
      ],
    }),
  });
  return withFacts(service, testConnection);
}

function baseArguments(tool: MariadbTool, folder: string, dataDirectory: string): string[] {
  return [
    '--no-defaults',
    // Two servers that start at once would remove each other's temporary tables in a shared one.
    `--tmpdir=${folder}`,
    `--datadir=${dataDirectory}`,
    `--lc-messages-dir=${tool.share}`,
    `--character-sets-dir=${join(tool.share, 'charsets')}`,
    ...(runsAsRoot ? ['--user=root'] : []),
  ];
}

/** What mariadb-install-db does, without the programs of other packages that it calls. */
async function createDatabase(
  tool: MariadbTool,
  serverArguments: readonly string[],
  dataDirectory: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const scripts = await Promise.all(
    [
      'mysql_system_tables.sql',
      'mysql_performance_tables.sql',
      'mysql_system_tables_data.sql',
      'maria_add_gis_sp_bootstrap.sql',
      'mysql_sys_schema.sql',
    ].map((name) => readFile(join(tool.share, name), 'utf8')),
  );
  // In bootstrap mode a statement ends at the end of a line, and accounts can be made only once
  // the new grant tables have been read.
  const statements = [
    'CREATE DATABASE mysql;\nUSE mysql;\n',
    ...scripts,
    'FLUSH PRIVILEGES;\n',
    testUserStatements(),
  ].join('\n');
  const unfinished = `${dataDirectory}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await execute(
    tool.server,
    [...serverArguments, `--datadir=${unfinished}`, '--bootstrap', '--skip-log-bin'],
    { input: statements, env: environment },
  );
  await rename(unfinished, dataDirectory);
}

function systemShare(server: string): string | undefined {
  const prefix = dirname(dirname(server));
  return ['share/mysql', 'share/mariadb']
    .map((folder) => join(prefix, folder))
    .find((folder) => existsSync(join(folder, 'mysql_system_tables.sql')));
}
