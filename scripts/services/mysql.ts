import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installOnce } from './cache';
import { execute, findExecutable } from './command';
import { hasDebianTools, unpackDebianPackages } from './debian';
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

/** How to run a MySQL server program. */
export interface MysqlTool {
  /** The server, or the loader that runs it against its own C library. */
  readonly command: string;
  /** What comes before the server's own arguments. */
  readonly prefix: readonly string[];
  /** Folder with `share/mysql` below. */
  readonly base: string;
}

export interface MysqlOptions extends NativeOptions {
  /** Global transaction ids. Default: true. */
  readonly gtid?: boolean;
  /** Whether to write a binary log, as change capture needs it. Default: true. */
  readonly binaryLog?: boolean;
}

/**
 * Finds or fetches a real MySQL, version 8.4 or later: `mysqld` of this machine, else Debian's
 * package in the cache. MariaDB, which may call itself mysqld, does not count.
 * @throws ToolUnavailableError where neither can be had.
 */
export async function ensureMysql(
  progress: (line: string) => void = () => undefined,
): Promise<MysqlTool> {
  const installed = findExecutable('mysqld');
  if (installed && isRecentMysql(await execute(installed, ['--version'])))
    return { command: installed, prefix: [], base: dirname(dirname(installed)) };
  if (!hasDebianTools())
    throw new ToolUnavailableError(
      'MySQL is missing. Install 8.4 or later so that mysqld is on PATH (macOS: brew install ' +
        'mysql), or start a Docker engine.',
    );
  // Debian has MySQL in its unstable suite only.
  const root = await installOnce('mysql', 'debian-sid', async (target) => {
    progress('fetching MySQL from Debian unstable (60 MB)');
    await unpackDebianPackages({ packages: ['mysql-server-core'], suite: 'sid' }, target);
  });
  return runByOwnLoader(root);
}

/** Judges the answer of `mysqld --version`, e.g. `/usr/sbin/mysqld  Ver 8.4.3 for Linux on …`. */
export function isRecentMysql(versionLine: string): boolean {
  const [, major, minor] = /Ver (\d+)\.(\d+)/.exec(versionLine) ?? [];
  if (versionLine.includes('MariaDB') || major === undefined) return false;
  return Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 4);
}

/**
 * Starts MySQL with an empty database and a user that may do everything, signing in by
 * caching_sha2_password. The server makes its own TLS certificates.
 *
 * Zone, character set and SQL mode are the server's defaults. Commits survive a kill of the
 * server, but not of the machine: that would cost an fsync each and prove nothing here.
 */
export async function startMysql(options: MysqlOptions = {}): Promise<NativeDatabaseService> {
  const tool = await ensureMysql(options.progress);
  return inServiceDirectory('mysql', options.directory, (directory) =>
    startIn(directory, tool, options),
  );
}

async function startIn(
  directory: ServiceDirectory,
  tool: MysqlTool,
  options: MysqlOptions,
): Promise<NativeDatabaseService> {
  const dataDirectory = join(directory.path, 'data');
  const port = options.port ?? (await freePort());
  const always = [
    ...tool.prefix,
    '--no-defaults',
    // Two servers that start at once would remove each other's temporary tables in a shared one.
    `--tmpdir=${directory.path}`,
    `--basedir=${tool.base}`,
    `--lc-messages-dir=${join(tool.base, 'share/mysql')}`,
    ...(runsAsRoot ? ['--user=root'] : []),
  ];
  if (!existsSync(dataDirectory)) await createDatabase(tool.command, always, dataDirectory);

  const service = await startNative({
    name: 'mysql',
    port,
    directory,
    extraArgs: options.extraArgs,
    ready: () => answersMysqlClient(port),
    command: (extraArgs) => ({
      command: tool.command,
      args: [
        ...always,
        `--datadir=${dataDirectory}`,
        `--port=${port}`,
        `--bind-address=${loopback}`,
        '--mysqlx=OFF',
        // Relative to the data directory: a socket's path may have 107 characters at most.
        '--socket=server.sock',
        // Debian compiles in a folder that exists only where the package is installed.
        '--secure-file-priv=',
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=2',
        '--sync-binlog=0',
        ...logArguments(options),
        ...extraArgs,
      ],
    }),
  });
  return withFacts(service, testConnection);
}

/** The part of the command line that is about the binary log. */
export function logArguments({ gtid = true, binaryLog = true }: MysqlOptions): string[] {
  const mode = gtid ? 'ON' : 'OFF';
  return [
    ...(binaryLog ? ['--log-bin=binlog', '--server-id=1'] : ['--skip-log-bin']),
    `--gtid-mode=${mode}`,
    `--enforce-gtid-consistency=${mode}`,
  ];
}

async function createDatabase(
  command: string,
  serverArguments: readonly string[],
  dataDirectory: string,
): Promise<void> {
  const unfinished = `${dataDirectory}.new`;
  const statements = `${dataDirectory}.sql`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await writeFile(statements, testUserStatements());
  await execute(command, [
    ...serverArguments,
    `--datadir=${unfinished}`,
    '--initialize-insecure',
    `--init-file=${statements}`,
  ]);
  await rm(statements);
  await rename(unfinished, dataDirectory);
}

/** Packages of another release need that release's C library, hence its loader. */
async function runByOwnLoader(root: string): Promise<MysqlTool> {
  const libraries = join(root, 'usr/lib');
  const platform = (await readdir(libraries)).find((name) => name.endsWith('-linux-gnu'))!;
  const folder = join(libraries, platform);
  const loader = (await readdir(folder)).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name))!;
  const base = join(root, 'usr');
  return {
    command: join(folder, loader),
    prefix: ['--library-path', folder, join(base, 'sbin/mysqld')],
    base,
  };
}
