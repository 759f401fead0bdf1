import { execute, findExecutable, type Execute } from './command';

/** Whether this machine can build Go programs. */
export function hasGo(): boolean {
  return findExecutable('go') !== undefined;
}

/**
 * Builds `module@version` into `directory` (2–3 minutes the first time).
 * Without C, so that no compiler beside Go's is needed.
 */
export async function goInstall(
  module: string,
  directory: string,
  run: Execute = execute,
): Promise<void> {
  await run('go', ['install', module], {
    env: { GOBIN: directory, CGO_ENABLED: '0' },
    cwd: directory,
  });
}
