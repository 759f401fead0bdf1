import assert from 'node:assert/strict';
import type { TableMetadata } from '@google-cloud/bigquery';
import { Client } from 'pg';
import { createBigqueryDestination } from '../../src/destinations/bigquery/bigquery-destination';
import { createTableFollower } from '../../src/destinations/bigquery/follow';
import { createWarehouse, type Warehouse } from '../../src/destinations/bigquery/warehouse';
import type { Destination } from '../../src/destinations/destination';
import { createParquetDestination } from '../../src/destinations/parquet/parquet-destination';
import { ComportaError, type ErrorCode } from '../../src/errors';
import type { LoadMode } from '../../src/pipeline/pipeline';
import { column, type TestTable, type Value } from '../support/columns';
import { load } from '../support/loads';
import { publishingContract } from '../support/publishing-contract';
import { sharedPostgres, uniqueName } from '../support/servers';
import { newWarehouse, type TestWarehouse } from '../support/warehouse';
import type { LogicalType } from '../../src/types/logical';
import { startWorld } from '../support/world';

const columns = [
  column('id', { kind: 'int', bits: 32, signed: true }),
  column('note', { kind: 'text' }),
];

function orders(...rows: readonly (readonly Value[])[]): TestTable {
  return { columns, rows };
}

/** The emulator prints all digits that a NUMERIC may have, BigQuery only those that it has. */
const plain = (value: unknown) => String(value).replace(/(\.\d*?[1-9])0+$/, '$1');

const failsWith = (code: ErrorCode, message: RegExp) => (error: unknown) =>
  error instanceof ComportaError && error.code === code && message.test(error.message);

