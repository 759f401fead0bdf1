import assert from 'node:assert/strict';
import { Client } from 'pg';
import { openHistory } from '../../src/history/open';
import type { History } from '../../src/history/history';
import type { Connection } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import {
  emptiedBigqueryStores,
  newBigqueryStore,
  type BigqueryStore,
} from '../history/bigquery-store';
import { historyContract, rejectsWith } from '../history/contract';
import {
  ANSWERS,
  documentedColumns,
  documentedSql,
  documentedViewColumns,
  LONG_HISTORY,
  PRUNED,
} from '../history/documented-sql';
import { event } from '../history/events';
import { VIEW_EVENTS, VIEW_QUERY, viewOfStates } from '../history/view';
import { documentText, sqlExamples } from '../support/documented';
import { startFaultyProxy } from '../support/faulty-proxy';
import { sharedBigquery, sharedPostgres, uniqueName } from '../support/servers';
import { startWorld } from '../support/world';

// The emulator takes a quarter of a second for a query.
historyContract('BigQuery', emptiedBigqueryStores(), 2);

describe('BigQuery history', () => {
  let store: BigqueryStore;
  const open: History[] = [];

  const emptied = emptiedBigqueryStores();

  beforeEach(async () => {
    store = await emptied();
  });

  afterEach(closed);

  async function closed(): Promise<void> {
    await Promise.all(open.splice(0).map((history) => history.close()));
    await store.dispose();
  }

  /** In the place of the store that tests share: one that is not made yet, or may be damaged. */
  async function useNewStore(): Promise<void> {
    await closed();
    store = await newBigqueryStore();
  }

  async function opened(endpoint?: string): Promise<History> {
    const history = await store.open(endpoint);
    open.push(history);
    return history;
  }

  it('has a view that says what states() says', async () => {
    const history = await opened();
    await history.append(VIEW_EVENTS);
    const rows = (await store.sql(VIEW_QUERY)).map((row) => Object.values(row));
    assert.deepStrictEqual(rows, await viewOfStates(history));
  });

  it('shows an event once that was recorded twice, as it was first', async () => {
    const history = await opened();
    const first = event('FAILED', 'orders', 'b1', { error: 'first' });
    await history.append([first]);
    await history.append([{ ...first, error: 'second' }]);
    const recorded = await store.sql('SELECT error FROM historico_execucao_gravacao');
    assert.strictEqual(recorded.length, 2);
    const shown = await store.sql('SELECT id, error FROM historico_execucao');
    assert.deepStrictEqual(shown, [{ id: first.id, error: 'first' }]);
    const [latest] = await store.sql('SELECT last_error FROM historico_execucao_atual');
    assert.deepStrictEqual(latest, { last_error: 'first' });
  });

  it('keeps the order of an append of many', async () => {
    const history = await opened();
    // More than one INSERT takes.
    const many = Array.from({ length: 3_000 }, (_, i) =>
      event('SKIPPED', `t${i}`, 'b1', { reason: 'no change: '.repeat(150) }),
    );
    await history.append(many);
    const found = await history.events({ pipeline: 'sales', limit: 20_000 });
    assert.deepStrictEqual(
      found.map(({ table }) => table),
      many.map(({ table }) => table).reverse(),
    );
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

  it('shows the loads under the names of the table that it replaces', async () => {
    const history = await opened();
    await history.append([
      event('STARTED', 'orders', 'b1'),
      event('SUCCEEDED', 'orders', 'b1', {
        startedAt: '2026-03-01T02:00:00.500Z',
        rowsRead: 42,
        durationMs: 1_500,
      }),
      event('FAILED', 'items', 'b1', { error: 'it is gone' }),
      event('SKIPPED', 'other', 'b1'),
      // A load of the system before is in the history that it came from.
      event('SUCCEEDED', 'adopted', 'b1', { run: '' }),
    ]);
    const rows = await store.sql(
      `SELECT nome_tabela, UNIX_MILLIS(data_execucao) AS data_execucao, qtd_linhas,
        tempo_execucao, status, pipeline, batch, erro
       FROM historico_execucao_resumo ORDER BY nome_tabela DESC`,
    );
    const common = { pipeline: 'sales', batch: 'b1' };
    assert.deepStrictEqual(rows, [
      {
        nome_tabela: 'orders',
        data_execucao: Date.parse('2026-03-01T02:00:00.500Z'),
        qtd_linhas: 42,
        tempo_execucao: 1.5,
        status: 'SUCESSO',
        ...common,
        erro: null,
      },
      {
        nome_tabela: 'items',
        data_execucao: Date.parse('2026-03-01T02:00:00.123Z'),
        qtd_linhas: null,
        tempo_execucao: null,
        status: 'FALHA',
        ...common,
        erro: 'it is gone',
      },
    ]);
  });

  it('lets dashboards go on as docs/bigquery.md says', async () => {
    const history = await opened();
    await history.append([event('SUCCEEDED', 'orders', 'b1', { rowsRead: 42, durationMs: 1_500 })]);
    const older = uniqueName('dados');
    await store.sql(`CREATE SCHEMA ${older}`);
    await store.sql(`CREATE TABLE ${older}.Historico_Execucao AS
      SELECT 'people' AS nome_tabela, TIMESTAMP '2026-02-01 02:00:00' AS data_execucao,
        7 AS qtd_linhas, 2.5 AS tempo_execucao, 'SUCESSO' AS status`);
    const [example = ''] = sqlExamples(documentText('bigquery.md'), 'dashboards');
    const { dataset } = store.settings;
    const adapted = example.replaceAll('dados.', `${older}.`).replace('comporta.', `${dataset}.`);
    for (const statement of adapted.split(/;\n?/)) {
      if (statement !== '') await store.sql(statement, older);
    }
    const rows = await store.sql(
      `SELECT nome_tabela, qtd_linhas, tempo_execucao, status
       FROM ${older}.Historico_Execucao ORDER BY data_execucao`,
    );
    assert.deepStrictEqual(rows, [
      { nome_tabela: 'people', qtd_linhas: 7, tempo_execucao: 2.5, status: 'SUCESSO' },
      { nome_tabela: 'orders', qtd_linhas: 42, tempo_execucao: 1.5, status: 'SUCESSO' },
    ]);
    await store.sql(`DROP SCHEMA ${older} CASCADE`);
  });

  describe('docs/history.md', () => {
    it('lists the columns of table and view', async () => {
      await opened();
      const columns = async (name: string) => {
        const one = `SELECT * FROM (SELECT 1 AS one) AS one LEFT JOIN ${name} AS it ON TRUE`;
        return Object.keys((await store.sql(one))[0] ?? {}).slice(1);
      };
      assert.deepStrictEqual(documentedColumns(), await columns('historico_execucao'));
      assert.deepStrictEqual(documentedViewColumns(), await columns('historico_execucao_atual'));
    });

    it('asks questions that have answers', async () => {
      const history = await opened();
      await history.append(LONG_HISTORY);
      const answers: number[] = [];
      for (const sql of documentedSql('bigquery')) answers.push((await store.sql(sql)).length);
      // The last question, for leases, is none to BigQuery.
      assert.deepStrictEqual(answers, ANSWERS.slice(0, -1));
    });

    it('prunes without changing a state', async () => {
      const history = await opened();
      await history.append(LONG_HISTORY);
      const states = await history.states('sales');
      for (const script of documentedSql('bigquery-prune')) await store.sql(script);
      assert.deepStrictEqual(await history.states('sales'), states);
      const left = new Set((await history.events({ pipeline: 'sales' })).map(({ id }) => id));
      assert.deepStrictEqual(
        LONG_HISTORY.map(({ id }) => id).filter((id) => !left.has(id)),
        PRUNED,
      );
    });
  });

  it('is made by those who open it at once', async () => {
    await useNewStore();
    const histories = await Promise.all([opened(), opened()]);
    await Promise.all(
      histories.map((history, i) => history.append([event('SUCCEEDED', `t${i}`, 'b1')])),
    );
    assert.strictEqual((await histories[0]?.states('sales'))?.size, 2);
  });

  it('of a newer Comporta is not written over', async () => {
    await useNewStore();
    await opened();
    await store.sql(
      `INSERT INTO comporta_migration (version, name, applied_at)
       VALUES (99, 'later', CURRENT_TIMESTAMP())`,
    );
    await rejectsWith('ConfigurationInvalid', /has version 99, this Comporta knows/, store.open());
  });

  it('gives a lease back whose event it cannot record', async () => {
    await useNewStore();
    const history = await opened();
    await store.sql('DROP TABLE historico_execucao_gravacao');
    const request = { pipeline: 'sales', table: 'orders', owner: 'a', ttlMs: 60_000 };
    await rejectsWith(
      'ConfigurationInvalid',
      /historico_execucao_gravacao/,
      history.acquireLease({ ...request, event: event('STARTED', 'orders', 'b1') }),
    );
    assert.strictEqual(await history.leaseHolder('sales', 'orders'), undefined);
    await rejectsWith('ConfigurationInvalid', /gravacao/, history.states('sales'));
    assert.strictEqual((await history.states('sales', [])).size, 0);
  });

  it('outlasts an outage, and an answer that was lost', async () => {
    const server = await sharedBigquery();
    const proxy = await startFaultyProxy(server.port);
    const history = await opened(`http://${proxy.host}:${proxy.port}`);
    await proxy.refuse();
    await rejectsWith('HistoryFailed', /test\.t\d+_history/, history.states('sales'));
    await proxy.heal();
    const failed = event('FAILED', 'orders', 'b1');
    const answer = proxy.holdAt(1);
    const appended = history.append([failed]).catch(() => history.append([failed]));
    (await answer).cut();
    await appended;
    assert.deepStrictEqual(await history.events({ pipeline: 'sales' }), [failed]);
    await proxy.close();
  });

  it('needs a lake for its leases', async () => {
    const open = (connections: ReadonlyMap<string, Connection>) =>
      openHistory(store.settings, connections, localSecretStore({}));
    await rejectsWith('ConfigurationInvalid', /"lake" does not exist/, open(new Map()));
    const webhook = { from: 'env', name: 'HOOK' } as const;
    const slack: Connection = { type: 'slack', name: 'lake', webhook };
    await rejectsWith('ConfigurationInvalid', /is of type slack/, open(new Map([['lake', slack]])));
  });

  it('serves a pipeline from plan to summary', async () => {
    const server = await sharedPostgres();
    const { project, endpoint } = await sharedBigquery();
    const schema = uniqueName('shop');
    const { host, port, user, password, database } = server;
    const client = new Client({ host, port, user, password, database });
    await client.connect();
    await client.query(`CREATE SCHEMA ${schema}`);
    for (const table of ['items', 'orders', 'people']) {
      await client.query(`CREATE TABLE ${schema}.${table} AS SELECT generate_series(1, 10) AS id`);
    }
    const world = await startWorld({
      environment: { POSTGRES_PASSWORD: password },
      files: {
        'connections.yaml': `connections:
  pg: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: env:POSTGRES_PASSWORD, database: ${database} }
  lake: { type: file, path: ../lake }
history: { type: bigquery, project: ${project}, dataset: ${store.settings.dataset}, endpoint: '${endpoint}', leases: lake }
`,
        'shop.yaml': `pipeline: shop
source: { connection: pg, schemas: [${schema}] }
defaults: { detection: { strategy: checksum } }
destination: { connection: lake }
`,
      },
    });
    try {
      const first = await world.run({ pipeline: 'shop', batch: 'b1' });
      assert.deepStrictEqual([first.loaded, first.skipped, first.failed], [3, 0, 0]);
      const second = await world.run({ pipeline: 'shop', batch: 'b2' });
      assert.deepStrictEqual([second.loaded, second.skipped, second.failed], [0, 3, 0]);
      const history = await world.history();
      assert.strictEqual((await history.leaseHolders('shop')).size, 0);
      const rows = await store.sql(
        `SELECT nome_tabela, qtd_linhas, status FROM historico_execucao_resumo
         WHERE batch = 'b1' ORDER BY nome_tabela`,
      );
      assert.deepStrictEqual(
        rows,
        ['items', 'orders', 'people'].map((table) => ({
          nome_tabela: `${schema}.${table}`,
          qtd_linhas: 10,
          status: 'SUCESSO',
        })),
      );
    } finally {
      await world.close();
      await client.end();
    }
  });
});
