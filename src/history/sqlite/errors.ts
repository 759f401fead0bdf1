import { ComportaError, messageOf, type ErrorCode } from '../../errors';

/** Primary result codes, https://www.sqlite.org/rescode.html. Extended codes hold them in the low byte. */
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_AUTH = 23;
const SQLITE_NOTADB = 26;

interface Meaning {
  readonly code: ErrorCode;
  readonly remedy: string;
}

const PERMISSION: Meaning = {
  code: 'PermissionDenied',
  remedy: 'let this process write the file and its folder',
};

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [SQLITE_PERM]: PERMISSION,
  [SQLITE_READONLY]: PERMISSION,
  [SQLITE_AUTH]: PERMISSION,
  [SQLITE_BUSY]: {
    code: 'HistoryFailed',
    remedy: 'another process holds a transaction open on the file; end it',
  },
  [SQLITE_CORRUPT]: {
    code: 'HistoryFailed',
    remedy: 'restore the file from a copy; the lake itself is not affected',
  },
  [SQLITE_FULL]: { code: 'HistoryFailed', remedy: 'free some disk space' },
  [SQLITE_CANTOPEN]: {
    code: 'HistoryFailed',
    remedy: 'check that the path is a file in a folder that this process may write',
  },
  [SQLITE_NOTADB]: {
    code: 'ConfigurationInvalid',
    remedy: 'name another path for the history, the file there is something else',
  },
};

/** What an error of libsql, or of making the folder, means. An error that is Comporta's own passes. */
export function historyErrorOfSqlite(error: unknown, path: string): ComportaError {
  if (error instanceof ComportaError) return error;
  const meaning = MEANINGS[resultCode(error) ?? -1] ?? meaningOfFile(error);
  return new ComportaError(
    meaning?.code ?? 'HistoryFailed',
    `the history in ${path} failed: ${messageOf(error)}`,
    { ...(meaning === undefined ? {} : { remedy: meaning.remedy }), cause: error },
  );
}

/** Another connection is in the way for the moment; the same statement succeeds later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/**
 * The primary result code. An error of opening the file carries it at the end of its message only:
 * `ConnectionFailed("Unable to open connection to local database /x/h.db: 14")`.
 */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { rawCode } = error as { rawCode?: unknown };
  if (typeof rawCode === 'number') return rawCode & 0xff;
  const opening = /^ConnectionFailed\(.*: (\d+)"\)$/su.exec(error.message);
  return opening === null ? undefined : Number(opening[1]) & 0xff;
}

function meaningOfFile(error: unknown): Meaning | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return PERMISSION;
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return { code: 'ConfigurationInvalid', remedy: 'a part of the path is a file, not a folder' };
  }
  return undefined;
}
