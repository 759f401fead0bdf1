import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import type { SourceEndpoint } from '../../src/endpoints';
import { createEmbeddedEngine } from '../../src/engines/embedded/embedded-engine';
import type { Engine, LoadProgress } from '../../src/engines/engine';
import { loadTable } from '../../src/load/load-table';
import type { TableSettings } from '../../src/pipeline/pipeline';
import type { Source } from '../../src/sources/source';
import { NO_TRACING } from '../../src/tracing/tracing';
import { createTestDatabase, type TestDatabase } from '../sources/mysql/support';
import { sharedServer, type TestServer } from '../sources/postgres/server';
import { readCurrent } from '../support/lake';
import { createMemoryHistory } from '../support/memory-history';
import { moveRequest } from '../support/move-request';
import { FULL_LOAD } from '../support/table-settings';
import { sharedMariadb } from '../support/servers';

const ROWS = 60_000;
const CHUNK_BYTES = 1024 ** 2;

/** A database with the table that a test made there. */
interface Side {
  readonly name: string;
  readonly source: Source;
  readonly endpoint: SourceEndpoint;
  readonly environment: NodeJS.ProcessEnv;
  /** The id of a new table of `ROWS` rows `(id, v)`, numbered from 1. */
  filled(key: string): Promise<string>;
  run(statement: string): Promise<unknown>;
}

interface Attempt {
  readonly attempt: number;
  readonly settings?: Partial<TableSettings>;
  /** Called before each move with its number in this attempt, from 0; what it throws fails the move. */
  readonly beforeMove?: (move: number) => Promise<void> | void;
}

