import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BigQuery } from '@google-cloud/bigquery';
import { googleAuthLibrary } from 'google-gax';
import type { BigqueryService } from '../../scripts/services/bigquery';
import { ownerLabels } from '../../src/destinations/bigquery/ownership';
import type { Plan } from '../../src/plan/plan';
import { withBench } from '../client/command-bench';
import { createTestDatabase, SERVERS, type TestDatabase } from '../sources/mysql/support';
import { eventually } from '../support/eventually';
import { createMemoryHistory } from '../support/memory-history';
import { startClientProcess } from '../support/client-process';
import { sharedBigquery, sharedMysql, uniqueName } from '../support/servers';
import { newWarehouse, type TestWarehouse } from '../support/warehouse';
import { startWorld, type World } from '../support/world';

interface Imported {
  readonly adopted: number;
  readonly toLoad: number;
  readonly written: boolean;
  readonly tables: readonly { table: string; adopt: boolean; reason: string }[];
  readonly unknown: readonly string[];
}

/** On the server's clock. */
async function nowAt(database: TestDatabase): Promise<string> {
  const [row] = await database.run(
    `SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:%i:%s') AS at`,
  );
  return String(row?.['at']);
}

/** Resolves when some seconds have passed on the server's clock: what was written is settled then. */
async function calmAt(database: TestDatabase): Promise<void> {
  const since = Date.parse(`${await nowAt(database)}Z`);
  await eventually(async () => assert.ok(Date.parse(`${await nowAt(database)}Z`) >= since + 4_000));
}

