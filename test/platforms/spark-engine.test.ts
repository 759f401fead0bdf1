import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Destination } from '../../src/destinations/destination';
import { openDestination, openSource } from '../../src/endpoints';
import { createEmbeddedEngine } from '../../src/engines/embedded/embedded-engine';
import type { Engine, MoveRequest, MoveResult } from '../../src/engines/engine';
import { createSparkEngine } from '../../src/engines/spark/spark-engine';
import type { JobRunner } from '../../src/engines/spark/job-runner';
import type { DatabaseConnection, TableSettings } from '../../src/pipeline/pipeline';
import { localSecretStore } from '../../src/pipeline/secrets';
import type { SourceTable } from '../../src/sources/source';
import { quoteIdentifier as mysqlName } from '../../src/sources/mysql/identifiers';
import { createTestDatabase, SERVERS, type TestDatabase } from '../sources/mysql/support';
import { BOTH, MARIADB_ONLY, MYSQL_ONLY } from '../sources/mysql/type-cases';
import { sharedServer, type TestServer } from '../sources/postgres/server';
import { TYPE_CASES, TYPE_DEFINITIONS } from '../sources/postgres/type-cases';
import { duckdbRows, sqlString } from '../support/duckdb';
import { moveRequest } from '../support/move-request';
import { FULL_LOAD } from '../support/table-settings';
import { JOBS, residentSpark, sparkOrSkip, type ResidentSpark } from '../support/resident-spark';

