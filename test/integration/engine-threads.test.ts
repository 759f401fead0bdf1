import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { createEmbeddedEngine } from '../../src/engines/embedded/embedded-engine';
import type { Engine, LoadProgress, MoveRequest } from '../../src/engines/engine';
import { ComportaError } from '../../src/errors';
import { eventually } from '../support/eventually';
import { moveRequest } from '../support/move-request';
import { FULL_LOAD } from '../support/table-settings';
import { duckdbRows, sqlString } from '../support/duckdb';
import { sharedMariadb, sharedPostgres, uniqueName } from '../support/servers';

const ROWS = 1_500_000;

describe('the embedded engine on real servers', function () {
  this.timeout(180_000);

  let sql: Connection;
  let lake: string;
  let engine: Engine;
  let request: (table: string, change?: Partial<MoveRequest>) => MoveRequest;
  const database = uniqueName('threads');

  before(async () => {
    const { host, port, user, password } = await sharedMariadb();
    sql = await createConnection({ host, port, user, password });
    await sql.query(`CREATE DATABASE ${database}`);
    await sql.query(`USE ${database}`);
    // Rows that the server makes up as it sends them.
    await sql.query(
      `CREATE VIEW much AS SELECT seq AS id, CONCAT('text ', seq) AS v, MD5(seq) AS m,
         TIMESTAMPADD(SECOND, seq, '2001-01-01') AS t, seq / 7 AS d FROM seq_1_to_${ROWS}`,
    );
    await sql.query('CREATE TABLE few (id int PRIMARY KEY, v varchar(20))');
    await sql.query("INSERT INTO few VALUES (1, 'a'), (2, NULL)");

    lake = await mkdtemp(join(tmpdir(), 'comporta-threads-'));
    engine = createEmbeddedEngine({
      ...process.env,
      RIGHT: password,
      WRONG: 'Zq7-wrong-password',
    });
    request = (table, change) =>
      moveRequest(table, {
        source: {
          connection: {
            type: 'mysql',
            name: 'shop',
            host,
            port,
            user,
            password: { from: 'env', name: 'RIGHT' },
            database,
            tls: { mode: 'disable' },
            connectTimeoutMs: 10_000,
            silenceTimeoutMs: 15_000,
          },
          schemas: [],
        },
        destination: {
          connection: { type: 'file', name: 'lake', path: lake },
          settings: { compression: 'zstd', zstdLevel: 1 },
        },
        table: { id: table, schema: database, name: table, kind: 'table' },
        ...change,
      });
  });
  after(async () => {
    await engine?.close();
    await sql?.query(`DROP DATABASE IF EXISTS ${database}`);
    await sql?.end();
    if (lake !== undefined) await rm(lake, { recursive: true });
  });

  const staged = async () =>
    (await readdir(join(lake, '_staging'), { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile(),
    );

  it('leaves the main thread free while it moves a long table', async () => {
    const beats: LoadProgress[] = [];
    let latest: LoadProgress | undefined;
    const before = performance.eventLoopUtilization();
    const began = performance.now();
    const BEAT_MS = 50;
    const timer = setInterval(() => {
      if (latest !== undefined) beats.push(latest);
    }, BEAT_MS);
    let reports = 0;
    const result = await engine.move(request('much'), {
      report: (progress) => {
        latest = progress;
        reports += 1;
      },
      signal: new AbortController().signal,
    });
    clearInterval(timer);
    const { utilization } = performance.eventLoopUtilization(before);
    const took = performance.now() - began;

    assert.equal(result.rowsAtSource, ROWS);
    assert.equal(result.rowsRead, ROWS);
    assert.equal(result.rowsWritten, ROWS);
    // In the main thread, decoding would take nearly all of its time.
    assert.ok(utilization < 0.2, `the main thread was busy ${utilization} of the time`);
    assert.ok(beats.length > took / BEAT_MS / 2, `${beats.length} beats in ${took} ms`);
    assert.ok(reports < 10 + took / 100, `${reports} reports in ${took} ms`);
    const rows = beats.filter(({ phase }) => phase === 'reading').map((beat) => beat.rows);
    assert.deepEqual(
      rows,
      rows.toSorted((a, b) => a - b),
    );
    assert.ok(new Set(rows).size > 1, 'progress is seen on the way');

    const [file] = await staged();
    assert.ok(file);
    const read = await duckdbRows(
      `SELECT count(*), sum(id), count(DISTINCT m) FROM read_parquet(${sqlString(join(file.parentPath, file.name))})`,
    );
    assert.deepEqual(read[0]?.map(Number), [ROWS, (ROWS * (ROWS + 1)) / 2, ROWS]);
    await rm(join(lake, '_staging'), { recursive: true });
  });

  it('stops in mid-read when cancelled, at the server too, and leaves nothing', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    const moving = engine.move(request('much'), {
      report: ({ phase, rows }) => {
        if (phase === 'reading' && rows > 0) controller.abort(reason);
      },
      signal: controller.signal,
    });
    await assert.rejects(moving, reason);
    assert.deepEqual(await staged(), []);
    await eventually(async () => {
      const [running] = await sql.query(
        `SELECT id FROM information_schema.processlist WHERE db = '${database}' AND info LIKE '%much%' AND id <> CONNECTION_ID()`,
      );
      assert.deepEqual(running, []);
    });
  });

  it('reads secrets by reference, and tells none of them', async () => {
    const { source } = request('few');
    const refused = engine.move(
      request('few', {
        source: {
          ...source,
          connection: { ...source.connection, password: { from: 'env', name: 'WRONG' } },
        },
      }),
      { report: () => undefined, signal: new AbortController().signal },
    );
    const error = await refused.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ComportaError);
    assert.equal(error.code, 'AuthenticationFailed');
    assert.ok(!`${error.stack} ${JSON.stringify(error)}`.includes('Zq7'));
  });

  it('refuses a changed schema before it reads a row', async () => {
    const phases = new Set<string>();
    const settings = { ...FULL_LOAD, onSchemaChange: 'fail' } as const;
    const refused = engine.move(request('few', { settings, previousColumns: [] }), {
      report: ({ phase }) => phases.add(phase),
      signal: new AbortController().signal,
    });
    await assert.rejects(refused, {
      code: 'SchemaChanged',
      message: /added id int32, added v text/,
    });
    assert.deepEqual([...phases], ['connecting']);
  });

  it('moves tables of both kinds of server side by side', async () => {
    const postgres = await sharedPostgres();
    const watch = { report: () => undefined, signal: new AbortController().signal };
    const fromPostgres = request('few', {
      identity: { ...request('pg').identity, entity: 'pg' },
      source: {
        connection: {
          ...request('few').source.connection,
          type: 'postgres',
          host: postgres.host,
          port: postgres.port,
          user: postgres.user,
          database: 'postgres',
        },
        schemas: ['pg_catalog'],
      },
      table: { id: 'pg_catalog.pg_am', schema: 'pg_catalog', name: 'pg_am', kind: 'table' },
    });
    const [few, methods] = await Promise.all([
      engine.move(request('few'), watch),
      engine.move(fromPostgres, watch),
    ]);
    assert.equal(few.rowsWritten, 2);
    assert.deepEqual(few.primaryKey, ['id']);
    assert.deepEqual(few.files[0]?.nulls, [
      ['id', 0],
      ['v', 1],
    ]);
    assert.ok(methods.rowsWritten > 3);
  });
});
