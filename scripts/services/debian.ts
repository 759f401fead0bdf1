import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute, findExecutable, type Execute } from './command';

export interface DebianPackages {
  readonly packages: readonly string[];
  /**
   * `installed`: the machine's own release, and only what the machine lacks is fetched.
   * Another suite, e.g. `sid`: fetched with everything it needs down to the C library, because
   * nothing of the machine's release may be mixed with it.
   */
  readonly suite: 'installed' | 'sid';
}

const systemSources = '/etc/apt/sources.list';
const systemSourceParts = '/etc/apt/sources.list.d';
const installedPackages = '/var/lib/dpkg/status';

/** Whether this machine can fetch and unpack Debian packages. */
export function hasDebianTools(): boolean {
  return ['apt-get', 'dpkg'].every((tool) => findExecutable(tool) !== undefined);
}

/**
 * Unpacks Debian packages into `directory` (`directory/usr/…`), without installing anything and
 * without root: apt-get works on lists, an archive and a status of its own, from the mirrors and
 * keys that the machine is set up with.
 */
export async function unpackDebianPackages(
  { packages, suite }: DebianPackages,
  directory: string,
  run: Execute = execute,
): Promise<void> {
  const root = join(directory, '.apt');
  const lists = join(root, 'lists');
  const archives = join(root, 'archives');
  await Promise.all(
    [join(lists, 'partial'), join(archives, 'partial'), join(root, 'sources')].map((folder) =>
      mkdir(folder, { recursive: true }),
    ),
  );
  // apt-get locks the folder of the status file, which only root may do to the machine's own.
  if (suite === 'installed') await copyFile(installedPackages, join(root, 'status'));
  else {
    await writeFile(join(root, 'status'), '');
    await writeSources(join(root, 'sources'), suite);
  }
  const configuration = join(root, 'apt.conf');
  await writeFile(configuration, aptConfiguration(root, suite));
  const apt = (...args: string[]) => run('apt-get', args, { env: { APT_CONFIG: configuration } });

  await apt('update', '--quiet');
  await apt(
    'install',
    '--quiet',
    '--yes',
    '--download-only',
    '--no-install-recommends',
    ...packages,
  );
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  for (const file of files) await run('dpkg', ['-x', join(archives, file), directory]);
  await rm(root, { recursive: true });
}

/** Folders of shared libraries below `directory`, where packages of the machine's release lie. */
export async function libraryFolders(directory: string): Promise<string[]> {
  const folders = await Promise.all(
    ['usr/lib', 'lib'].map(async (library) => {
      const parent = join(directory, library);
      if (!existsSync(parent)) return [];
      const names = await readdir(parent);
      return names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(parent, name));
    }),
  );
  return folders.flat();
}

/** LD_LIBRARY_PATH with these folders before those that it has. */
export function libraryPath(folders: readonly string[]): string {
  return [...folders, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':');
}

function aptConfiguration(root: string, suite: DebianPackages['suite']): string {
  const ownSources = [
    ['Dir::Etc::sourcelist', '/dev/null'],
    ['Dir::Etc::sourceparts', join(root, 'sources')],
  ];
  const settings = [
    ['Dir::State', root],
    ['Dir::State::status', join(root, 'status')],
    ['Dir::Cache', root],
    ['Acquire::Languages', 'none'],
    ['Acquire::IndexTargets::deb::DEP-11::DefaultEnabled', 'false'],
    // Root would otherwise fetch as the user _apt, who cannot write into a home directory.
    ['APT::Sandbox::User', 'root'],
    ...(suite === 'installed' ? [] : ownSources),
  ];
  return settings.map(([name, value]) => `${name} "${value}";\n`).join('');
}

async function writeSources(folder: string, suite: string): Promise<void> {
  const parts = existsSync(systemSourceParts) ? await readdir(systemSourceParts) : [];
  const oneLine = [systemSources, ...withSuffix(parts, '.list')].filter((path) => existsSync(path));
  const stanzas = withSuffix(parts, '.sources');
  for (const [index, path] of oneLine.entries())
    await writeFile(
      join(folder, `${index}.list`),
      withSuiteInLines(await readFile(path, 'utf8'), suite),
    );
  for (const [index, path] of stanzas.entries())
    await writeFile(
      join(folder, `${index}.sources`),
      withSuiteInStanzas(await readFile(path, 'utf8'), suite),
    );
}

function withSuffix(names: readonly string[], suffix: string): string[] {
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(systemSourceParts, name));
}

/**
 * Debian's own archive among the stanzas of a `.sources` file (deb822, sources.list(5)), with
 * another suite. Security archives and other vendors' have no such suite and are dropped.
 */
export function withSuiteInStanzas(text: string, suite: string): string {
  return text
    .split(/\n\s*\n/)
    .filter((stanza) => /^URIs:.*\/debian\/?\s*$/m.test(stanza))
    .map((stanza) =>
      stanza
        .replace(/^Suites:.*$/m, `Suites: ${suite}`)
        .replace(/^Components:.*$/m, 'Components: main'),
    )
    .join('\n\n');
}

/** The same for the lines `deb [options] uri suite component…` of a `.list` file. */
export function withSuiteInLines(text: string, suite: string): string {
  const own = text
    .split('\n')
    .map((line) => /^deb\s+(\[[^\]]*\]\s+)?(\S*\/debian\/?)\s/.exec(line))
    .filter((match) => match !== null)
    .map(([, options = '', uri]) => `deb ${options}${uri} ${suite} main`);
  // bookworm and bookworm-updates name the same archive; once is enough.
  return [...new Set(own)].map((line) => `${line}\n`).join('');
}
