import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installOnce } from './cache';
import { execute, findExecutable, isExecutable, type Execute } from './command';
import { ToolUnavailableError } from './service';

/** An interpreter that sees the packages it was made for and no others. */
export interface PythonEnvironment {
  /** Path of the interpreter. Run programs of packages as `python -m module`. */
  readonly python: string;
  readonly directory: string;
}

/** The oldest Python that every package has a build for which asks for no other. */
const oldestPython = [3, 10] as const;

/**
 * Finds or makes a virtual environment in the cache with exactly these packages.
 * @param name part of the folder's name, for people: what the environment is for.
 * @param requirements as pip takes them, with their versions: `pyarrow==21.0.0`. Changing any
 *   of them makes another environment.
 * @param wanted the one Python that they run on: `3.13`. Default: any from 3.10 on.
 * @throws ToolUnavailableError where there is no Python, or pip cannot have a package.
 */
export async function ensurePython(
  name: string,
  requirements: readonly string[],
  progress: (line: string) => void = () => undefined,
  run: Execute = execute,
  wanted?: string,
): Promise<PythonEnvironment> {
  const { interpreter, version } = await findPython(run, wanted);
  const directory = await installOnce(
    `python-${name}`,
    environmentVersion(version, requirements),
    async (target) => {
      progress(`installing ${requirements.join(', ')} for Python ${version}`);
      // Not a copy of the interpreter but a link to it: it finds its library from there, and
      // the environment from where the link lies, so the folder may be renamed afterwards.
      await run(interpreter, ['-m', 'venv', '--symlinks', target]);
      await install(pythonOf(target), requirements, run);
    },
  );
  return { python: pythonOf(directory), directory };
}

/** Folder of the cache for these packages on this Python: what differs never shares one. */
export function environmentVersion(python: string, requirements: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(requirements)).digest('hex');
  return `${python}-${hash.slice(0, 12)}`;
}

function pythonOf(directory: string): string {
  return join(directory, 'bin/python');
}

async function install(
  python: string,
  requirements: readonly string[],
  run: Execute,
): Promise<void> {
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
  try {
    // An older release that is built, say of what a package depends on, rather than a compiler.
    await run(python, [...pip, '--prefer-binary', ...requirements]);
  } catch (error) {
    throw new ToolUnavailableError(
      `pip could not install ${requirements.join(', ')}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

interface Interpreter {
  readonly interpreter: string;
  /** Major and minor: `3.11`. */
  readonly version: string;
}

async function findPython(run: Execute, wanted: string | undefined): Promise<Interpreter> {
  for (const interpreter of interpreters(wanted)) {
    const version = await versionOf(interpreter, run);
    if (version !== undefined && suits(version, wanted)) return { interpreter, version };
  }
  const [major, minor] = oldestPython;
  throw new ToolUnavailableError(
    wanted === undefined
      ? `Python ${major}.${minor} or later is missing. Install it with its venv module so that ` +
          'python3 is on PATH.'
      : `Python ${wanted} is missing. Install it with its venv module so that python${wanted} is ` +
          `on PATH, or with pyenv (pyenv install ${wanted}).`,
  );
}

function suits(version: string, wanted: string | undefined): boolean {
  if (wanted !== undefined) return version === wanted;
  const [major, minor] = version.split('.').map(Number);
  return major === oldestPython[0] && minor! >= oldestPython[1];
}

/** A certain version is also looked for under its own name, and among those of pyenv. */
function interpreters(wanted: string | undefined): string[] {
  const onPath = [findExecutable('python3')];
  if (wanted === undefined) return onPath.filter((path) => path !== undefined);
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const ofPyenv = existsSync(pyenv) ? readdirSync(pyenv) : [];
  return [
    ...[...onPath, findExecutable(`python${wanted}`)].filter((path) => path !== undefined),
    ...ofPyenv
      .filter((version) => version.startsWith(`${wanted}.`))
      .map((version) => join(pyenv, version, 'bin/python3'))
      .filter(isExecutable),
  ];
}

/** Undefined for one that does not run: pyenv has names on PATH for versions that are not chosen. */
async function versionOf(interpreter: string, run: Execute): Promise<string | undefined> {
  const program = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const printed = await run(interpreter, ['-c', program]).catch(() => undefined);
  return printed?.trim();
}
