import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { startPostgres } from '../../scripts/services/postgres';
import type { History } from '../../src/history/history';
import type { Migration } from '../../src/history/migrations/migration';
import { POSTGRES_MIGRATIONS } from '../../src/history/migrations/postgres';
import { openHistory } from '../../src/history/open';
import { openPostgresHistory } from '../../src/history/postgres';
import type { Connection, DatabaseConnection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import { rejectsWith } from '../history/contract';
import {
  ANSWERS,
  documentedColumns,
  documentedSql,
  documentedViewColumns,
  LONG_HISTORY,
  PRUNED,
} from '../history/documented-sql';
import { VIEW_EVENTS, VIEW_QUERY, viewOfStates } from '../history/view';
import { event } from '../history/events';
import {
  connectionTo,
  newPostgresStore,
  secrets,
  type PostgresStore,
} from '../history/postgres-store';
import { freePort } from '../../scripts/services/network';
import { eventually } from '../support/eventually';
import { sharedPostgres, uniqueName } from '../support/servers';

describe('PostgreSQL history', () => {
  let store: PostgresStore;
  const open: History[] = [];

  beforeEach(async () => {
    store = await newPostgresStore();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((history) => history.close()));
    await store.dispose();
  });

  async function opened(...given: Parameters<PostgresStore['open']>): Promise<History> {
    const history = await store.open(...given);
    open.push(history);
    return history;
  }

  describe('the table', () => {
    it('refuses to change or delete events', async () => {
      const history = await opened();
      await history.append([event('SUCCEEDED', 'orders', 'b1')]);
      for (const statement of [
        `UPDATE historico_execucao SET kind = 'FAILED'`,
        'DELETE FROM historico_execucao',
        'TRUNCATE historico_execucao',
      ]) {
        await assert.rejects(store.sql(statement), /append-only/);
      }
      assert.strictEqual((await history.events({ pipeline: 'sales' })).length, 1);
    });

    it('has a view that says what states() says', async () => {
      const history = await opened();
      await history.append(VIEW_EVENTS);
      const rows = (await store.sql(VIEW_QUERY)).map((row) => Object.values(row));
      assert.deepStrictEqual(rows, await viewOfStates(history));
    });

    it('keeps times as times and documents as jsonb', async () => {
      const history = await opened();
      await history.append([event('SUCCEEDED', 'orders', 'b1', { files: ['a', 'b'] })]);
      const rows =
        await store.sql(`SELECT files ->> 1 AS file, extract(minute FROM recorded_at) AS minute
        FROM historico_execucao WHERE recorded_at < now()`);
      assert.strictEqual(rows[0]?.file, 'b');
    });

    it('keeps the order of an append of many', async () => {
      const history = await opened();
      const many = Array.from({ length: 5_000 }, (_, i) => event('SKIPPED', `t${i}`, 'b1'));
      await history.append(many);
      const found = await history.events({ pipeline: 'sales', limit: 10_000 });
      assert.deepStrictEqual(
        found.map(({ table }) => table),
        many.map(({ table }) => table).reverse(),
      );
    });
  });

  describe('docs/history.md', () => {
    it('lists the columns of table and view', async () => {
      await opened();
      const columns = async (name: string) =>
        Object.keys(
          (
            await store.sql(`SELECT * FROM
        (SELECT 1) one LEFT JOIN ${name} ON true LIMIT 1`)
          )[0] ?? {},
        ).slice(1);
      assert.deepStrictEqual(documentedColumns(), await columns('historico_execucao'));
      assert.deepStrictEqual(documentedViewColumns(), await columns('historico_execucao_atual'));
    });

    it('asks questions that have answers', async () => {
      const history = await opened();
      await history.append(LONG_HISTORY);
      await history.acquireLease({ pipeline: 'p', table: 't', owner: 'a', ttlMs: 1_000 });
      const answers: number[] = [];
      for (const sql of documentedSql('postgres')) answers.push((await store.sql(sql)).length);
      assert.deepStrictEqual(answers, ANSWERS);
    });

    it('prunes without changing a state', async () => {
      const history = await opened();
      await history.append(LONG_HISTORY);
      const states = await history.states('sales');
      for (const script of documentedSql('postgres-prune')) await store.sql(script);
      assert.deepStrictEqual(await history.states('sales'), states);
      const left = new Set((await history.events({ pipeline: 'sales' })).map(({ id }) => id));
      assert.deepStrictEqual(
        LONG_HISTORY.map(({ id }) => id).filter((id) => !left.has(id)),
        PRUNED,
      );
      await assert.rejects(store.sql('DELETE FROM historico_execucao'), /append-only/);
    });
  });

  it('loses nothing of what many append at once', async () => {
    const history = await opened();
    const histories = [history, await opened(), await opened()];
    const appends = Array.from({ length: 90 }, (_, i) => {
      const own = [event('SKIPPED', `t${i}`, 'b1'), event('SKIPPED', 'shared', `b${i % 10}`)];
      return (histories[i % 3] ?? history).append(own);
    });
    await Promise.all(appends);
    const found = await history.events({ pipeline: 'sales', limit: 1_000 });
    assert.strictEqual(found.length, 100);
  });

  describe('migrations', () => {
    const next: Migration = {
      version: POSTGRES_MIGRATIONS.length + 1,
      name: 'a test',
      statements: ['CREATE TABLE later (x integer)'],
    };

    it('are applied by one of many who open a new store at once', async () => {
      const histories = await Promise.all(Array.from({ length: 8 }, () => opened()));
      await Promise.all(
        histories.map((history, i) => history.append([event('SUCCEEDED', `t${i}`, 'b1')])),
      );
      const versions = await store.sql('SELECT version FROM comporta_migration');
      assert.deepStrictEqual(
        versions,
        POSTGRES_MIGRATIONS.map(({ version }) => ({ version })),
      );
    });

    it('are applied to a store that has some', async () => {
      await opened();
      const migrations = [...POSTGRES_MIGRATIONS, next];
      await Promise.all([opened({ migrations }), opened({ migrations })]);
      assert.deepStrictEqual(await store.sql('SELECT * FROM later'), []);
    });

    it('leave the store as it was when one fails', async () => {
      await opened();
      const broken = { ...next, statements: [...next.statements, 'CREATE NONSENSE'] };
      await rejectsWith(
        'HistoryFailed',
        /NONSENSE/,
        store.open({ migrations: [...POSTGRES_MIGRATIONS, broken] }),
      );
      await opened();
      await assert.rejects(store.sql('SELECT * FROM later'), /does not exist/);
    });

    it('of a newer Comporta are not written over', async () => {
      await opened({ migrations: [...POSTGRES_MIGRATIONS, next] });
      await rejectsWith('ConfigurationInvalid', /has version 3, this Comporta knows/, store.open());
    });
  });

  describe('rights', () => {
    it('of a user who may only read and append are enough for a store that is made', async () => {
      await opened();
      const role = uniqueName('writer');
      const schema = `"${store.schema.replaceAll('"', '""')}"`;
      await store.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'comporta'`);
      const grants = documentedSql('postgres-admin').find((sql) => sql.startsWith('GRANT')) ?? '';
      await store.sql(
        grants
          .replaceAll(/\bTO loader\b/g, `TO ${role}`)
          .replaceAll('SCHEMA comporta', `SCHEMA ${schema}`)
          .replaceAll(/\bcomporta\./g, ''),
      );
      const connection = connectionTo(await sharedPostgres(), { user: role });
      const history = await openPostgresHistory(connection, store.schema, secrets);
      open.push(history);
      await history.append([event('SUCCEEDED', 'orders', 'b1')]);
      assert.strictEqual((await history.states('sales')).size, 1);
      const lease = await history.acquireLease({
        pipeline: 'sales',
        table: 'orders',
        owner: 'a',
        ttlMs: 1_000,
      });
      await lease?.release();
      await history.close();
      await store.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });

    it('that are missing are named', async () => {
      const role = uniqueName('stranger');
      await store.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'comporta'`);
      const connection = connectionTo(await sharedPostgres(), { user: role });
      const opening = openPostgresHistory(connection, store.schema, secrets);
      await rejectsWith(
        'PermissionDenied',
        /permission denied for database.*docs\/history\.md/,
        opening,
      );
      await store.sql(`DROP ROLE ${role}`);
    });
  });

  describe('a connection that cannot be made', () => {
    async function opening(more: Partial<DatabaseConnection>, given = secrets): Promise<unknown> {
      return openPostgresHistory(connectionTo(await sharedPostgres(), more), 'comporta', given);
    }

    it('for a wrong password is AuthenticationFailed, without the password', async () => {
      const wrong = localSecretStore({ HISTORY_PASSWORD: 'hunter2-planted' });
      await rejectsWith('AuthenticationFailed', /connection history/, opening({}, wrong));
      const error: unknown = await opening({}, wrong).catch((thrown: unknown) => thrown);
      assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes('hunter2-planted'));
    });

    it('for a secret that is not there is ConfigurationInvalid', async () => {
      const empty = localSecretStore({});
      await rejectsWith('ConfigurationInvalid', /env:HISTORY_PASSWORD/, opening({}, empty));
    });

    it('for an unknown database is ConfigurationInvalid', async () => {
      await rejectsWith(
        'ConfigurationInvalid',
        /no database nowhere/,
        opening({ database: 'nowhere' }),
      );
    });

    it('for a closed port is HistoryFailed', async () => {
      await rejectsWith('HistoryFailed', /cannot connect/, opening({ port: await freePort() }));
    });

    it('for a server without TLS is ConfigurationInvalid, unless that is allowed', async () => {
      await rejectsWith(
        'ConfigurationInvalid',
        /does not offer TLS/,
        opening({ tls: { mode: 'require' } }),
      );
      const connection = connectionTo(await sharedPostgres(), { tls: { mode: 'prefer' } });
      open.push(await openPostgresHistory(connection, store.schema, secrets));
    });
  });

  it('goes on after its server was killed', async () => {
    const server = await startPostgres();
    const history = await openPostgresHistory(connectionTo(server), 'comporta', secrets);
    try {
      await history.append([event('STARTED', 'orders', 'b1')]);
      await server.kill9();
      await rejectsWith(
        'HistoryFailed',
        /history failed/,
        history.append([event('FAILED', 'orders', 'b1')]),
      );
      await server.restart();
      await eventually(() => history.append([event('SUCCEEDED', 'orders', 'b1')]));
      const kinds = (await history.events({ pipeline: 'sales' })).map(({ kind }) => kind);
      assert.deepStrictEqual(kinds, ['SUCCEEDED', 'STARTED']);
    } finally {
      await history.close();
      await server.stop();
    }
  });

  it('says that it is closed', async () => {
    const history = await store.open();
    await history.close();
    await history.close();
    await rejectsWith('HistoryFailed', /is closed/, history.states('sales'));
  });

  describe('opened by settings', () => {
    it('is the one that they name', async () => {
      const connections = new Map<string, Connection>([
        ['h', connectionTo(await sharedPostgres())],
      ]);
      const settings = { type: 'postgres', connection: 'h', schema: store.schema } as const;
      const history = await openHistory(settings, connections, secrets);
      open.push(history);
      await history.append([event('SUCCEEDED', 'orders', 'b1')]);
      assert.strictEqual((await store.sql('SELECT 1 FROM historico_execucao')).length, 1);
    });

    it('needs a connection that exists and is of PostgreSQL', async () => {
      const settings = { type: 'postgres', connection: 'h', schema: 'comporta' } as const;
      await rejectsWith(
        'ConfigurationInvalid',
        /"h" does not exist/,
        openHistory(settings, new Map(), secrets),
      );
      const mysql = connectionTo(await sharedPostgres(), { type: 'mysql' });
      const opening = openHistory(settings, new Map([['h', mysql]]), secrets);
      await rejectsWith('ConfigurationInvalid', /"h" is of type mysql/, opening);
    });
  });
});