for (const server of SERVERS) {
  describe(`importing an old Historico_Execucao over ${server.name}`, function () {
    this.timeout(120_000);
    let database: TestDatabase;
    let bigquery: BigqueryService;
    let client: BigQuery;
    const dataset = uniqueName('dados');

    before(async () => {
      bigquery = await sharedBigquery();
      database = await createTestDatabase(await server.service());
      client = new BigQuery({
        projectId: bigquery.project,
        apiEndpoint: bigquery.endpoint,
        authClient: new googleAuthLibrary.PassThroughClient() as never,
      });
      await client.createDataset(dataset);
    });
    after(() => database?.drop());

    const files = () => ({
      'connections.yaml': `
connections:
  shop: { type: mysql, host: h, user: u, database: d }
  lake: { type: gcs, bucket: b, endpoint: "http://127.0.0.1:9" }
  dados: { type: bigquery, project: ${bigquery.project}, dataset: ${dataset}, endpoint: "${bigquery.endpoint}", lake: lake }
`,
      'sales.yaml': `
pipeline: sales
source: { connection: shop }
destination: { connection: dados }
defaults: { detection: { strategy: token, settleMargin: 1s } }
`,
    });

    const now = () => nowAt(database);
    const calm = () => calmAt(database);

    it('adopts what has not changed since and is there, and nothing else, once', async () => {
      const unfit = ['viewed', 'owned', 'divided'];
      const altered = ['written', 'emptied', 'rebuilt', 'absent', 'short', 'unheard'];
      const tables = ['kept', ...altered, ...unfit];
      for (const table of tables) {
        await database.run(
          `CREATE TABLE ${table} (id INT PRIMARY KEY, v INT)`,
          `INSERT INTO ${table} VALUES (1, 1), (2, 2)`,
        );
      }
      for (const table of ['kept', ...altered, 'owned'].filter((name) => name !== 'absent')) {
        await client.query(`CREATE TABLE ${dataset}.${table} AS SELECT 1 AS id UNION ALL SELECT 2`);
      }
      await client.query(`CREATE VIEW ${dataset}.viewed AS SELECT * FROM ${dataset}.kept`);
      const other = ownerLabels({ pipeline: 'other', domain: 'other', entity: 'owned' });
      await client.dataset(dataset).table('owned').setMetadata({ labels: other });
      await client.dataset(dataset).createTable('divided', {
        schema: { fields: [{ name: 'day', type: 'DATE' }] },
        timePartitioning: { type: 'DAY', field: 'day' },
      });
      await client.query(`INSERT INTO ${dataset}.short (id) VALUES (3)`);
      await calm();
      const executedAt = await now();
      await client.query(
        `CREATE TABLE ${dataset}.Historico_Execucao (nome_tabela STRING, data_execucao TIMESTAMP, qtd_linhas NUMERIC, tempo_execucao NUMERIC, status STRING)`,
      );
      const executed = [...tables, 'gone'].filter((name) => name !== 'unheard');
      const rows = executed.map(
        (name) => `('${name}', TIMESTAMP '${executedAt}+00', 2, 0.5, 'SUCESSO')`,
      );
      await client.query(`INSERT INTO ${dataset}.Historico_Execucao VALUES ${rows.join(', ')}`);
      await eventually(async () => assert.notEqual(await now(), executedAt));
      await database.run(
        'UPDATE written SET v = 3 WHERE id = 1',
        'TRUNCATE emptied',
        'ALTER TABLE rebuilt FORCE',
      );

      const history = createMemoryHistory();
      const destination = {
        description: `bigquery:${dataset}`,
        publishedEntities: () => Promise.resolve(new Set<string>()),
      };
      const bench = { files: files(), history, destination, source: database.source };
      await withBench(bench, async ({ run }) => {
        const from = `bigquery:${bigquery.project}.${dataset}.Historico_Execucao`;
        const more = ['--no-renames', '--margin', '1s'];
        const importing = async (...flags: string[]) => {
          const line = ['import', 'history', 'sales', from, '--json', ...more, ...flags];
          const { code, stdout, stderr } = await run(...line);
          assert.equal(code, 0, `${stdout}${stderr}`);
          return JSON.parse(stdout) as Imported;
        };
        const dry = await importing();
        const adopted = ({ tables: all }: Imported) =>
          all.filter(({ adopt }) => adopt).map(({ table }) => table);
        assert.deepEqual(adopted(dry), ['kept']);
        assert.deepEqual([dry.written, dry.unknown], [false, ['gone']]);
        const why = new Map(dry.tables.map(({ table, reason }) => [table, reason]));
        assert.match(why.get('written') ?? '', /^it changed at /);
        const emptied = server.mariadb ? /^it has 0 rows, and its last/ : /does not know when/;
        assert.match(why.get('emptied') ?? '', emptied);
        assert.match(why.get('rebuilt') ?? '', /^it changed at |does not know when/);
        assert.match(why.get('absent') ?? '', /the destination has no such table/);
        assert.match(why.get('short') ?? '', /and the destination 3/);
        assert.match(why.get('unheard') ?? '', /the old history does not know it/);
        assert.match(why.get('viewed') ?? '', /^in the destination it is no table \(VIEW\)/);
        assert.match(why.get('owned') ?? '', /is of the pipeline other: drop or rename it/);
        assert.match(
          why.get('divided') ?? '',
          /is partitioned by day of day, .* say not at all: drop/,
        );
        assert.deepEqual([...(await history.states('sales')).keys()], []);

        const labels = async (table: string) => {
          const answer = await client.dataset(dataset).table(table).getMetadata();
          const [metadata] = answer as [{ labels?: Record<string, string> }, unknown];
          return metadata.labels ?? {};
        };
        assert.deepEqual(await labels('kept'), {});
        assert.deepEqual(adopted(await importing('--write')), ['kept']);
        // As the destination wants it of a table that it may replace.
        assert.deepEqual(
          await labels('kept'),
          ownerLabels({ pipeline: 'sales', domain: 'sales', entity: 'kept' }),
        );
        assert.deepEqual(await labels('written'), {});
        const again = await importing('--write');
        assert.equal(again.adopted, 0);
        assert.match(again.tables.find(({ table }) => table === 'kept')?.reason ?? '', /already/);

        const planned = async () =>
          JSON.parse((await run('plan', 'sales', '--json')).stdout) as Plan;
        const plan = await planned();
        assert.deepEqual(
          plan.skips.map(({ table }) => table),
          ['kept'],
        );
        assert.match(
          plan.skips[0]?.decision.reason ?? '',
          /^unchanged since the import of .*token: same/,
        );
        assert.equal(plan.loads.length, 9);

        await database.run('UPDATE kept SET v = 9 WHERE id = 2');
        assert.deepEqual((await planned()).skips, []);
      });
    });

    it('adopts nothing where a table may have taken the place of another', async () => {
      await database.run(
        'CREATE TABLE swapped (id INT PRIMARY KEY)',
        'CREATE TABLE next (id INT PRIMARY KEY)',
        'INSERT INTO swapped VALUES (1)',
        'INSERT INTO next VALUES (2)',
      );
      await calm();
      const executedAt = await now();
      await eventually(async () => assert.notEqual(await now(), executedAt));
      await database.run('RENAME TABLE swapped TO old, next TO swapped');
      await withBench({ files: files(), source: database.source }, async ({ directory, run }) => {
        const file = join(directory, 'export.csv');
        await writeFile(
          file,
          `nome_tabela,data_execucao,qtd_linhas,tempo_execucao,status\nswapped,${executedAt},1,0,SUCESSO\n`,
        );
        const line = ['import', 'history', 'sales', file, '--margin', '1s', '--time-zone', 'UTC'];
        const { stdout } = await run(...line, '--json');
        const { tables } = JSON.parse(stdout) as Imported;
        const { adopt, reason } = tables.find(({ table }) => table === 'swapped')!;
        assert.equal(adopt, false);
        // MariaDB dates a rename.
        assert.match(
          reason,
          server.mariadb ? /^it changed at/ : /statements .* another table in its place/,
        );
      });
    });

    it('puts the list of tables into the pipeline file, with its comments', async () => {
      await withBench({ files: files(), source: database.source }, async ({ directory, run }) => {
        const list = join(directory, 'variables.json');
        await writeFile(list, JSON.stringify({ tabelas: ['kept', 'shop.WRITTEN', 'lost'] }));
        const file = join(directory, 'sales.yaml');
        await writeFile(file, `# ours\n${files()['sales.yaml']}`);
        const dry = await run('import', 'tables', 'sales', list);
        assert.equal(dry.stdout, 'tables:\n  include:\n    - kept\n    - written\n');
        assert.equal(dry.stderr, 'lost: not in the source\n');
        await run('import', 'tables', 'sales', list, '--write');
        assert.match(await readFile(file, 'utf8'), /^# ours\n/);
        await writeFile(list, '["lost"]');
        const none = await run('import', 'tables', 'sales', list, '--write');
        assert.deepEqual([none.code, none.stdout], [2, '']);
        assert.match(none.stderr, /^none of the 1 names is a table of the source \(lost\)/);
        const plan = JSON.parse((await run('plan', 'sales', '--json', '--force')).stdout) as Plan;
        assert.deepEqual(plan.loads.map(({ table }) => table).toSorted(), ['kept', 'written']);
      });
    });
  });
}

describe('a table that was adopted', function () {
  this.timeout(180_000);
  let database: TestDatabase;
  let house: TestWarehouse;
  let world: World;
  let environment: Readonly<Record<string, string>>;

  before(async () => {
    const server = await sharedMysql();
    database = await createTestDatabase(server);
    house = await newWarehouse();
    const { lake, connection } = house;
    environment = { MYSQL_PASSWORD: server.password };
    world = await startWorld({
      environment,
      files: {
        'connections.yaml': `connections:
  shop: { type: mysql, host: ${server.host}, port: ${server.port}, user: ${server.user}, password: env:MYSQL_PASSWORD, database: ${database.name} }
  bucket: { type: gcs, bucket: ${lake.bucket}, prefix: ${lake.prefix}, endpoint: '${lake.endpoint}' }
  house: { type: bigquery, project: ${connection.project}, dataset: ${connection.dataset}, endpoint: '${connection.endpoint}', lake: bucket }
`,
        // The emulator's first two load jobs may not begin together: one fails with a catalogue conflict.
        'school.yaml': `pipeline: school
source: { connection: shop }
destination: { connection: house }
concurrency: 1
`,
      },
    });
  });
  after(async () => {
    await world?.close();
    await database?.drop();
  });

  const command = async (...line: string[]) => {
    const variables = { ...environment, COMPORTA_PIPELINES: world.pipelines };
    const { code, stdout, stderr } = await startClientProcess(line, variables).ended;
    assert.equal(code, 0, `${stdout}${stderr}`);
    return stdout;
  };
  const rowsOf = async (table: string) =>
    (await house.sql(`SELECT * FROM {${table}} ORDER BY id`)).map((row) => Object.values(row));

  it('is skipped until it changes, and then replaced by a load of its own', async () => {
    for (const table of ['courses', 'pupils', 'grades']) {
      await database.run(
        `CREATE TABLE ${table} (id INT PRIMARY KEY, v INT)`,
        `INSERT INTO ${table} VALUES (1, 1), (2, 2)`,
      );
    }
    // As the old system left them, with types of its own.
    for (const table of ['courses', 'pupils']) {
      await house.sql(
        `CREATE TABLE {${table}} AS SELECT '1' AS id, '1' AS v UNION ALL SELECT '2', '2'`,
      );
    }
    await calmAt(database);
    const executed = `TIMESTAMP '${await nowAt(database)}+00', 2, 0.5, 'SUCESSO'`;
    await house.sql(
      'CREATE TABLE {Historico_Execucao} (nome_tabela STRING, data_execucao TIMESTAMP, qtd_linhas INT64, tempo_execucao FLOAT64, status STRING)',
    );
    await house.sql(
      `INSERT INTO {Historico_Execucao} VALUES ('courses', ${executed}), ('pupils', ${executed})`,
    );

    const { project, dataset } = house.connection;
    const from = `bigquery:${project}.${dataset}.Historico_Execucao`;
    const flags = ['--no-renames', '--margin', '1s', '--write', '--json'];
    const imported = JSON.parse(
      await command('import', 'history', 'school', from, ...flags),
    ) as Imported;
    const reasons = imported.tables.map(({ table, reason }) => `${table}: ${reason}`).join('\n');
    assert.deepEqual([imported.adopted, imported.toLoad], [2, 1], reasons);

    await database.run('UPDATE courses SET v = 3 WHERE id = 1');
    const first = await world.run({ pipeline: 'school', batch: 'b1' });
    assert.deepEqual([first.loaded, first.skipped, first.failed], [2, 1, 0]);
    const outcomes = await (await world.history()).outcomes('school', 'b1');
    assert.match(
      outcomes.get('pupils')?.reason ?? '',
      /^unchanged since the import of \d{4}-.*: log: /,
    );
    assert.deepEqual([...outcomes].map(([table, { kind }]) => [table, kind]).toSorted(), [
      ['courses', 'SUCCEEDED'],
      ['grades', 'SUCCEEDED'],
      ['pupils', 'SKIPPED'],
    ]);
    assert.deepEqual(await rowsOf('courses'), [
      [1, 3],
      [2, 2],
    ]);
    assert.deepEqual(await rowsOf('pupils'), [
      ['1', '1'],
      ['2', '2'],
    ]);
    const shown = await command('history', 'school', 'pupils');
    assert.match(shown, /pupils {2}adopted +import-\d{8}T.* unchanged since its load of /);
    assert.match(shown, /pupils {2}unchanged +b1 /);

    await database.run('INSERT INTO pupils VALUES (3, 3)');
    const second = await world.run({ pipeline: 'school', batch: 'b2', tables: ['pupils'] });
    assert.deepEqual([second.loaded, second.failed], [1, 0]);
    assert.deepEqual(await rowsOf('pupils'), [
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });
});
