/** The `packages` of a package-lock.json, by path. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface MissingPackage {
  /** Where it belongs in the lock file. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

/** Optional packages that a lock file's packages ask for and that are not among them. */
export function missingOptionals(packages: LockedPackages): readonly MissingPackage[] {
  const missing = new Map<string, MissingPackage>();
  for (const [dependent, { optionalDependencies = {}, dev = false }] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(optionalDependencies)) {
      const version = exactVersion(range);
      if (version === undefined || isFound(packages, dependent, name, version)) continue;
      const top = `node_modules/${name}`;
      const isTaken = top in packages || missing.has(top);
      const path = isTaken ? `${dependent}/${top}` : top;
      missing.set(path, { path, name, version, dev });
    }
  }
  return [...missing.values()];
}

/** Binaries for platforms are asked for by exact version, or by caret and the release beside them. */
function exactVersion(range: string): string | undefined {
  return /^\^?(\d+\.\d+\.\d+(?:-[\w.-]+)?)$/.exec(range)?.[1];
}

/** Looks where Node would: in the dependent's own node_modules, then in those above it. */
function isFound(
  packages: LockedPackages,
  dependent: string,
  name: string,
  version: string,
): boolean {
  for (let folder = dependent; ; folder = parentOf(folder)) {
    const found = packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`];
    if (found !== undefined) return majorOf(found.version ?? '') === majorOf(version);
    if (folder === '') return false;
  }
}

function parentOf(path: string): string {
  return path.includes('/node_modules/') ? path.slice(0, path.lastIndexOf('/node_modules/')) : '';
}

function majorOf(version: string): string | undefined {
  return version.split('.')[0];
}
