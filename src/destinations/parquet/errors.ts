import { ComportaError, messageOf, type ErrorCode } from '../../errors';

/** What the destination was doing, for the message: "write raw/sales/orders/… to file:/lake". */
type Action = string;

interface Meaning {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

const FILE_MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: permission('the file system refuses it'),
  EPERM: permission('the file system refuses it'),
  EROFS: permission('the file system is read-only'),
  ENOSPC: full('the disk is full'),
  EDQUOT: full('the disk quota is used up'),
  ENOTDIR: misplaced('a part of the path is a file'),
  EISDIR: misplaced('a folder lies where a file belongs'),
  ENAMETOOLONG: misplaced('the name is too long for the file system'),
};

function permission(problem: string): Meaning {
  return {
    code: 'PermissionDenied',
    problem,
    remedy: 'let the user that runs the worker write to the folder of the lake',
  };
}

function full(problem: string): Meaning {
  return {
    code: 'DestinationFailed',
    problem,
    remedy: 'make room, or keep fewer runs (retention)',
  };
}

function misplaced(problem: string): Meaning {
  return { code: 'ConfigurationInvalid', problem, remedy: 'correct the path of the connection' };
}

/** An error of the file system as Comporta's own. */
export function fileError(error: unknown, action: Action): ComportaError {
  if (error instanceof ComportaError) return error;
  const code = errnoOf(error);
  const meaning = code === undefined ? undefined : FILE_MEANINGS[code];
  if (meaning !== undefined) return failure(meaning, action, error);
  return new ComportaError('DestinationFailed', `cannot ${action}: ${messageOf(error)}`, {
    cause: error,
  });
}

export function isAbsent(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function failure(meaning: Meaning, action: Action, cause: unknown): ComportaError {
  return new ComportaError(meaning.code, `cannot ${action}: ${meaning.problem}`, {
    remedy: meaning.remedy,
    cause,
  });
}

/**
 * An error of DuckDB as Comporta's own. Its message may quote values of the table and is therefore
 * told only where it cannot.
 */
export function duckdbError(error: unknown): ComportaError {
  if (error instanceof ComportaError) return error;
  const message = messageOf(error);
  if (/No space left|failed to offload|max_temp_directory_size/i.test(message)) {
    return failure(full('the disk is full'), 'merge', error);
  }
  if (/^Out of Memory/i.test(message)) {
    return new ComportaError('DestinationFailed', 'a merge needs more than its 512 MB of memory', {
      remedy: 'use mode: full for this table, or a shorter key',
    });
  }
  const kind = /^[A-Z][A-Za-z ]+ Error/.exec(message)?.[0] ?? 'an error';
  return new ComportaError('DestinationFailed', `DuckDB could not merge: ${kind}`, {
    remedy: 'look at the files that the present state names; a load in mode: full replaces them',
  });
}
