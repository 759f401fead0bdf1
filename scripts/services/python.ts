import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { installOnce } from './cache';
import { execute, findExecutable, type Execute } from './command';
import { ToolUnavailableError } from './service';

/** An interpreter that sees the packages it was made for and no others. */
export interface PythonEnvironment {
  /** Path of the interpreter. Run programs of packages as `python -m module`. */
  readonly python: string;
  readonly directory: string;
}

/** The oldest Python that every pinned package has a build for. */
const oldestPython = [3, 10] as const;

/**
 * Finds or makes a virtual environment in the cache with exactly these packages.
 * @param name part of the folder's name, for people: what the environment is for.
 * @param requirements as pip takes them, with their versions: `pyarrow==21.0.0`. Changing any
 *   of them makes another environment.
 * @throws ToolUnavailableError where there is no Python, or pip cannot have a package.
 */
export async function ensurePython(
  name: string,
  requirements: readonly string[],
  progress: (line: string) => void = () => undefined,
  run: Execute = execute,
): Promise<PythonEnvironment> {
  const { interpreter, version } = await findPython(run);
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

async function findPython(run: Execute): Promise<Interpreter> {
  const [oldestMajor, oldestMinor] = oldestPython;
  const interpreter = findExecutable('python3');
  const version =
    interpreter &&
    (await run(interpreter, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).trim();
  const [major, minor] = (version ?? '').split('.').map(Number);
  if (interpreter && version && major === oldestMajor && minor! >= oldestMinor)
    return { interpreter, version };
  throw new ToolUnavailableError(
    `Python ${oldestMajor}.${oldestMinor} or later is missing. Install it with its venv module ` +
      'so that python3 is on PATH.',
  );
}
