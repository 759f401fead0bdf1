import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bigqueryClient } from '../../src/google/bigquery';
import type { Plan } from '../../src/plan/plan';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { readCurrent } from '../support/lake';
import { allFiles } from '../support/process-world';
import { sparkOrSkip } from '../support/resident-spark';
import { sharedMysql, uniqueName } from '../support/servers';
import {
  SLMANDIC_FILE,
  startSlmandicServers,
  type SlmandicServers,
} from '../support/slmandic-servers';
import { startWorld, type World } from '../support/world';

/**
 * pipelines/slmandic.yaml as it ships, from MySQL by a real Spark into a bucket; only the addresses
 * of the servers are those of this machine.
 */
describe('pipelines/slmandic.yaml', function () {
  this.timeout(300_000);
  let folder: string | undefined;
  let mysql: TestDatabase;
  let servers: SlmandicServers;
  let world: World;
  let user: string;
  const password = 'senha-que-ninguem-ve';

  before(async function () {
    await sparkOrSkip(this);
    folder = await mkdtemp(join(tmpdir(), 'comporta-slmandic-'));
    const server = await sharedMysql();
    mysql = await createTestDatabase(server);
    user = uniqueName('reader');
    await mysql.run(
      `CREATE USER ${user} IDENTIFIED BY '${password}'`,
      `GRANT SELECT ON ${mysql.name}.* TO ${user}`,
      `GRANT PROCESS, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO ${user}`,
    );
    const source = { ...server, user, password, database: mysql.name };
    servers = await startSlmandicServers({ source, folder });
    world = await startWorld({
      project: SLMANDIC_FILE,
      environment: servers.environment,
      roles: ['control', 'dataproc'],
    });
  });
  after(async () => {
    // Nothing is there where there is no Spark.
    if (folder === undefined) return;
    await world?.close();
    await servers?.close();
    await mysql?.run(`DROP USER ${user}`);
    await mysql?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const bigquery = () =>
    bigqueryClient({
      ...{ project: 'slmandic-datalake-hml', dataset: 'slmandic' },
      endpoint: servers.bigquery.endpoint,
    });
  const objects = async (start: string) =>
    (await allFiles(servers.lake)).filter((path) => path.startsWith(start));

  it('loads a changed table by a Dataproc job, all of it in the bucket', async () => {
    await mysql.run(
      `CREATE TABLE matriculas (
         id BIGINT UNSIGNED PRIMARY KEY, aluno VARCHAR(40), valor DECIMAL(20,4), nascimento DATE,
         criada DATETIME(6), ativa TINYINT(1), ficha JSON)`,
      `INSERT INTO matriculas VALUES
         (1, 'João', 1234.5000, '1999-12-31', '2026-03-29 02:30:00.123456', 2, '{"a": [1, null]}'),
         (9223372036854775807, NULL, -0.0001, NULL, NULL, NULL, NULL)`,
    );
    const summary = await world.run({ pipeline: 'slmandic', batch: 'b1' });
    assert.deepEqual([summary.loaded, summary.rows], [1, 2]);

    const columns = 'CAST(id AS text), aluno, CAST(valor AS text), CAST(nascimento AS text)';
    const rest = 'CAST(criada AS text), CAST(ativa AS int), CAST(ficha AS text)';
    const rows = await readCurrent(servers.lake, 'slmandic', 'matriculas', `${columns}, ${rest}`);
    assert.deepEqual(rows, [
      ...[
        [
          '1',
          'João',
          '1234.5000',
          '1999-12-31',
          '2026-03-29 02:30:00.123456',
          2,
          '{"a": [1, null]}',
        ],
      ],
      ...[['9223372036854775807', null, '-0.0001', null, null, null, null]],
    ]);
    const [job] = [...servers.dataproc.jobs.jobs.values()];
    assert.equal(job?.state, 'DONE');
    assert.match(
      job.script,
      /^gs:\/\/bucket-slmandic-datalake-hml\/_jobs\/[0-9a-f]{16}\/ingest_table\.py$/,
    );
    assert.match(
      job.args[1] ?? '',
      /^gs:\/\/bucket-slmandic-datalake-hml\/_staging\/slmandic\/matriculas\//,
    );
    assert.equal((await objects('_jobs/')).length, 1);
    assert.equal((await objects('raw/slmandic/matriculas/ingestion_date=')).length, 1);
    const output = join(servers.lake, '..', `${job.output.slice('gs://'.length)}.000000000`);
    assert.match(await readFile(output, 'utf8'), /ShutdownHookManager/);
  });

  it('fills the table of BigQuery with it', async () => {
    const [rows] = await bigquery().query(
      'SELECT CAST(id AS STRING) AS id, aluno, CAST(valor AS FLOAT64) AS valor FROM slmandic.matriculas ORDER BY aluno IS NULL',
    );
    assert.deepEqual(rows, [
      { id: '1', aluno: 'João', valor: 1234.5 },
      { id: '9223372036854775807', aluno: null, valor: -0.0001 },
    ]);
    // The load made it, where the file says.
    const made = await bigquery().dataset('slmandic').getMetadata();
    assert.equal((made as [{ location: string }, unknown])[0].location, 'us-central1');
  });

  it('submits to the cluster that the file names, with a reference to the password only', () => {
    const [submitted] = [...servers.dataproc.submittedJobs.values()];
    assert.equal(submitted?.job?.placement?.clusterName, 'dataproc-cluster-slmandic-datalake-hml');
    assert.equal(submitted.region, 'us-central1');
    assert.equal(submitted.projectId, 'slmandic-datalake-hml');
    assert.ok(!JSON.stringify(submitted).includes(password));
    // The worker's reads, and that of the job.
    assert.ok(servers.secretManager.reads >= 2);
  });

  it('skips what has not changed, with its plan as JSON in the bucket', async () => {
    const summary = await world.run({ pipeline: 'slmandic', batch: 'b2' });
    assert.deepEqual([summary.loaded, summary.skipped], [0, 1]);
    const path = join(servers.lake, '_plans/slmandic/b2.json');
    const plan = JSON.parse(await readFile(path, 'utf8')) as Plan;
    assert.deepEqual(plan.loads, []);
    assert.deepEqual(
      plan.skips.map(({ table }) => table),
      ['matriculas'],
    );
    assert.equal(plan.concurrency, 8);
    assert.equal(servers.dataproc.jobs.jobs.size, 1);
  });

  it('keeps Historico_Execucao in BigQuery, under the columns of the older table', async () => {
    const [rows] = await bigquery().query(
      'SELECT nome_tabela, qtd_linhas, status, tempo_execucao > 0 AS durou FROM comporta.historico_execucao_resumo',
    );
    assert.deepEqual(rows, [
      { nome_tabela: 'matriculas', qtd_linhas: 2, status: 'SUCESSO', durou: true },
    ]);
  });
});