describe('tables of BigQuery', function () {
  this.timeout(240_000);

  let house: TestWarehouse;
  let destination: Destination;
  beforeEach(async () => {
    house = await newWarehouse();
    destination = createBigqueryDestination(house.store, house.connection, { compression: 'zstd' });
  });

  const rowsOf = async (table = 'orders') =>
    (await house.sql(`SELECT * FROM {${table}} ORDER BY id, note`)).map((row) =>
      Object.values(row),
    );
  const metadataOf = async (table: string) => {
    const found = await house.client.dataset(house.connection.dataset).table(table).getMetadata();
    return (found as readonly [TableMetadata, unknown])[0];
  };
  /** A destination whose way to BigQuery is changed. */
  const by = (change: (real: Warehouse) => Partial<Warehouse>) => {
    const real = createWarehouse(house.connection);
    const uri = (path: string) => house.store.uri(path);
    const follower = createTableFollower({ ...real, ...change(real) }, { uri, tablePrefix: '' });
    return createParquetDestination(house.store, { compression: 'zstd' }, follower);
  };

  describe('publishing', () =>
    publishingContract(
      () => Promise.resolve(house.store),
      (store) => createBigqueryDestination(store, house.connection, { compression: 'zstd' }),
    ));

  it('are filled by one load job, and changed by one job, in each mode', async () => {
    const key = ['id'];
    await load(destination, { run: 'r1', table: orders([1, 'a'], [2, null]) });
    assert.deepEqual(await rowsOf(), [
      [1, 'a'],
      [2, null],
    ]);
    await load(destination, {
      run: 'r2',
      mode: 'incremental',
      key,
      table: orders([2, 'B'], [3, 'c']),
    });
    const merged = [
      [1, 'a'],
      [2, 'B'],
      [3, 'c'],
    ];
    assert.deepEqual(await rowsOf(), merged);
    await load(destination, { run: 'r3', mode: 'append', key, table: orders([3, 'x'], [4, 'd']) });
    assert.deepEqual(await rowsOf(), [...merged, [4, 'd']]);
    await load(destination, { run: 'r4', mode: 'append', table: orders([4, 'd']) });
    assert.deepEqual(await rowsOf(), [...merged, [4, 'd'], [4, 'd']]);
    assert.deepEqual(await house.tables(), ['orders']);

    const jobs = (await house.jobs()).map(({ configuration = {} }) => configuration);
    const loads = jobs.flatMap(({ load: job }) => (job === undefined ? [] : [job]));
    assert.deepEqual(
      loads.map(({ sourceUris = [] }) => sourceUris.map((uri) => uri.replace(/^.*run_id=/, ''))),
      [
        ['r1/part-0000.parquet'],
        ['r2/part-0000.parquet'],
        ['r3/merged-0000.parquet'],
        ['r4/part-0000.parquet'],
      ],
    );
    assert.deepEqual(loads[0]?.schema?.fields, [
      { name: 'id', type: 'INT64', mode: 'NULLABLE' },
      { name: 'note', type: 'STRING', mode: 'NULLABLE' },
    ]);
    const copies = jobs.flatMap(({ copy }) => (copy === undefined ? [] : [copy]));
    assert.deepEqual(
      copies.map(({ writeDisposition, createDisposition }) => [
        writeDisposition,
        createDisposition,
      ]),
      [
        ['WRITE_TRUNCATE', 'CREATE_NEVER'],
        ['WRITE_APPEND', 'CREATE_NEVER'],
        ['WRITE_APPEND', 'CREATE_NEVER'],
      ],
    );
  });

  it('are arranged, labelled and described, and merged within the partitions touched', async () => {
    const bigquery = {
      partitionBy: { column: 'day', granularity: 'month' },
      clusterBy: ['id'],
      labels: { team: 'shop' },
    } as const;
    const dated = [
      { ...columns[0]!, comment: 'the number' },
      column('day', { kind: 'date' }),
      column('note', { kind: 'text' }),
    ];
    const day = (iso: string) => Date.parse(iso) / 86_400_000;
    const common = { bigquery, tableComment: 'what was sold', key: ['id'] };
    const table = (...rows: readonly (readonly Value[])[]) => ({ columns: dated, rows });
    await load(destination, {
      ...{ ...common, run: 'r1' },
      table: table(
        [1, day('2026-01-05'), 'a'],
        [2, day('2026-02-05'), 'b'],
        [3, day('2026-05-05'), 'c'],
        [4, null, 'd'],
      ),
    });
    // One row moves from January to March, one gets a day, one is new.
    await load(destination, {
      ...{ ...common, run: 'r2', mode: 'incremental' },
      table: table(
        [1, day('2026-03-05'), 'A'],
        [4, day('2026-03-06'), 'D'],
        [5, day('2026-03-07'), 'e'],
      ),
    });
    const rows = await house.sql(
      'SELECT id, CAST(day AS STRING) AS day, note FROM {orders} ORDER BY id',
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        [1, '2026-03-05', 'A'],
        [2, '2026-02-05', 'b'],
        [3, '2026-05-05', 'c'],
        [4, '2026-03-06', 'D'],
        [5, '2026-03-07', 'e'],
      ],
    );
    const merges = (await house.jobs()).flatMap(({ configuration }) => {
      const query = configuration?.query?.query ?? '';
      return query.startsWith('MERGE') ? [query] : [];
    });
    assert.equal(merges.length, 1);
    const within =
      "((present.`day` >= DATE '2026-01-01' AND present.`day` < DATE '2026-02-01') OR " +
      "(present.`day` >= DATE '2026-03-01' AND present.`day` < DATE '2026-04-01') OR present.`day` IS NULL)";
    assert.ok(merges[0]?.includes(`AND ${within}\n`), merges[0]);

    const made = await metadataOf('orders');
    assert.deepEqual(made.timePartitioning, { type: 'MONTH', field: 'day' });
    assert.deepEqual(made.clustering, { fields: ['id'] });
    assert.equal(made.description, 'what was sold');
    assert.equal(made.labels?.['team'], 'shop');
    const { fields = [] } = made.schema as { fields: { name: string; description?: string }[] };
    assert.equal(fields.find(({ name }) => name === 'id')?.description, 'the number');

    const otherwise = { ...bigquery, partitionBy: { column: 'day', granularity: 'day' } } as const;
    await assert.rejects(
      load(destination, { ...common, bigquery: otherwise, run: 'r3', table: table() }),
      failsWith(
        'ConfigurationInvalid',
        /partitioned by month of day.*say by day of day.*drop the table/,
      ),
    );
  });

  it('hold every value exactly', async () => {
    const int = (bits: 8 | 16 | 32 | 64, signed: boolean) =>
      ({ kind: 'int', bits, signed }) as const;
    const decimal = (precision: number, scale: number) =>
      ({ kind: 'decimal', precision, scale }) as const;
    const most = 10n ** 38n - 1n;
    const cases: readonly (readonly [LogicalType, Value, type: string, shown: string])[] = [
      [{ kind: 'boolean' }, true, 'BOOLEAN', 'true'],
      [int(8, true), -128, 'INTEGER', '-128'],
      [int(16, false), 65_535, 'INTEGER', '65535'],
      [int(32, false), 4_294_967_295, 'INTEGER', '4294967295'],
      [int(64, true), -(2n ** 63n), 'INTEGER', '-9223372036854775808'],
      [int(64, false), 2n ** 63n - 1n, 'INTEGER', '9223372036854775807'],
      [{ kind: 'double' }, -0.1, 'FLOAT', '-0.1'],
      [decimal(12, 2), 999_999_999_999n, 'NUMERIC', '9999999999.99'],
      [decimal(38, 9), -most, 'NUMERIC', `-${'9'.repeat(29)}.${'9'.repeat(9)}`],
      // The emulator has 20 digits before the point of a BIGNUMERIC, and 18 behind it.
      [decimal(32, 12), 10n ** 32n - 1n, 'BIGNUMERIC', `${'9'.repeat(20)}.${'9'.repeat(12)}`],
      [{ kind: 'text' }, 'é\n"', 'STRING', 'é\n"'],
      [{ kind: 'json' }, '{"a":[1.5,null]}', 'JSON', ''],
      [{ kind: 'date' }, -719_162, 'DATE', '0001-01-01'],
      [{ kind: 'time' }, 86_399_999_999n, 'TIME', '23:59:59.999999'],
      [{ kind: 'duration' }, -3_020_399_000_000n, 'INTEGER', '-3020399000000'],
      [{ kind: 'timestamp', utc: false }, 1n, 'DATETIME', '1970-01-01 00:00:00.000001'],
      [{ kind: 'timestamp', utc: true }, 1n, 'TIMESTAMP', '1970-01-01 00:00:00.000001+00'],
    ];
    const specs = cases.map(([type], i) => column(`c${i}`, type));
    const rows = [cases.map(([, value]) => value), cases.map(() => null)];
    await load(destination, { run: 'r1', table: { columns: specs, rows } });
    const shown = cases.map(([type], i) =>
      type.kind === 'json'
        ? `JSON_VALUE(c${i}, '$.a[0]') AS c${i}`
        : `CAST(c${i} AS STRING) AS c${i}`,
    );
    const [found = {}] = await house.sql(
      `SELECT ${shown.join(', ')} FROM {orders} ORDER BY c0 NULLS LAST`,
    );
    const { fields } = (await metadataOf('orders')).schema as { fields: { type: string }[] };
    assert.deepEqual(
      Object.values(found).map((value, i) => [fields[i]?.type, plain(value)]),
      cases.map(([type, , name, text]) => [name, type.kind === 'json' ? '1.5' : text]),
    );
  });

  it('hold no unsigned number beyond INT64, whatever a load job makes of it', async () => {
    const id = column('id', { kind: 'int', bits: 64, signed: false });
    const beyond = { columns: [id], rows: [[2n ** 63n - 1n], [2n ** 63n]] };
    await assert.rejects(
      load(destination, { run: 'r1', table: beyond }),
      failsWith('ValueUnfaithful', /columns\.text/),
    );
    // BigQuery may take the bits for those of a signed number.
    const wrapping = by((real) => ({
      async run(job, signal) {
        const outcome = await real.run(job, signal);
        const { tableId } = job.configuration.load?.destinationTable ?? {};
        if (tableId !== undefined) await house.sql(`UPDATE {${tableId}} SET id = -1 WHERE id = 1`);
        return outcome;
      },
    }));
    await assert.rejects(
      load(wrapping, { run: 'r2', table: { columns: [id], rows: [[1n], [2n]] } }),
      failsWith('ValueUnfaithful', /^.*: id: a number above 9223372036854775807.*columns\.text/),
    );
    assert.equal(await destination.published('sales', 'orders'), undefined);
    assert.deepEqual(await house.tables(), []);
    await load(wrapping, { run: 'r3', table: { columns: [id], rows: [[2n]] } });
  });

  it('are made with their dataset where that is missing', async () => {
    const name = uniqueName('missing');
    const missing = { ...house.connection, dataset: name, location: 'EU' };
    const made = createBigqueryDestination(house.store, missing, { compression: 'zstd' });
    await load(made, { run: 'r1', table: orders([1, 'a']) });
    const answer = await house.client.dataset(name).getMetadata();
    assert.equal((answer as [{ location: string }, unknown])[0].location, 'EU');
    const [rows] = await house.client.query(`SELECT id, note FROM ${name}.orders`);
    assert.deepEqual(rows, [{ id: 1, note: 'a' }]);
  });

  it('are not taken from somebody else, nor from another table of the same name', async () => {
    await house.sql('CREATE TABLE {orders} (id INT64)');
    await assert.rejects(
      load(destination, { run: 'r1', table: orders([1, 'a']) }),
      failsWith('ConfigurationInvalid', /is not made by Comporta — drop or rename it/),
    );
    await load(destination, { run: 'r1', entity: 'a.b', table: orders([1, 'a']) });
    await assert.rejects(
      load(destination, { run: 'r2', entity: 'a_b', table: orders([2, 'b']) }),
      failsWith('ConfigurationInvalid', /holds another table of the pipeline/),
    );
    assert.deepEqual(await rowsOf('a_b'), [[1, 'a']]);
    assert.deepEqual(await house.tables(), ['a_b', 'orders']);
  });

  describe('a publication that a process does not come back from', () => {
    /** The changes of BigQuery that a publication makes, in their order. */
    const CHANGES = ['create', 'run', 'change', 'expireAt', 'run', 'expireAt', 'change'] as const;

    /** Ends, as a process that is killed, after so many changes. */
    const killedAfter = (changes: number) =>
      by((real) => {
        let made = 0;
        const counted =
          <Arguments extends readonly unknown[], Result>(
            body: (...given: Arguments) => Promise<Result>,
          ) =>
          async (...given: Arguments): Promise<Result> => {
            if (made >= changes) throw new Error('killed');
            const result = await body(...given);
            made += 1;
            if (made === changes) throw new Error('killed');
            return result;
          };
        return {
          create: counted((name, metadata) => real.create(name, metadata)),
          change: counted((name, metadata) => real.change(name, metadata)),
          run: counted((job, signal) => real.run(job, signal)),
          expireAt: counted((name, time) => real.expireAt(name, time)),
          drop: counted((name) => real.drop(name)),
        };
      });

    const cases: readonly (readonly [LoadMode, readonly string[], number])[] = [
      ['append', [], 2],
      ['append', [], 4],
      ['append', [], 5],
      ['append', [], 7],
      ['incremental', ['id'], 5],
      ['full', [], 5],
    ];
    for (const [mode, key, changes] of cases) {
      it(`${mode}, after ${changes} of ${CHANGES.length}: ${CHANGES[changes - 1]}`, async () => {
        await load(destination, { run: 'r1', table: orders([1, 'a']) });
        const next = { run: 'r2', mode, key };
        const first = load(killedAfter(changes), { ...next, fence: 2, table: orders([2, 'b']) });
        await assert.rejects(first, /killed/);
        assert.equal((await destination.published('sales', 'orders'))?.run, 'r1');
        // What the next attempt reads is more than the first one had.
        const table = orders([2, 'B'], [3, 'c']);
        await load(destination, { ...next, attempt: 2, fence: 3, table });
        const expected = mode === 'full' ? [] : [[1, 'a']];
        assert.deepEqual(await rowsOf(), [...expected, [2, 'B'], [3, 'c']]);
        // And the one after adds to it again.
        await load(destination, { run: 'r3', fence: 4, mode, key, table: orders([4, 'd']) });
        const all = mode === 'full' ? [] : [...expected, [2, 'B'], [3, 'c']];
        assert.deepEqual(await rowsOf(), [...all, [4, 'd']]);
        const left = (await house.tables()).filter((name) => name !== 'orders');
        assert.ok(left.length <= 1 && left.every((name) => name.startsWith('comporta_staging_')));
        for (const name of left) assert.ok(Number((await metadataOf(name)).expirationTime) > 0);
      });
    }
  });

  it('are not changed by an owner that a newer one has overtaken, however late it wakes up', async () => {
    await load(destination, { run: 'r1', table: orders([1, 'a']) });
    let swaps = 0;
    const slow = by((real) => ({
      async run(job, signal) {
        // It has claimed the table, and is about to change it.
        if (job.id.startsWith('comporta_swap_')) {
          swaps += 1;
          await load(destination, { run: 'r2', fence: 6, table: orders([2, 'newer']) });
        }
        return real.run(job, signal);
      },
    }));
    await assert.rejects(
      load(slow, { run: 'r3', fence: 5, table: orders([3, 'older']) }),
      failsWith('LeaseLost', /newer owner/),
    );
    assert.equal(swaps, 1);
    assert.deepEqual(await rowsOf(), [[2, 'newer']]);
    assert.equal((await destination.published('sales', 'orders'))?.run, 'r2');
  });

  it('are not changed by one that has lost its lease', async () => {
    await load(destination, { run: 'r1', table: orders([1, 'a']) });
    const assertOwner = () => Promise.reject(new ComportaError('LeaseLost', 'somebody has it'));
    await assert.rejects(
      load(destination, { run: 'r2', fence: 2, table: orders([2, 'b']), assertOwner }),
      failsWith('LeaseLost', /somebody has it/),
    );
    assert.deepEqual(await rowsOf(), [[1, 'a']]);
  });

  it('are not changed by an owner with a smaller fence than theirs, which the lake may not know yet', async () => {
    await load(destination, { run: 'r1', fence: 5, table: orders([1, 'a']) });
    const { labels } = await metadataOf('orders');
    const table = house.client.dataset(house.connection.dataset).table('orders');
    await table.setMetadata({ labels: { ...labels, comporta_fence: '9' } });
    await assert.rejects(
      load(destination, { run: 'r2', fence: 8, table: orders([2, 'b']) }),
      failsWith('LeaseLost', /\.orders was changed by a newer owner/),
    );
    assert.deepEqual(await rowsOf(), [[1, 'a']]);
    await load(destination, { run: 'r3', fence: 9, table: orders([3, 'c']) });
    assert.deepEqual(await rowsOf(), [[3, 'c']]);
  });

  it('are made whole again when somebody changed them by hand', async () => {
    await load(destination, { run: 'r1', table: orders([1, 'a'], [2, 'b']) });
    await house.sql('DELETE FROM {orders} WHERE id = 1');
    const next = { run: 'r2', mode: 'append', table: orders([3, 'c']) } as const;
    await assert.rejects(
      load(destination, { ...next, fence: 2 }),
      failsWith('RowCountMismatch', /2 rows are in the table in BigQuery, and not 3/),
    );
    await load(destination, { ...next, attempt: 2, fence: 3 });
    const rows = [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ];
    assert.deepEqual(await rowsOf(), rows);
    await house.sql('DROP TABLE {orders}');
    await load(destination, { run: 'r3', fence: 4, mode: 'append', table: orders([4, 'd']) });
    assert.deepEqual(await rowsOf(), [...rows, [4, 'd']]);
  });

  it('do not expire with the staging table that they are copied from', async () => {
    const expirations: unknown[] = [];
    const watched = by((real) => ({
      run: async (job, signal) => {
        const source = job.configuration.copy?.sourceTable as { tableId: string } | undefined;
        if (source !== undefined) {
          expirations.push((await metadataOf(source.tableId)).expirationTime ?? undefined);
        }
        return real.run(job, signal);
      },
    }));
    await load(watched, { run: 'r1', table: orders([1, 'a']) });
    assert.deepEqual(expirations, [undefined]);
  });

  it('tell what they cost', async () => {
    const charged = by((real) => ({
      run: async (job, signal) => {
        await real.run(job, signal);
        return { bytesBilled: job.configuration.copy === undefined ? 0 : 10_485_760 };
      },
    }));
    const state = await load(charged, { run: 'r1', table: orders([1, 'a']) });
    assert.equal(state.bytesBilled, 10_485_760);
    assert.equal((await destination.published('sales', 'orders'))?.bytesBilled, 10_485_760);
  });

  it('say what is wrong with their dataset and their lake', async () => {
    assert.deepEqual(await destination.check(), []);
    assert.deepEqual(await house.tables(), []);
    const elsewhere = { ...house.connection, location: 'EU' };
    const [wrong] = await createBigqueryDestination(house.store, elsewhere, {
      compression: 'zstd',
    }).check();
    assert.match(wrong?.problem ?? '', /lies in US, and connection "house" says EU/);
    const gone = { ...house.connection, endpoint: 'http://127.0.0.1:9' };
    const [closed] = await createBigqueryDestination(house.store, gone, {
      compression: 'zstd',
    }).check();
    assert.match(closed?.problem ?? '', /dataset test\..* failed: .*ECONNREFUSED/);
  });

  it('are kept by a pipeline from plan to history, without Spark', async () => {
    const { host, port, user, password, database } = await sharedPostgres();
    const schema = uniqueName('shop');
    const client = new Client({ host, port, user, password, database });
    await client.connect();
    await client.query(`CREATE SCHEMA ${schema};
      CREATE TABLE ${schema}.sales (id int PRIMARY KEY, sold date, total numeric(12,2), data jsonb);
      COMMENT ON TABLE ${schema}.sales IS 'what was sold';
      COMMENT ON COLUMN ${schema}.sales.total IS 'in reais';
      INSERT INTO ${schema}.sales VALUES (1, '2026-01-02', 9999999999.99, '{"a": [1, null]}')`);
    const { lake, connection } = house;
    const world = await startWorld({
      environment: { POSTGRES_PASSWORD: password },
      files: {
        'connections.yaml': `connections:
  pg: { type: postgres, host: ${host}, port: ${port}, user: ${user}, password: env:POSTGRES_PASSWORD, database: ${database} }
  bucket: { type: gcs, bucket: ${lake.bucket}, prefix: ${lake.prefix}, endpoint: '${lake.endpoint}' }
  house: { type: bigquery, project: ${connection.project}, dataset: ${connection.dataset}, endpoint: '${connection.endpoint}', lake: bucket }
`,
        'shop.yaml': `pipeline: shop
source: { connection: pg, schemas: [${schema}] }
destination: { connection: house, tablePrefix: pg_ }
defaults: { bigquery: { partitionBy: { column: sold } } }
`,
      },
    });
    try {
      const summary = await world.run({ pipeline: 'shop', batch: 'b1' });
      assert.deepEqual([summary.loaded, summary.failed], [1, 0]);
      const name = `pg_${schema}_sales`;
      const rows = await house.sql(
        `SELECT id, CAST(sold AS STRING) AS sold, CAST(total AS STRING) AS total, JSON_VALUE(data, '$.a[0]') AS a FROM {${name}}`,
      );
      const shown = rows.map((row) => ({ ...row, total: plain(row['total']) }));
      assert.deepEqual(shown, [{ id: 1, sold: '2026-01-02', total: '9999999999.99', a: '1' }]);
      const made = await metadataOf(name);
      assert.equal(made.description, 'what was sold');
      const { fields } = made.schema as { fields: Record<string, unknown>[] };
      assert.deepEqual(
        fields.map((field) => [field['name'], field['type'], field['description']]),
        [
          ['id', 'INTEGER', undefined],
          ['sold', 'DATE', undefined],
          ['total', 'NUMERIC', 'in reais'],
          ['data', 'JSON', undefined],
        ],
      );
      const history = await world.history();
      const [event] = await history.events({ pipeline: 'shop', kinds: ['SUCCEEDED'] });
      assert.equal(event?.bytesBilled, 0);
    } finally {
      await world.close();
      await client.end();
    }
  });
});
