import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ParquetWriter } from '../../src/columnar/parquet/writer';
import { columnsOf, queryBatches } from '../support/duckdb-batches';
import { sqlString } from '../support/duckdb';
import { withDuckdb } from '../../bench/load/source-data';
import { DEFAULT_ZSTD_LEVEL } from '../../src/pipeline/defaults';
import { benchTables, type BenchTable } from '../../bench/load/tables';

/** Ours may be larger than DuckDB's by this much. */
const TOLERANCE = 1.05;

/** A table as DuckDB's SQL, under a name. */
interface SizedTable {
  readonly name: string;
  readonly sql: string;
}

/** A pseudo-random number of the row, below a limit. */
const below = (limit: number, salt: number) => `(hash(i * 64 + ${salt}) % ${limit})::BIGINT`;

/** The shape of TPC-H's largest table: keys that rise and repeat, few flags, dates, short texts. */
const lineitems: SizedTable = {
  name: 'order lines',
  sql: `SELECT (i // 4) * 8 + 1 AS order_key, ${below(20_000, 1)} AS part_key,
      ${below(1000, 2)} AS supplier_key, (i % 4 + 1)::INTEGER AS line,
      (1 + ${below(50, 3)})::DECIMAL(15,2) AS quantity,
      (${below(10_000_000, 4)}::DECIMAL(18,0) / 100)::DECIMAL(15,2) AS price,
      (${below(11, 5)}::DECIMAL(18,0) / 100)::DECIMAL(15,2) AS discount,
      ['A', 'N', 'R'][${below(3, 6)} + 1] AS flag,
      DATE '1992-01-01' + ${below(2500, 7)}::INTEGER AS shipped,
      DATE '1992-01-01' + (i // 60)::INTEGER AS ordered,
      ['AIR', 'MAIL', 'RAIL', 'SHIP', 'TRUCK'][${below(5, 8)} + 1] AS mode,
      'comment ' || ${below(1_000_000, 9)} || ' of ' || ${below(500, 10)} AS comment
    FROM (SELECT range AS i FROM range(150000))`,
};

function generated(table: BenchTable, rows: number): SizedTable {
  const columns = table.columns.map(({ name, expression }) => `${expression} AS ${name}`);
  return {
    name: table.name,
    sql: `SELECT ${columns.join(', ')} FROM (SELECT range AS i FROM range(${rows}))`,
  };
}

const TABLES: readonly SizedTable[] = [
  lineitems,
  generated(benchTables.wide, 50_000),
  generated(benchTables.pairs, 150_000),
  generated(benchTables.texts, 1500),
];

/** Writes a query's answer to a file as the engine does. */
async function writeOurs(connection: DuckDBConnection, sql: string, path: string): Promise<void> {
  const columns = await columnsOf(connection, sql);
  const file = createWriteStream(path);
  const sink = {
    write: async (bytes: Buffer) => {
      if (!file.write(Buffer.from(bytes))) await once(file, 'drain');
    },
  };
  const writer = new ParquetWriter(sink, columns, { compression: 'zstd' });
  for await (const batch of queryBatches(connection, sql, columns)) await writer.write(batch);
  await writer.finish();
  file.end();
  await once(file, 'close');
}

describe('the size of Parquet files', function () {
  this.timeout(120_000);

  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-size-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const { name, sql } of TABLES) {
    it(`is at most 5 % above that of DuckDB's: ${name}`, async () => {
      const [ours, theirs] = ['ours', 'theirs'].map((who) => join(folder, `${who}.parquet`)) as [
        string,
        string,
      ];
      await withDuckdb(':memory:', async (connection) => {
        await connection.run(`CREATE TABLE source AS ${sql}`);
        await connection.run(
          `COPY source TO ${sqlString(theirs)} 
             (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${DEFAULT_ZSTD_LEVEL})`,
        );
        await writeOurs(connection, 'FROM source', ours);
        const difference = await connection.runAndReadAll(
          `SELECT (SELECT count(*) FROM source), count(*) FROM
             (FROM read_parquet(${sqlString(ours)}) EXCEPT ALL FROM source)`,
        );
        const [[rows, different] = []] = difference.getRows();
        assert.ok(Number(rows) > 0);
        assert.equal(different, 0n);
      });
      const [us, them] = await Promise.all([stat(ours), stat(theirs)]);
      const ratio = us.size / them.size;
      assert.ok(ratio <= TOLERANCE, `${us.size} bytes, DuckDB ${them.size}: ${ratio.toFixed(3)}`);
    });
  }
});
