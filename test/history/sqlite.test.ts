import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import type { History } from '../../src/history/history';
import { SQLITE_MIGRATIONS } from '../../src/history/migrations/sqlite';
import type { Migration } from '../../src/history/migrations/migration';
import { openSqliteHistory } from '../../src/history/sqlite';
import { rejectsWith } from './contract';
import {
  ANSWERS,
  documentedColumns,
  documentedSql,
  documentedViewColumns,
  LONG_HISTORY,
  PRUNED,
} from './documented-sql';
import { event } from './events';
import { temporaryFolder } from './sqlite-store';
import { VIEW_EVENTS, VIEW_QUERY, viewOfStates } from './view';

describe('SQLite history', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;
  const open: History[] = [];

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'history.db');
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((history) => history.close()));
    await folder.remove();
  });

  async function opened(...given: Parameters<typeof openSqliteHistory>): Promise<History> {
    const history = await openSqliteHistory(...given);
    open.push(history);
    return history;
  }

  /** A look into the file beside the history. */
  function direct(sql: string): unknown[][] {
    const database = new Database(path);
    try {
      const statement = database.prepare(sql);
      if (statement.columns().length > 0) statement.raw();
      return statement.all() as unknown[][];
    } finally {
      database.close();
    }
  }

  describe('the file', () => {
    it('is made with its folder', async () => {
      await opened(join(folder.path, 'a b', 'ç', 'history.db'));
      assert.ok((await readdir(join(folder.path, 'a b', 'ç'))).includes('history.db'));
    });

    it('keeps everything over closing and opening', async () => {
      const first = await openSqliteHistory(path);
      await first.append([event('SUCCEEDED', 'orders', 'b1')]);
      const lease = await first.acquireLease({ pipeline: 'p', table: 't', owner: 'a', ttlMs: 1 });
      await first.close();
      await first.close();
      const again = await opened(path);
      assert.strictEqual((await again.events({ pipeline: 'sales' })).length, 1);
      const next = await again.acquireLease({ pipeline: 'p', table: 't', owner: 'a', ttlMs: 1 });
      assert.strictEqual(next?.fence, (lease?.fence ?? 0) + 1);
    });

    it('is written so that each commit is on the disk', async () => {
      await opened(path);
      assert.deepStrictEqual(direct('PRAGMA journal_mode'), [['wal']]);
    });

    it('that is something else is refused and left alone', async () => {
      await writeFile(path, 'not a database, '.repeat(100));
      await rejectsWith(
        'ConfigurationInvalid',
        /history\.db.*name another path/,
        openSqliteHistory(path),
      );
    });

    it('that is a folder is refused', async () => {
      await mkdir(path);
      await rejectsWith(
        'HistoryFailed',
        /history\.db.*check that the path/,
        openSqliteHistory(path),
      );
    });

    it('whose folder is a file is refused', async () => {
      await writeFile(join(folder.path, 'file'), '');
      const below = join(folder.path, 'file', 'history.db');
      await rejectsWith(
        'ConfigurationInvalid',
        /part of the path is a file/,
        openSqliteHistory(below),
      );
    });

    it('that may not be written is refused', async () => {
      await (await openSqliteHistory(path)).close();
      await chmod(folder.path, 0o777);
      await chmod(path, 0o444);
      await asOrdinaryUser(async () => {
        const opening = openSqliteHistory(path).then(async (history) => {
          open.push(history);
          await history.append([event('STARTED', 'orders', 'b1')]);
        });
        await rejectsWith('PermissionDenied', /let this process write/, opening);
      });
    });
  });

  it('says that it is closed', async () => {
    const history = await openSqliteHistory(path);
    await history.close();
    await rejectsWith('HistoryFailed', /is closed/, history.append([event('STARTED', 'a', 'b')]));
    await rejectsWith('HistoryFailed', /is closed/, history.states('sales'));
  });

  it('gives up with a reason when another program keeps the file to itself', async () => {
    const history = await opened(path, { busyMs: 50 });
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const append = history.append([event('STARTED', 'orders', 'b1')]);
    await rejectsWith('HistoryFailed', /another process holds a transaction open/, append);
    other.exec('COMMIT');
    other.close();
    await history.append([event('STARTED', 'orders', 'b1')]);
  });

  it('waits for another writer without holding up the process', async () => {
    const history = await opened(path);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const append = history.append([event('STARTED', 'orders', 'b1')]);
    // The other's commit runs in this very process: it could not if the wait blocked it.
    setTimeout(() => other.exec('COMMIT'), 300);
    await append;
    other.close();
  });

  describe('the table', () => {
    it('refuses to change or delete events', async () => {
      const history = await opened(path);
      await history.append([event('SUCCEEDED', 'orders', 'b1')]);
      assert.throws(() => direct(`UPDATE historico_execucao SET kind = 'FAILED'`), /append-only/);
      assert.throws(() => direct('DELETE FROM historico_execucao'), /append-only/);
      assert.strictEqual((await history.events({ pipeline: 'sales' })).length, 1);
    });

    it('numbers the events in the order of their appending', async () => {
      const history = await opened(path);
      await history.append([event('STARTED', 'b', '1'), event('STARTED', 'a', '1')]);
      await history.append([event('STARTED', 'a', '1'), event('SUCCEEDED', 'a', '1')]);
      assert.deepStrictEqual(
        direct('SELECT kind, table_name FROM historico_execucao ORDER BY sequence'),
        [
          ['STARTED', 'b'],
          ['STARTED', 'a'],
          ['SUCCEEDED', 'a'],
        ],
      );
    });

    it('has a view that says what states() says', async () => {
      const history = await opened(path);
      await history.append(VIEW_EVENTS);
      const rows = direct(VIEW_QUERY);
      assert.deepStrictEqual(rows, await viewOfStates(history));
    });
  });

  describe('docs/history.md', () => {
    it('lists the columns of table and view', async () => {
      await opened(path);
      const columns = (name: string) =>
        direct(`SELECT name FROM pragma_table_info('${name}')`).flat();
      assert.deepStrictEqual(documentedColumns(), columns('historico_execucao'));
      assert.deepStrictEqual(documentedViewColumns(), columns('historico_execucao_atual'));
    });

    it('asks questions that have answers', async () => {
      const history = await opened(path);
      await history.append(LONG_HISTORY);
      await history.acquireLease({ pipeline: 'p', table: 't', owner: 'a', ttlMs: 1_000 });
      const answers = documentedSql('sqlite').map((sql) => direct(sql).length);
      assert.deepStrictEqual(answers, ANSWERS);
    });

    it('prunes without changing a state', async () => {
      const history = await opened(path);
      await history.append(LONG_HISTORY);
      const states = await history.states('sales');
      const database = new Database(path);
      for (const script of documentedSql('sqlite-prune')) database.exec(script);
      database.close();
      assert.deepStrictEqual(await history.states('sales'), states);
      const left = new Set((await history.events({ pipeline: 'sales' })).map(({ id }) => id));
      assert.deepStrictEqual(
        LONG_HISTORY.map(({ id }) => id).filter((id) => !left.has(id)),
        PRUNED,
      );
      assert.throws(() => direct('DELETE FROM historico_execucao'), /append-only/);
    });
  });

  describe('migrations', () => {
    const next: Migration = {
      version: SQLITE_MIGRATIONS.length + 1,
      name: 'a test',
      statements: ['CREATE TABLE later (x INTEGER)'],
    };

    it('are applied once each, also to a store that has some', async () => {
      await (await openSqliteHistory(path)).close();
      const migrations = [...SQLITE_MIGRATIONS, next];
      await opened(path, { migrations });
      await opened(path, { migrations });
      assert.deepStrictEqual(direct('SELECT version, name FROM comporta_migration').at(-1), [
        next.version,
        'a test',
      ]);
      assert.deepStrictEqual(direct('SELECT * FROM later'), []);
    });

    it('bring an older store up to date, whose events stay', async () => {
      const first = SQLITE_MIGRATIONS.slice(0, 1);
      await (await openSqliteHistory(path, { migrations: first })).close();
      direct(
        `INSERT INTO historico_execucao (id, kind, recorded_at, pipeline, table_name, batch, run)
         VALUES ('x', 'SUCCEEDED', '2026-01-01T00:00:00.000Z', 'sales', 'old', 'b', 'r') RETURNING id`,
      );
      const history = await opened(path);
      await history.append([event('SUCCEEDED', 'new', 'b1', { bytesBilled: 7 })]);
      const found = await history.events({ pipeline: 'sales' });
      assert.deepStrictEqual(
        found.map(({ table, bytesBilled }) => [table, bytesBilled]),
        [
          ['new', 7],
          ['old', undefined],
        ],
      );
    });

    it('leave the store as it was when one fails', async () => {
      await (await openSqliteHistory(path)).close();
      const broken = { ...next, statements: [...next.statements, 'CREATE NONSENSE'] };
      const opening = openSqliteHistory(path, { migrations: [...SQLITE_MIGRATIONS, broken] });
      await rejectsWith('HistoryFailed', /NONSENSE/, opening);
      await opened(path);
      assert.throws(() => direct('SELECT * FROM later'), /no such table/);
    });

    it('of a newer Comporta are not written over', async () => {
      await (await openSqliteHistory(path, { migrations: [...SQLITE_MIGRATIONS, next] })).close();
      await rejectsWith(
        'ConfigurationInvalid',
        /history\.db has version 3, this Comporta knows versions up to 2 — run the newer Comporta/,
        openSqliteHistory(path),
      );
    });

    it('have versions without gaps', () => {
      SQLITE_MIGRATIONS.forEach(({ version }, index) => assert.strictEqual(version, index + 1));
    });
  });
});

/** Root may write everything; without its rights for a moment this process is as any other. */
async function asOrdinaryUser(body: () => Promise<void>): Promise<void> {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0 || seteuid === undefined) return body();
  seteuid('nobody');
  try {
    await body();
  } finally {
    seteuid(0);
  }
}
