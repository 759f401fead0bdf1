import { existsSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePython, type PythonEnvironment } from '../../scripts/services/python';
import { JDBC_JARS, SPARK_PACKAGES } from '../../scripts/services/spark';

/** What the contenders are, by the names and versions of the package registries. */
const PACKAGES = {
  peers: [
    'duckdb==1.5.5',
    'duckdb-extension-tpch==1.5.5',
    'duckdb-extension-mysql-scanner==1.5.5',
    'duckdb-extension-postgres-scanner==1.5.5',
    'connectorx==0.4.6',
    'pyarrow==26.0.1',
    'adbc-driver-postgresql==1.13.0',
    'dlt==1.31.0',
    'sqlalchemy==2.1.9',
    'pymysql==1.2.4',
    'cryptography==50.0.2',
    'psycopg2-binary==2.9.13',
  ],
  ingestr: ['ingestr==0.15.9'],
  // Later releases fetch the program from elsewhere when they first run.
  sling: ['sling-linux-amd64==1.4.11'],
  spark: SPARK_PACKAGES,
} as const;

export type PeerGroup = keyof typeof PACKAGES;

/** The packages that a group of contenders runs on, for the report. */
export function versionsOf(group: PeerGroup): string {
  return [...PACKAGES[group], ...(group === 'spark' ? JDBC_JARS : [])].join(', ');
}

export function ensurePeers(
  group: PeerGroup,
  progress: (line: string) => void,
): Promise<PythonEnvironment> {
  return ensurePython(`bench-${group}`, PACKAGES[group], progress);
}

/** Path of an extension that a package of PyPI brings along for DuckDB. */
export async function duckdbExtension(
  { directory }: PythonEnvironment,
  name: 'tpch' | 'postgres_scanner',
): Promise<string> {
  const folder = join(await sitePackages(directory), `duckdb_extension_${name}`, 'extensions');
  const [version] = await readdir(folder);
  return join(folder, version ?? '', `${name}.duckdb_extension`);
}

export function ingestrProgram({ directory }: PythonEnvironment): string {
  return join(directory, 'bin/ingestr');
}

export async function slingProgram({ directory }: PythonEnvironment): Promise<string> {
  const program = join(await sitePackages(directory), 'sling_linux_amd64/bin/sling-linux-amd64');
  // The package has it as data, which pip installs without the right to be run.
  if (existsSync(program)) await chmod(program, 0o755);
  return program;
}

async function sitePackages(directory: string): Promise<string> {
  const library = join(directory, 'lib');
  const [python] = await readdir(library);
  return join(library, python ?? '', 'site-packages');
}