/** The same tables by both engines: what readers of the lake find must not tell which it was. */
describe('the engine spark beside the embedded one', function () {
  this.timeout(300_000);
  const environment = {
    ...process.env,
    MYSQL_PASSWORD: 'comporta',
    PASSWORD: 'comporta',
    SALT: 'pepper',
  };
  const secrets = localSecretStore(environment);
  const databases: TestDatabase[] = [];
  let postgres: TestServer;
  let spark: ResidentSpark;
  let embedded: Engine;
  let root: string | undefined;

  before(async function () {
    await sparkOrSkip(this);
    root = await mkdtemp(join(tmpdir(), 'comporta-engines-'));
    postgres = await sharedServer(17);
    environment.PASSWORD = postgres.service.password;
    for (const { service } of SERVERS) databases.push(await createTestDatabase(await service()));
    const { MYSQL_PASSWORD, PASSWORD, SALT } = environment;
    spark = await residentSpark(this, { MYSQL_PASSWORD, PASSWORD, SALT });
    embedded = createEmbeddedEngine(environment, { threads: 1 });
    await postgres.sql(TYPE_DEFINITIONS);
  });
  after(async () => {
    await embedded?.close();
    for (const one of opened) await one.close();
    for (const database of databases) await database.drop();
    await postgres?.stop();
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  });

  const opened: { close(): Promise<void> }[] = [];
  const remembered = <Opened extends { close(): Promise<void> }>(one: Opened) => {
    opened.push(one);
    return one;
  };
  const sparkEngine = (runner: JobRunner = spark.runner): Engine =>
    createSparkEngine({
      name: 'spark',
      runner,
      source: (endpoint) => remembered(openSource(endpoint, secrets)),
      destination: (endpoint) => remembered(openDestination(endpoint, secrets)),
      script: join(JOBS, 'ingest_table.py'),
      shouldCancel: () => true,
    });

  let lakes = 0;
  /** A load into a lake of its own, published; what the engine said and what a reader finds. */
  const load = async (
    engine: Engine,
    connection: DatabaseConnection,
    table: SourceTable,
    change: Partial<TableSettings> = {},
    more: Partial<MoveRequest> = {},
  ) => {
    const path = join(root ?? '', `lake-${lakes++}`);
    const endpoint = {
      connection: { type: 'file' as const, name: 'lake', path },
      settings: { compression: 'zstd' as const, zstdLevel: 1 },
    };
    const request = moveRequest('entity', {
      source: { connection, schemas: connection.type === 'postgres' ? ['public'] : [] },
      destination: endpoint,
      table,
      settings: { ...FULL_LOAD, engine: engine.name, ...change },
      ...more,
    });
    const moved = await engine.move(request, {
      report: () => undefined,
      signal: new AbortController().signal,
    });
    const destination = openDestination(endpoint, secrets);
    await publish(destination, request, moved);
    await destination.close();
    return { moved, lake: path, read: await readers(path, moved) };
  };

  const both = async (...given: DropFirst<Parameters<typeof load>>) => {
    const expected = await load(embedded, ...given);
    const found = await load(sparkEngine(), ...given);
    assert.deepEqual(found.moved.columns, expected.moved.columns);
    assert.deepEqual(countsOf(found.moved), countsOf(expected.moved));
    assert.equal(found.read.rows, expected.read.rows);
    assert.deepEqual(found.read.types, expected.read.types);
    return { expected, found };
  };

  /** A table of one column per case, a row per value, and one of NULLs. */
  const columnsOf = (
    cases: readonly { type: string; values: readonly (readonly [string, unknown])[] }[],
  ) => {
    const most = Math.max(...cases.map(({ values }) => values.length));
    const rows = Array.from({ length: most + 1 }, (_, row) =>
      cases.map(({ values }) => values[row]?.[0] ?? 'NULL'),
    );
    return { types: cases.map(({ type }) => type), rows };
  };

  for (const [index, { name, mariadb }] of SERVERS.entries()) {
    describe(name, () => {
      let database: TestDatabase;
      before(() => (database = databases[index]!));

      it('moves every type', async () => {
        const cases = [...BOTH, ...(mariadb ? MARIADB_ONLY : MYSQL_ONLY)];
        const { types, rows } = columnsOf(cases);
        const columns = types.map((type, at) => `c${at} ${type}`);
        await database.run(
          `CREATE TABLE every_type (id int PRIMARY KEY, ${columns.join(', ')})`,
          ...rows.map((row, at) => `INSERT INTO every_type VALUES (${[at, ...row].join(', ')})`),
        );
        await both(database.connection, await database.table('every_type'));
        await both(database.connection, await database.table('every_type'), {
          textColumns: types.map((_, at) => `c${at}`),
        });
      });

      it('moves days that no calendar has, as told', async () => {
        await database.run(
          'CREATE TABLE odd_days (id int PRIMARY KEY, d date, t datetime(6) NOT NULL, s timestamp(3) NULL)',
          `INSERT INTO odd_days VALUES (1, '0000-00-00', '2024-01-00 01:02:03', '0000-00-00'), (2, '2024-02-29', '0000-00-00', '2024-01-01'), (3, NULL, '2024-01-01 10:00:00.000001', NULL)`,
        );
        const table = await database.table('odd_days');
        const { found } = await both(database.connection, table);
        assert.equal(found.moved.invalidValues, 4);
        await both(database.connection, table, { invalidDates: 'text' });
        await assert.rejects(
          load(sparkEngine(), database.connection, table, { invalidDates: 'fail' }),
          /column [dts] \(.*\) holds .*00.*, which has no faithful form/,
        );
      });

      it('moves hostile names and text, masked, filtered, without columns', async () => {
        const column = mysqlName('na"me `x` \\ ?');
        await database.run(
          `CREATE TABLE ${mysqlName('odd " name')} (id bigint PRIMARY KEY, ${column} varchar(200), secret text, mail varchar(50), card varchar(30), gone geometry)`,
          `INSERT INTO ${mysqlName('odd " name')} VALUES (1, 'quote '' " \` \\\\ \n\r\t😀', 'geheim', 'ada@example.com', '😀234-5678', NULL), (2, '', '', NULL, 'x', NULL), (3, NULL, 'ü', 'b', NULL, NULL), (4, 'NULL', 'x', 'x', 'x', NULL)`,
        );
        await both(database.connection, await database.table('odd " name'), {
          where: "id < 4 -- a comment's end",
          excludeColumns: ['gone'],
          masks: {
            secret: { method: 'sha256', salt: { from: 'env', name: 'SALT' } },
            mail: { method: 'hmac', key: { from: 'env', name: 'SALT' } },
            card: { method: 'partial', keepStart: 1, keepEnd: 2 },
            id: { method: 'redact', text: '***' },
          },
        });
      });

      it('moves a table without rows, and goes on from a cursor', async () => {
        await database.run(
          'CREATE TABLE journal (id int PRIMARY KEY, at datetime(6))',
          'CREATE TABLE nothing (id int PRIMARY KEY, d date)',
          `INSERT INTO journal VALUES (1, '2024-01-01'), (2, '2024-01-02 03:04:05.000006'), (3, NULL)`,
        );
        const { found } = await both(database.connection, await database.table('nothing'));
        assert.deepEqual([found.moved.rowsAtSource, found.moved.files.length], [0, 1]);
        const cursor = { column: 'at', lookBack: 1000 };
        const table = await database.table('journal');
        const first = await both(database.connection, table, { mode: 'incremental', cursor });
        assert.equal(first.found.moved.cursorHigh, '2024-01-02 03:04:05.000006');
        const from = {
          column: 'at',
          value: '2024-01-02 03:04:05.000006',
          lookBack: 1000,
          exclusive: false,
        };
        const next = await both(
          database.connection,
          table,
          { mode: 'incremental', cursor },
          { from },
        );
        assert.equal(next.found.moved.rowsRead, 1);
      });

      it('divides a large table by its key', async () => {
        await database.run(
          'CREATE TABLE large (id int PRIMARY KEY AUTO_INCREMENT, filler char(200))',
          `INSERT INTO large (filler) VALUES ('a'), ('b'), ('c'), ('d')`,
          ...Array.from(
            { length: 11 },
            () => 'INSERT INTO large (filler) SELECT filler FROM large',
          ),
          'ANALYZE TABLE large',
        );
        const table = await database.table('large');
        assert.ok((table.approximateBytes ?? 0) > 1_000_000);
        const { found } = await both(database.connection, table, { chunkBytes: 500_000 });
        assert.equal(found.moved.rowsRead, 8192);
        assert.ok(found.moved.files.length >= 2, `${found.moved.files.length} files`);
      });
    });
  }

  describe('PostgreSQL', () => {
    const tableOf = async (name: string) => {
      const source = postgres.source();
      const [table] = await source.listTables([`public.${name}`]);
      await source.close();
      return table!;
    };

    it('moves every type', async () => {
      const cases = TYPE_CASES.filter(({ type }) => type !== 'fair_price');
      const { types, rows } = columnsOf(cases);
      const columns = types.map((type, at) => `c${at} ${type}`);
      const values = rows.map(
        (row, at) =>
          `(${[at, ...row.map((sql, place) => `(${sql})::${types[place]}`)].join(', ')})`,
      );
      await postgres.sql(
        `CREATE TABLE every_type (id int PRIMARY KEY, ${columns.join(', ')}); INSERT INTO every_type VALUES ${values.join(', ')}`,
      );
      await both(postgres.connection, await tableOf('every_type'));
      await both(postgres.connection, await tableOf('every_type'), {
        textColumns: types.map((_, at) => `c${at}`),
      });
    });

    it('refuses what no decimal and no date can hold', async () => {
      await postgres.sql(
        `CREATE TABLE no_number (id int PRIMARY KEY, n numeric(5,2)); INSERT INTO no_number VALUES (1, 'NaN');
         CREATE TABLE no_end (id int PRIMARY KEY, d date, t timestamptz); INSERT INTO no_end VALUES (1, 'infinity', '-infinity'), (2, '2024-01-01', '294276-12-31')`,
      );
      await assert.rejects(load(sparkEngine(), postgres.connection, await tableOf('no_number')), {
        code: 'ValueUnfaithful',
        problem: 'column n (numeric(5,2)) holds NaN, which has no faithful form',
      });
      const { found } = await both(postgres.connection, await tableOf('no_end'));
      assert.equal(found.moved.invalidValues, 3);
      await assert.rejects(
        load(sparkEngine(), postgres.connection, await tableOf('no_end'), { invalidDates: 'fail' }),
        { code: 'ValueUnfaithful' },
      );
      const endless = { mode: 'incremental' as const, cursor: { column: 'd', lookBack: 0 } };
      for (const engine of [embedded, sparkEngine()]) {
        await assert.rejects(load(engine, postgres.connection, await tableOf('no_end'), endless), {
          code: 'ValueUnfaithful',
          problem: 'cursor column d reaches infinity',
        });
      }
    });

    it('moves masked, filtered and excluded columns, from a cursor on', async () => {
      await postgres.sql(
        `CREATE TABLE "Odd "" name" (id int PRIMARY KEY, "na""me" char(5), secret int, at timestamptz, gone box);
         INSERT INTO "Odd "" name" VALUES (1, 'ab', 42, '2024-01-01 00:00:00.000001+02', NULL), (2, '😀', NULL, '2024-01-02', NULL), (3, NULL, -1, NULL, NULL)`,
      );
      const table = await tableOf('"Odd "" name"');
      const settings = {
        mode: 'incremental' as const,
        cursor: { column: 'at', lookBack: 60_000 },
        where: "id < 3 -- it's a comment",
        excludeColumns: ['gone'],
        masks: {
          secret: { method: 'sha256' as const, salt: { from: 'env' as const, name: 'SALT' } },
        },
      };
      const { found } = await both(postgres.connection, table, settings);
      assert.equal(found.moved.cursorHigh, '2024-01-02 00:00:00+00');
      const from = {
        column: 'at',
        value: '2024-01-02 00:00:00+00',
        lookBack: 60_000,
        exclusive: false,
      };
      const next = await both(postgres.connection, table, settings, { from });
      assert.equal(next.found.moved.rowsRead, 1);
    });

    it('divides a large table inside one snapshot', async () => {
      await postgres.sql(
        `CREATE TABLE large (id int PRIMARY KEY, filler text); INSERT INTO large SELECT i, repeat('x', 200) FROM generate_series(1, 8000) AS i; ANALYZE large`,
      );
      const { found } = await both(postgres.connection, await tableOf('large'), {
        chunkBytes: 300_000,
      });
      assert.equal(found.moved.rowsRead, 8000);
      assert.ok(found.moved.files.length >= 2, `${found.moved.files.length} files`);
    });
  });

  describe('a later attempt', () => {
    const request = async (lake: string, change: Partial<MoveRequest> = {}) => {
      const [database] = databases;
      await database!.run(
        'CREATE TABLE IF NOT EXISTS small (id int PRIMARY KEY)',
        'REPLACE INTO small VALUES (1), (2)',
      );
      return moveRequest('small', {
        source: { connection: database!.connection, schemas: [] },
        destination: {
          connection: { type: 'file', name: 'lake', path: join(root ?? '', lake) },
          settings: { compression: 'snappy', zstdLevel: 1 },
        },
        table: await database!.table('small'),
        settings: { ...FULL_LOAD, engine: 'spark' },
        ...change,
      });
    };
    const watch = { report: () => undefined, signal: new AbortController().signal };
    const tokenOf = (value: string) => ({ sourceTime: value, evidence: [], settings: 'as ever' });

    /** Runs each job once, as a platform does that remembers its jobs. */
    const remembering = () => {
      const submitted: string[] = [];
      const runner: JobRunner = {
        async run(job, watching) {
          if (submitted.includes(job.id)) return { attempt: 1 };
          submitted.push(job.id);
          return spark.runner.run(job, watching);
        },
        close: () => Promise.resolve(),
      };
      return { submitted, engine: sparkEngine(runner) };
    };

    it('finds the source and the destination open that it was given', async () => {
      const closed: string[] = [];
      const watched = <Opened extends { close(): Promise<void> }>(name: string, one: Opened) => {
        const close = one.close.bind(one);
        one.close = async () => {
          closed.push(name);
          await close();
        };
        return one;
      };
      const { source: at, destination: to } = await request('shared');
      const source = watched('source', openSource(at, secrets));
      const destination = watched('destination', openDestination(to, secrets));
      const engine = createSparkEngine({
        ...{ name: 'spark', runner: spark.runner, shouldCancel: () => true },
        ...{ source: () => source, destination: () => destination },
        script: join(JOBS, 'ingest_table.py'),
      });
      await engine.move(await request('shared'), watch);
      await engine.close();
      assert.deepEqual(closed, []);
      await Promise.all([source.close(), destination.close()]);
    });

    it('takes the outcome of the job that an earlier one began, with the token of then', async () => {
      const { submitted, engine } = remembering();
      const first = await engine.move(await request('again', { token: tokenOf('first') }), watch);
      const second = await request('again', { token: tokenOf('second') });
      const again = await engine.move(
        { ...second, identity: { ...second.identity, attempt: 2 } },
        watch,
      );
      assert.equal(submitted.length, 1);
      assert.equal(again.token?.sourceTime, 'first');
      assert.deepEqual(
        again.files.map(({ sha256 }) => sha256),
        first.files.map(({ sha256 }) => sha256),
      );
    });

    it('refuses files of another schema than was asked for', async () => {
      const runner: JobRunner = {
        async run(job, watching) {
          const outcome = await spark.runner.run(job, watching);
          const staging = join(root ?? '', 'other/_staging/shop/small');
          const folder = (await readdir(staging)).find((name) => name.endsWith('-1')) ?? '';
          const path = join(staging, folder, 'result.json');
          const result = await readFile(path, 'utf8');
          assert.ok(result.includes('"bits": 32'), result);
          await writeFile(path, result.replace('"bits": 32', '"bits": 64'));
          return outcome;
        },
        close: () => Promise.resolve(),
      };
      await assert.rejects(sparkEngine(runner).move(await request('other'), watch), {
        code: 'EngineFailed',
        problem: 'the Spark job wrote other columns than it was asked for',
      });
    });

    it('runs another job where the outcome is gone, or the settings are others', async () => {
      const { submitted, engine } = remembering();
      await engine.move(await request('gone', { token: tokenOf('first') }), watch);
      const staging = join(root ?? '', 'gone/_staging/shop/small');
      for (const name of await readdir(staging)) {
        if (name.endsWith('-1')) await rm(join(staging, name), { recursive: true });
      }
      const again = await engine.move(await request('gone', { token: tokenOf('later') }), watch);
      assert.equal(again.rowsWritten, 2);
      assert.equal(submitted.length, 2);
      const settings: TableSettings = { ...FULL_LOAD, engine: 'spark', where: 'id = 1' };
      const filtered = await engine.move(await request('gone', { settings }), watch);
      assert.equal(filtered.rowsWritten, 1);
      assert.equal(submitted.length, 3);
    });
  });
});

