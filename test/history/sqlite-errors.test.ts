import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../src/errors';
import { historyErrorOfSqlite, isBusy } from '../../src/history/sqlite/errors';

function sqliteError(rawCode: number, message = 'as SQLite says'): Error {
  return Object.assign(new Error(message), { rawCode });
}

function opening(code: number): Error {
  return new Error(
    `ConnectionFailed("Unable to open connection to local database /x/h.db: ${code}")`,
  );
}

describe('errors of SQLite', () => {
  const cases: [string, Error, ErrorCode, RegExp][] = [
    ['SQLITE_ERROR', sqliteError(1), 'HistoryFailed', /as SQLite says$/],
    ['SQLITE_PERM', sqliteError(3), 'PermissionDenied', /let this process write/],
    ['SQLITE_BUSY', sqliteError(5), 'HistoryFailed', /another process/],
    ['SQLITE_BUSY_SNAPSHOT', sqliteError(517), 'HistoryFailed', /another process/],
    ['SQLITE_READONLY', sqliteError(8), 'PermissionDenied', /let this process write/],
    ['SQLITE_READONLY_DBMOVED', sqliteError(1032), 'PermissionDenied', /let this process write/],
    ['SQLITE_IOERR_FSYNC', sqliteError(1034), 'HistoryFailed', /as SQLite says$/],
    ['SQLITE_CORRUPT', sqliteError(11), 'HistoryFailed', /restore the file/],
    ['SQLITE_FULL', sqliteError(13), 'HistoryFailed', /disk space/],
    ['SQLITE_CANTOPEN', sqliteError(14), 'HistoryFailed', /check that the path/],
    ['SQLITE_NOTADB', sqliteError(26), 'ConfigurationInvalid', /something else/],
    ['a file that cannot be opened', opening(14), 'HistoryFailed', /check that the path/],
    [
      'a folder that may not be made',
      withCode('EACCES'),
      'PermissionDenied',
      /let this process write/,
    ],
    ['a read-only disk', withCode('EROFS'), 'PermissionDenied', /let this process write/],
    ['a file among the folders', withCode('ENOTDIR'), 'ConfigurationInvalid', /not a folder/],
    ['anything else', new TypeError('oops'), 'HistoryFailed', /oops$/],
  ];
  for (const [name, error, code, message] of cases) {
    it(`${name} is ${code}`, () => {
      const mapped = historyErrorOfSqlite(error, '/x/h.db');
      assert.strictEqual(mapped.code, code);
      assert.match(mapped.message, message);
      assert.match(mapped.message, /\/x\/h\.db/);
      assert.strictEqual(mapped.cause, error);
    });
  }

  it("that are Comporta's own pass", () => {
    const own = new ComportaError('LeaseLost', 'lost');
    assert.strictEqual(historyErrorOfSqlite(own, '/x/h.db'), own);
  });

  it('are busy when another connection is in the way', () => {
    assert.ok(isBusy(sqliteError(5)));
    assert.ok(isBusy(sqliteError(517)));
    assert.ok(isBusy(sqliteError(6)));
    assert.ok(!isBusy(sqliteError(1)));
    assert.ok(!isBusy(new Error('SQLITE_BUSY')));
    assert.ok(!isBusy(undefined));
  });
});

function withCode(code: string): Error {
  return Object.assign(new Error(`${code}: mkdir`), { code });
}
