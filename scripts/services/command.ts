import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the command's standard input. Default: no input. */
  readonly input?: string;
  /** Run as this user instead of the caller's; needs root. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a program to its end; how it is passed around so that tests can watch the commands. */
export type Execute = (
  command: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<string>;

/** Thrown by {@link execute} when the program fails; the message ends with what it printed. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
}

const printedAtMost = 4_000;

/**
 * Runs a program to its end and resolves to its standard output.
 * @throws CommandFailedError when it cannot start or does not exit with 0.
 */
export const execute: Execute = (command, args, { cwd, env, input, uid, gid } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      uid,
      gid,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    // A program that ends before it has read all its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    const fail = (what: string) => {
      const printed = `${errors}${output}`.trim().slice(-printedAtMost);
      reject(new CommandFailedError(`${command} ${args.join(' ')}: ${what}\n${printed}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else fail(signal === null ? `exit code ${code}` : `ended by ${signal}`);
    });
  });

// Debian keeps servers in sbin, which is not on an ordinary user's PATH.
const serverFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin', '/usr/local/bin'];

/** Absolute path of a program on PATH or in the usual folders of servers, if there is one. */
export function findExecutable(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...serverFolders];
  return folders
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Whether `path` is a file that this user may run. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