type DropFirst<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never;

function countsOf({
  rowsAtSource,
  rowsRead,
  rowsWritten,
  invalidValues,
  cursorHigh,
  primaryKey,
}: MoveResult) {
  return { rowsAtSource, rowsRead, rowsWritten, invalidValues, cursorHigh, primaryKey };
}

async function publish(
  destination: Destination,
  { identity }: MoveRequest,
  moved: MoveResult,
): Promise<void> {
  const { files, columns, rowsAtSource, rowsWritten } = moved;
  await destination.publish({
    ...{ identity, mode: 'full', files, columns, key: [], rowsAtSource, rowsWritten, fence: 1 },
    token: { sourceTime: '2026-01-01T00:00:00Z', evidence: [], settings: '' },
    assertOwner: () => Promise.resolve(),
    signal: new AbortController().signal,
  });
}

/** Rows and Parquet types, as DuckDB has them from the published files. */
async function readers(lake: string, { files }: MoveResult) {
  const paths = `[${files.map(({ path }) => sqlString(join(lake, path))).join(', ')}]`;
  const rows = await duckdbRows(
    `SELECT * FROM read_parquet(${paths}, hive_partitioning = false) ORDER BY 1`,
  );
  const types = await duckdbRows(
    `SELECT DISTINCT name, type, type_length, repetition_type, converted_type, logical_type
     FROM parquet_schema(${paths}) WHERE num_children IS NULL ORDER BY ALL`,
  );
  return {
    rows: inspect(rows, { depth: null, maxArrayLength: null, maxStringLength: null }),
    types: types.map(String),
  };
}
