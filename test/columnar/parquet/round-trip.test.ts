import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { KernelMemory } from '../../../src/columnar/kernels/memory';
import { readFooter } from '../../../src/columnar/parquet/footer';
import { ParquetWriter, type ParquetOptions } from '../../../src/columnar/parquet/writer';
import {
  EVERY_TYPE,
  batches,
  canonicalRows,
  column,
  tables,
  values,
  type TestTable,
} from '../../support/columns';
import { duckdbRows, sqlString } from '../../support/duckdb';

const memory = new KernelMemory();

async function written(table: TestTable, options: ParquetOptions, batchRows = 50): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = {
    write: (bytes: Buffer) => {
      chunks.push(Buffer.from(bytes));
      return Promise.resolve();
    },
  };
  const writer = new ParquetWriter(sink, table.columns, { ...options, memory });
  for (const batch of batches(table, batchRows)) await writer.write(batch);
  const result = await writer.finish();
  const file = Buffer.concat(chunks);
  assert.deepEqual(result, { rows: table.rows.length, bytes: file.length });
  return file;
}

describe('Parquet files read back by DuckDB', function () {
  this.timeout(300_000);

  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-parquet-'));
    path = join(folder, 'a.parquet');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function assertSame(table: TestTable, file: Buffer): Promise<void> {
    await writeFile(path, file);
    const rows = await duckdbRows(`SELECT * FROM read_parquet(${sqlString(path)})`);
    assert.deepEqual(canonicalRows(rows), canonicalRows(table.rows));
  }

  it('every value of random tables, whatever the sizes of batches, pages and row groups', async () => {
    const sizes = fc.record({
      batchRows: fc.integer({ min: 1, max: 120 }),
      pageBytes: fc.integer({ min: 1, max: 2000 }),
      rowGroupRows: fc.integer({ min: 1, max: 200 }),
      rowGroupBytes: fc.integer({ min: 1, max: 20_000 }),
      compression: fc.constantFrom('zstd', 'snappy', 'none'),
    });
    await fc.assert(
      fc.asyncProperty(tables(300), sizes, async (table, { batchRows, ...options }) => {
        await assertSame(table, await written(table, options, batchRows));
      }),
      { numRuns: 150, seed: 20_261 },
    );
  });

  it('every type beside the others, with the default sizes', async () => {
    const columns = EVERY_TYPE.map((type, i) => column(`c${i}`, type));
    const row = fc.tuple(...EVERY_TYPE.map((type) => fc.option(values(type), { nil: null })));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 500, maxLength: 600 }), async (rows) => {
        const table = { columns, rows };
        await assertSame(table, await written(table, { compression: 'zstd' }));
      }),
      { numRuns: 5, seed: 7 },
    );
  });

  it('finds each row by an equality filter: no bound cuts a value off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...EVERY_TYPE), fc.gen(), async (type, generate) => {
        const value = values(type);
        const rows = Array.from({ length: 30 }, () => [generate(() => value)]);
        const table = { columns: [column('v', type)], rows };
        await writeFile(path, await written(table, { compression: 'none', rowGroupRows: 3 }));
        const [[found] = []] = await duckdbRows(
          `WITH t AS MATERIALIZED (SELECT v FROM read_parquet(${sqlString(path)}))
           SELECT count(*) FROM t WHERE NOT EXISTS
             (FROM read_parquet(${sqlString(path)}) f WHERE f.v IS NOT DISTINCT FROM t.v)`,
        );
        assert.equal(found, 0n);
        for (const literal of await literals(path)) {
          const [[hits] = []] = await duckdbRows(
            `SELECT count(*) FROM read_parquet(${sqlString(path)}) WHERE v = ${literal}`,
          );
          assert.ok(Number(hits) > 0, `${type.kind} ${literal}`);
        }
      }),
      { numRuns: 40, seed: 11 },
    );
  });

  it('writes a file without rows, and one whose name and columns are hostile', async () => {
    const columns = [column('a "b" 🦦 `c`.d', { kind: 'text' }), column('%', { kind: 'date' })];
    const empty = await written({ columns, rows: [] }, { compression: 'zstd' });
    await assertSame({ columns, rows: [] }, empty);
    const named = await duckdbRows(`DESCRIBE SELECT * FROM read_parquet(${sqlString(path)})`);
    assert.deepEqual(
      named.map((row) => [row[0], row[1]]),
      [
        ['a "b" 🦦 `c`.d', 'VARCHAR'],
        ['%', 'DATE'],
      ],
    );
  });

  it('gives each type the physical type and both annotations that readers expect', async () => {
    const columns = EVERY_TYPE.map((type, i) => column(`c${i}`, type));
    await writeFile(path, await written({ columns, rows: [] }, { compression: 'zstd' }));
    const schema = await duckdbRows(
      `SELECT concat_ws(' ', type, coalesce(type_length, '-'), coalesce(converted_type, '-'),
         coalesce(logical_type, '-'))
       FROM parquet_schema(${sqlString(path)}) WHERE name <> 'schema'`,
    );
    const time =
      'TimeType(isAdjustedToUTC=0, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>))';
    const timestamp = (utc: 0 | 1) =>
      time.replace('TimeType', 'TimestampType').replace('UTC=0', `UTC=${utc}`);
    // DuckDB prints the thrift byte as a character.
    const integer = (bits: number, signed: 0 | 1) =>
      `IntType(bitWidth=${String.fromCharCode(bits)}, isSigned=${signed})`;
    const decimal = (precision: number, scale: number) =>
      `DecimalType(scale=${scale}, precision=${precision})`;
    assert.deepEqual(schema.flat(), [
      'BOOLEAN - - -',
      `INT32 - INT_8 ${integer(8, 1)}`,
      `INT32 - UINT_8 ${integer(8, 0)}`,
      `INT32 - INT_16 ${integer(16, 1)}`,
      `INT32 - UINT_16 ${integer(16, 0)}`,
      `INT32 - INT_32 ${integer(32, 1)}`,
      `INT32 - UINT_32 ${integer(32, 0)}`,
      `INT64 - INT_64 ${integer(64, 1)}`,
      `INT64 - UINT_64 ${integer(64, 0)}`,
      'FLOAT - - -',
      'DOUBLE - - -',
      `INT32 - DECIMAL ${decimal(1, 0)}`,
      `INT32 - DECIMAL ${decimal(9, 9)}`,
      `INT64 - DECIMAL ${decimal(10, 2)}`,
      `INT64 - DECIMAL ${decimal(18, 18)}`,
      `FIXED_LEN_BYTE_ARRAY 9 DECIMAL ${decimal(19, 0)}`,
      `FIXED_LEN_BYTE_ARRAY 12 DECIMAL ${decimal(28, 10)}`,
      `FIXED_LEN_BYTE_ARRAY 16 DECIMAL ${decimal(38, 10)}`,
      `FIXED_LEN_BYTE_ARRAY 16 DECIMAL ${decimal(38, 38)}`,
      'BYTE_ARRAY - UTF8 StringType()',
      'BYTE_ARRAY - JSON JsonType()',
      'FIXED_LEN_BYTE_ARRAY 16 - UUIDType()',
      'BYTE_ARRAY - - -',
      'BYTE_ARRAY - - -',
      'INT32 - DATE DateType()',
      `INT64 - TIME_MICROS ${time}`,
      'INT64 - - -',
      `INT64 - TIMESTAMP_MICROS ${timestamp(0)}`,
      `INT64 - TIMESTAMP_MICROS ${timestamp(1)}`,
    ]);
  });

  it('counts rows and NULLs in the footer, and says who wrote it and from what', async () => {
    const columns = [column('v', { kind: 'duration' })];
    const rows = Array.from({ length: 1000 }, (_, i) => [i % 3 === 0 ? null : BigInt(i)]);
    const file = await written({ columns, rows }, { compression: 'zstd', rowGroupRows: 300 });
    const footer = await readFooter({
      bytes: file.length,
      read: (offset, length) => Promise.resolve(file.subarray(offset, offset + length)),
    });
    assert.equal(footer.rows, 1000);
    assert.deepEqual(
      footer.rowGroups.map((group) => group.rows),
      [300, 300, 300, 100],
    );
    assert.deepEqual(footer.columns, [{ name: 'v', nulls: 334 }]);
    assert.match(footer.createdBy ?? '', /^comporta version \d+\.\d+\.\d+/);
    assert.deepEqual(JSON.parse(footer.keyValues['comporta.columns'] ?? ''), columns);
  });
});

/** SQL literals of the distinct values in the file that equality can find. */
async function literals(path: string): Promise<string[]> {
  const rows = await duckdbRows(
    `SELECT DISTINCT format('CAST(''{}'' AS {})', replace(CAST(v AS VARCHAR), '''', ''''''), typeof(v))
     FROM read_parquet(${sqlString(path)}) WHERE v IS NOT NULL AND typeof(v) NOT IN ('BLOB', 'JSON')
       AND CAST(v AS VARCHAR) NOT LIKE '%' || chr(0) || '%' LIMIT 4`,
  );
  return rows.map(([literal]) => String(literal));
}