describe('a load in chunks', function () {
  this.timeout(120_000);

  let mariadb: TestDatabase;
  let postgres: TestServer;
  let sides: readonly Side[];
  const engines: Engine[] = [];
  const roots: string[] = [];
  let tables = 0;

  before(async () => {
    mariadb = await createTestDatabase(await sharedMariadb());
    postgres = await sharedServer(17);
    sides = [mysqlSide(), postgresSide()];
  });
  after(async () => {
    for (const engine of engines) await engine.close();
    for (const root of roots) await rm(root, { recursive: true });
    await mariadb.drop();
    await postgres.stop();
  });

  function mysqlSide(): Side {
    return {
      name: 'MariaDB',
      source: mariadb.source,
      endpoint: { connection: mariadb.connection, schemas: [] },
      environment: { MYSQL_PASSWORD: 'comporta' },
      run: (statement) => mariadb.run(statement),
      async filled(key) {
        const name = `chunks_${tables++}`;
        await mariadb.run(
          `CREATE TABLE ${name} (id int NOT NULL, v varchar(200) ${key})`,
          `INSERT INTO ${name} SELECT seq, REPEAT(MD5(seq), 4) FROM seq_1_to_${ROWS}`,
          `ANALYZE TABLE ${name}`,
        );
        return name;
      },
    };
  }

  function postgresSide(): Side {
    return {
      name: 'PostgreSQL',
      source: postgres.source(),
      endpoint: { connection: postgres.connection, schemas: ['public'] },
      environment: { PASSWORD: postgres.service.password },
      run: (statement) => postgres.sql(statement),
      async filled(key) {
        const name = `chunks_${tables++}`;
        await postgres.sql(
          `CREATE TABLE ${name} (id int NOT NULL, v varchar(200) ${key});
           INSERT INTO ${name} SELECT n, repeat(md5(n::text), 4) FROM generate_series(1, ${ROWS}) n`,
        );
        await postgres.sql(`VACUUM ANALYZE ${name}`);
        return `public.${name}`;
      },
    };
  }

  /** Loads of one table into a lake of its own. */
  async function loads(side: Side, table: string) {
    const root = await mkdtemp(join(tmpdir(), 'comporta-chunks-'));
    roots.push(root);
    const store = createFileStore(root);
    const destination = createParquetDestination(store, { compression: 'zstd' });
    const history = createMemoryHistory();
    const embedded = createEmbeddedEngine({ ...process.env, ...side.environment }, { threads: 1 });
    engines.push(embedded);
    const { identity } = moveRequest(table);
    const endpoints = {
      source: side.endpoint,
      destination: {
        connection: { type: 'file', name: 'lake', path: root },
        settings: { compression: 'zstd', zstdLevel: 1 },
      },
    } as const;
    const reports: LoadProgress[] = [];

    const load = async ({ attempt, settings, beforeMove }: Attempt) => {
      let moves = 0;
      const engine: Engine = {
        ...embedded,
        async move(request, watch) {
          const number = moves++;
          await beforeMove?.(number);
          return embedded.move(request, watch);
        },
      };
      try {
        return await loadTable(
          {
            ...{ source: side.source, destination, endpoints, history, engine },
            pipeline: {
              name: 'shop',
              domain: 'shop',
              file: '',
              source: { connection: 'shop', schemas: side.endpoint.schemas },
              tables: { include: ['*'], exclude: [] },
              defaults: { ...FULL_LOAD, chunkBytes: CHUNK_BYTES, ...settings },
              overrides: [],
              destination: {
                type: 'parquet',
                connection: 'lake',
                compression: 'zstd',
                zstdLevel: 1,
                retention: { runs: 0, days: 0 },
              },
              concurrency: 1,
            },
            now: () => new Date(),
            report: (progress) => reports.push(progress),
            warn: (message) => assert.fail(message),
            tracer: NO_TRACING,
            signal: new AbortController().signal,
          },
          {
            identity: { ...identity, attempt },
            decision: { verdict: 'forced', reason: 'test' },
            workflowId: 'w',
            workflowRunId: 'r',
          },
        );
      } finally {
        lastMoves = moves;
      }
    };
    let lastMoves = 0;
    return {
      load,
      reports,
      destination,
      /** Moves that the last attempt began. */
      moves: () => lastMoves,
      rows: async () => readCurrent(root, 'shop', table, 'id, v'),
      published: async () => (await destination.published('shop', table))!,
      /** Files of the lake that a load should not leave. */
      async leftOver() {
        const { files } = (await destination.published('shop', table)) ?? { files: [] };
        const all = await readdir(root, { recursive: true, withFileTypes: true });
        return all
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .filter((file) => /_staging|_note|run_id/.test(file) && !file.includes('_manifests'))
          .filter((file) => !files.some(({ path }) => file.endsWith(path)));
      },
    };
  }

  function assertRows(rows: readonly unknown[][], expected = ROWS): void {
    assert.equal(rows.length, expected);
    assert.deepEqual(
      rows.map(([id]) => Number(id)),
      Array.from({ length: expected }, (_, i) => i + 1),
    );
  }

  for (const name of ['MariaDB', 'PostgreSQL']) {
    const side = () => sides.find((one) => one.name === name)!;

    it(`goes on with the missing chunks, with the first token: ${name}`, async () => {
      const table = await side().filled(', PRIMARY KEY (id)');
      const { load, moves, rows, published, leftOver, reports } = await loads(side(), table);
      await assert.rejects(
        load({
          attempt: 1,
          beforeMove: (move) => {
            if (move === 5) throw new Error('the worker is gone');
          },
        }),
        /the worker is gone/,
      );
      const { chunks } = reports.findLast((report) => report.chunks !== undefined)!;
      assert.ok(
        chunks !== undefined && chunks.done === 5 && chunks.of >= 7,
        JSON.stringify(chunks),
      );
      // Committed after the first token: loaded or not, the next check sees a difference.
      await side().run(`UPDATE ${table} SET v = 'new' WHERE id = 1`);
      await load({ attempt: 2 });

      assert.equal(moves(), chunks.of - chunks.done);
      assertRows(await rows());
      const { files, token } = await published();
      assert.deepEqual(
        files.map(({ path }) => path.includes('-attempt-2')),
        files.map((_, i) => i >= 5),
      );
      assert.deepEqual(
        files.map(({ path }) => path).toSorted(),
        files.map(({ path }) => path),
      );
      const now = await side().source.readTokens([
        {
          table: (await side().source.listTables([table]))[0]!,
          strategy: 'token',
          settleMarginMs: 0,
        },
      ]);
      assert.notDeepEqual(token.evidence, now.get(table)?.evidence);
      assert.deepEqual(await leftOver(), []);
    });

    it(`begins again where the columns changed meanwhile: ${name}`, async () => {
      const table = await side().filled(', PRIMARY KEY (id)');
      const { load, moves, published, reports } = await loads(side(), table);
      await assert.rejects(
        load({
          attempt: 1,
          beforeMove: (move) => {
            if (move === 3) throw new Error('the worker is gone');
          },
        }),
      );
      await side().run(`ALTER TABLE ${table} ADD COLUMN w int`);
      await load({ attempt: 2 });
      assert.equal(moves(), reports.at(-3)?.chunks?.of);
      const { files, columns } = await published();
      assert.equal(columns.length, 3);
      assert.ok(files.every(({ path }) => path.includes('-attempt-2')));
    });

    it(`loads a chunk again whose file is gone: ${name}`, async () => {
      const table = await side().filled(', PRIMARY KEY (id)');
      const { load, moves, rows, leftOver } = await loads(side(), table);
      let of = 0;
      await assert.rejects(
        load({
          attempt: 1,
          beforeMove: async (move) => {
            if (move !== 4) return;
            of = (await leftOver()).length;
            const [file] = (await leftOver()).filter((path) => path.endsWith('.parquet'));
            await rm(file!);
            throw new Error('the worker is gone');
          },
        }),
      );
      assert.ok(of >= 9, 'a plan, four notes and four files');
      await load({ attempt: 2 });
      assert.ok(moves() > 3);
      assertRows(await rows());
      assert.deepEqual(await leftOver(), []);
    });
  }

  it('sees no row on PostgreSQL that was written between two chunks', async () => {
    for (const key of [', PRIMARY KEY (id)', '']) {
      const table = await sides[1]!.filled(key);
      const { load, rows, moves } = await loads(sides[1]!, table);
      await load({
        attempt: 1,
        beforeMove: async (move) => {
          if (move === 2) {
            await postgres.sql(
              `INSERT INTO ${table} SELECT n, 'late' FROM generate_series(-9, 0) n`,
            );
            await postgres.sql(`INSERT INTO ${table} VALUES (${ROWS + 1}, 'late')`);
            await postgres.sql(`DELETE FROM ${table} WHERE id = ${ROWS}`);
            await postgres.sql(`UPDATE ${table} SET v = 'late' WHERE id > ${ROWS / 2}`);
          }
        },
      });
      assert.ok(moves() > 5);
      const found = await rows();
      assertRows(found);
      assert.ok(found.every(([, v]) => v !== 'late'));
    }
  });

  it('begins again on PostgreSQL where there is no key', async () => {
    const table = await sides[1]!.filled('');
    const { load, rows, moves, published, leftOver } = await loads(sides[1]!, table);
    await assert.rejects(
      load({
        attempt: 1,
        beforeMove: (move) => {
          if (move === 4) throw new Error('the worker is gone');
        },
      }),
    );
    await load({ attempt: 2 });
    assert.ok(moves() > 5);
    assert.ok((await published()).files.every(({ path }) => path.includes('-attempt-2')));
    assertRows(await rows());
    assert.deepEqual(await leftOver(), []);
  });

  it('leaves nothing of a run that nobody goes on with', async () => {
    const table = await sides[0]!.filled(', PRIMARY KEY (id)');
    const { load, leftOver, destination } = await loads(sides[0]!, table);
    await assert.rejects(
      load({
        attempt: 1,
        beforeMove: (move) => {
          if (move === 4) throw new Error('the worker is gone');
        },
      }),
    );
    assert.ok((await leftOver()).length >= 9);
    await destination.discardRun({ domain: 'shop', entity: table, run: 'another' });
    assert.ok((await leftOver()).length >= 9);
    await destination.discardRun({ ...moveRequest(table).identity });
    assert.deepEqual(await leftOver(), []);
  });

  it('takes a key of several columns, and text', async () => {
    for (const side of sides) {
      const table = await side.filled(', PRIMARY KEY (v, id)');
      const { load, rows, moves } = await loads(side, table);
      await load({ attempt: 1 });
      assert.ok(moves() > 5);
      assertRows(await rows());
    }
  });
});
