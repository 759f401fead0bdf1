import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingOptionals, type LockedPackage, type LockedPackages } from './missing-optionals';

/**
 * `npx tsx scripts/complete-lock-file.ts`, after `npm install` has changed package-lock.json.
 *
 * npm leaves optional packages out of the lock file when the registry that it asks does not have
 * them, as mirrors often lack the binaries of other platforms. `npm ci` then refuses the lock file
 * everywhere. This adds what is left out: name, version, and for which platforms. Such an entry has
 * no checksum, since the package was not to be had.
 */
function completeLockFile(file: string): void {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: LockedPackages };
  const missing = missingOptionals(lock.packages);
  const added = missing.map(({ path, name, version, dev }): [string, LockedPackage] => {
    const { os, cpu, libc, license, engines } = publishedFacts(name);
    const entry = {
      version,
      cpu: listOf(cpu),
      ...(dev ? { dev } : {}),
      libc: listOf(libc),
      license,
      optional: true,
      os: listOf(os),
      engines,
    };
    return [path, entry];
  });
  const all = [...Object.entries(lock.packages), ...added];
  lock.packages = Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
  for (const { path, version } of missing) process.stdout.write(`added ${path} ${version}\n`);
}

/** Of whichever versions there are: the platform is in a package's name, not in its version. */
function publishedFacts(name: string): Record<string, unknown> {
  const answer = execFileSync(
    'npm',
    ['view', name, 'os', 'cpu', 'libc', 'license', 'engines', '--json'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return JSON.parse(answer) as Record<string, unknown>;
}

function listOf(value: unknown): unknown[] | undefined {
  return value === undefined ? undefined : [value].flat();
}

completeLockFile(join(__dirname, '..', 'package-lock.json'));
