import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolUnavailableError } from '../../scripts/services/service';
import type { LogicalType } from '../../src/types/logical';
import { canonicalRows, type Value } from '../support/columns';
import { duckdbRows, sqlString } from '../support/duckdb';
import { chunksOf, parquetFile, type ChunkInFile } from '../support/parquet-files';
import { arrowType, canonical, describeColumns, sparkType } from './parquet-readers/expected';
import {
  prepareReader,
  read,
  type Answer,
  type ChunkFacts,
  type ReaderName,
} from './parquet-readers/readers';
import { FILES, REFUSED, SORTED, type FileCase } from './parquet-readers/tables';

const READERS: readonly ReaderName[] = ['pyarrow', 'spark'];

/** Keys 12,000 to 12,598 of the sorted table: 300 rows, of the second row group's third page. */
const WANTED = { rows: 300, from: 12_000, to: 12_598, rowGroup: 1, page: 2 };
/** Characters of each of their notes. */
const NOTE = 10;
const WANTED_NAMES = { from: 'k006000', to: 'k006299' };

describe('Parquet files read by others', function () {
  this.timeout(300_000);

  let folder: string;
  let sorted: Buffer;
  const paths = new Map<FileCase, string>();
  const answers = new Map<ReaderName, Answer>();
  const unavailable = new Map<ReaderName, string>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comporta-readers-'));
    for (const [i, file] of [...FILES, SORTED, ...Object.values(REFUSED)].entries()) {
      const path = join(folder, `${i}.parquet`);
      paths.set(file, path);
      const bytes = await parquetFile(file.table, file.options);
      if (file === SORTED) sorted = bytes;
      await writeFile(path, bytes);
    }
    const groupless = await damagedFile('groups', ({ rowGroup }) => rowGroup !== WANTED.rowGroup);
    const pageless = await damagedFile(
      'pages',
      ({ rowGroup }, page) => rowGroup !== WANTED.rowGroup || page !== WANTED.page,
    );
    const questions = [paths.get(SORTED)!, groupless, pageless].flatMap((path) => [
      { path, key: 'key', from: WANTED.from, to: WANTED.to },
      { path, key: 'name', ...WANTED_NAMES },
    ]);
    const whole = { path: groupless, key: 'key', from: 0, to: 100_000 };
    for (const reader of READERS) {
      await readBy(reader, {
        folder,
        files: [...FILES, SORTED].map(toRead),
        metadata: reader === 'pyarrow' ? [...FILES, SORTED].map(toRead) : [],
        filtered: [...questions, whole],
        refused: reader === 'spark' ? Object.values(REFUSED).map(toRead) : [],
      });
    }
  });
  after(() => rm(folder, { recursive: true }));

  async function readBy(reader: ReaderName, job: Parameters<typeof read>[2]): Promise<void> {
    try {
      answers.set(reader, await read(reader, await prepareReader(reader), job));
    } catch (error) {
      if (!(error instanceof ToolUnavailableError)) throw error;
      unavailable.set(reader, error.message);
    }
  }

  function toRead(file: FileCase) {
    return { path: paths.get(file)!, columns: describeColumns(file.table) };
  }

  /** A copy of the sorted file where the data of some pages is none: who reads them, fails. */
  async function damagedFile(
    name: string,
    isDamaged: (chunk: ChunkInFile, page: number) => boolean,
  ): Promise<string> {
    const copy = Buffer.from(sorted);
    for (const chunk of chunksOf(sorted)) {
      chunk.pages.forEach(({ offset, bytes }, page) => {
        if (isDamaged(chunk, page)) copy.fill(0xff, offset, offset + bytes);
      });
    }
    const path = join(folder, `damaged-${name}.parquet`);
    await writeFile(path, copy);
    return path;
  }

  function answerOf(reader: ReaderName, context: Mocha.Context): Answer {
    const answer = answers.get(reader);
    if (answer !== undefined) return answer;
    const reason = unavailable.get(reader);
    if (reason === undefined) throw new Error(`${reader} has not answered`);
    process.stderr.write(`skipped: ${reason}\n`);
    return context.skip();
  }

  for (const reader of READERS) {
    const typeOf = reader === 'spark' ? sparkType : arrowType;
    for (const file of [...FILES, SORTED]) {
      it(`${reader} reads every value: ${file.name}`, function () {
        const found = answerOf(reader, this).files[paths.get(file)!]!;
        const { columns, rows } = file.table;
        assert.deepEqual(
          found.types,
          columns.map(({ type }) => typeOf(type)),
        );
        columns.forEach(({ name, type }, i) => {
          assertSame(
            name,
            found.columns[i]!,
            rows.map((row) => canonical(row[i] ?? null, type)),
          );
        });
      });
    }
  }

  for (const file of [...FILES, SORTED]) {
    it(`DuckDB reads every value: ${file.name}`, async () => {
      const rows = await duckdbRows(`FROM read_parquet(${sqlString(paths.get(file)!)})`);
      const [found, written] = [canonicalRows(rows), canonicalRows(file.table.rows)];
      assert.equal(found.length, written.length);
      found.forEach((row, i) => assert.deepEqual(row, written[i]));
    });
  }

  it('Spark refuses what docs/lake.md says it refuses', function () {
    const { refused } = answerOf('spark', this);
    const reason = (file: FileCase) => refused[paths.get(file)!] ?? '';
    assert.match(reason(REFUSED.uuid), /Illegal Parquet type: FIXED_LEN_BYTE_ARRAY \(UUID\)/);
    assert.match(reason(REFUSED.time), /Illegal Parquet type: INT64 \(TIME\(MICROS,false\)\)/);
    assert.match(reason(REFUSED.date), /datetimeRebaseMode/);
    assert.match(reason(REFUSED.timestamp), /datetimeRebaseMode/);
  });

  describe('what the metadata say to PyArrow', () => {
    for (const file of [...FILES, SORTED]) {
      it(`counts, indexes and bounds: ${file.name}`, function () {
        const { columns, rows } = file.table;
        const found = answerOf('pyarrow', this).metadata[paths.get(file)!]!;
        assert.equal(found.rows, rows.length);
        assert.match(found.createdBy, /^comporta version /);
        let from = 0;
        for (const group of found.groups) {
          const end = from + group.rows;
          columns.forEach(({ name, type }, i) => {
            const cells = rows.slice(from, end).map((row) => row[i] ?? null);
            assertChunk(`${name} from row ${from}`, group.chunks[i]!, cells, type);
            assert.equal(group.chunks[i]!.codec, CODECS[file.options.compression]);
          });
          from = end;
        }
        assert.equal(from, rows.length);
      });
    }

    it('dictionaries where values repeat, and until they are given up', function () {
      const file = FILES.find(({ name }) => name.startsWith('dictionary'))!;
      const found = answerOf('pyarrow', this).metadata[paths.get(file)!]!;
      const plain = ['PLAIN', 'RLE'];
      const encodings = { few: [...plain, 'RLE_DICTIONARY'], unique: plain };
      file.table.columns.forEach(({ name }, i) => {
        const chunk = found.groups[0]!.chunks[i]!;
        const expected = name.startsWith('unique') ? encodings.unique : encodings.few;
        assert.deepEqual([name, chunk.encodings], [name, expected]);
        assert.equal(chunk.dictionary, !name.startsWith('unique'));
      });
    });
  });

  it('PyArrow sees which columns row groups are sorted by', function () {
    const { groups } = answerOf('pyarrow', this).metadata[paths.get(SORTED)!]!;
    assert.ok(groups.length > 1);
    for (const { sorting } of groups) assert.deepEqual(sorting, [[0, false, false]]);
  });

  describe('filters', () => {
    it('that match nothing of a row group or page leave it unread', function () {
      for (const reader of READERS) {
        const { filtered } = answerOf(reader, this);
        const [byKey, byName, groupsByKey, groupsByName, pagesByKey, pagesByName, whole] =
          filtered as Required<typeof filtered> & { length: 7 };
        for (const found of [byKey, byName, groupsByKey, groupsByName]) {
          assert.deepEqual([reader, found?.rows, found?.failed], [reader, WANTED.rows, null]);
        }
        // That the damage is one.
        assert.equal(typeof whole?.failed, 'string');
        if (reader !== 'spark') continue;
        // Spark alone reads the column index, and the one page that has the rows.
        for (const found of [pagesByKey, pagesByName]) {
          assert.deepEqual([found?.rows, found?.failed], [WANTED.rows, null]);
        }
        for (const found of [byKey, byName]) assert.equal(found?.scanned, 500);
      }
    });

    it('DuckDB leaves row groups unread', async () => {
      const damaged = sqlString(join(folder, 'damaged-groups.parquet'));
      const { from, to, rows } = WANTED;
      const byKey = `SELECT sum(length(note)) FROM ${damaged} WHERE key BETWEEN ${from} AND ${to}`;
      assert.deepEqual(await duckdbRows(byKey), [[BigInt(rows * NOTE)]]);
      const names = `'${WANTED_NAMES.from}' AND '${WANTED_NAMES.to}'`;
      const byName = `SELECT sum(length(note)) FROM ${damaged} WHERE name BETWEEN ${names}`;
      assert.deepEqual(await duckdbRows(byName), [[BigInt(rows * NOTE)]]);
      await assert.rejects(duckdbRows(`SELECT sum(length(note)) FROM ${damaged}`));
    });
  });
});

const CODECS = { zstd: 'ZSTD', snappy: 'SNAPPY', none: 'UNCOMPRESSED' } as const;

function assertSame(
  column: string,
  found: readonly (string | null)[],
  written: readonly (string | null)[],
): void {
  assert.equal(found.length, written.length, `rows of ${column}`);
  const wrong = found.findIndex((value, i) => value !== written[i]);
  if (wrong >= 0) {
    assert.fail(`${column}, row ${wrong}: ${found[wrong]} was written as ${written[wrong]}`);
  }
}

function assertChunk(
  place: string,
  chunk: ChunkFacts,
  cells: readonly Value[],
  type: LogicalType,
): void {
  const present = cells.filter((value) => value !== null);
  assert.equal(chunk.values, cells.length, place);
  assert.equal(chunk.nulls, cells.length - present.length, place);
  assert.equal(chunk.offsetIndex, true, place);
  const hasOrder = present.length > 0 && type.kind !== 'wkb' && !present.some(Number.isNaN);
  if (!hasOrder) {
    assert.deepEqual([place, chunk.min, chunk.max], [place, null, null]);
    assert.equal(chunk.columnIndex, present.length === 0, place);
    return;
  }
  const sorted = present.map(sortable).sort(compare);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  if (isLong(least) || isLong(most)) {
    return assertEncloses(place, chunk, type, [least as Buffer, most as Buffer]);
  }
  assert.equal(chunk.columnIndex, true, place);
  assert.deepEqual(
    [place, chunk.min, chunk.max],
    [place, bound(least, type, -0), bound(most, type, 0)],
  );
}

/** A value of one of the orders that `compare` knows. */
type Sortable = number | bigint | Buffer;

function sortable(value: Value): Sortable {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Number(value);
  return value as Sortable;
}

function compare(one: Sortable, other: Sortable): number {
  if (Buffer.isBuffer(one)) return Buffer.compare(one, other as Buffer);
  const [a, b] = [one, other as number | bigint];
  return a < b ? -1 : Number(a > b);
}

/** Bounds of more bytes are cut. */
function isLong(value: Sortable): value is Buffer {
  return Buffer.isBuffer(value) && value.length > 64;
}

function assertEncloses(
  place: string,
  { min, max }: ChunkFacts,
  { kind }: LogicalType,
  [least, most]: readonly [Buffer, Buffer],
): void {
  // Where nothing of a beginning can be raised, there is no bound.
  if (min === null || max === null) return assert.equal(min, max, place);
  const encoding = kind === 'text' || kind === 'json' ? 'utf8' : 'hex';
  assert.ok(Buffer.compare(Buffer.from(min, encoding), least) <= 0, place);
  assert.ok(Buffer.compare(most, Buffer.from(max, encoding)) <= 0, place);
}

/** A bound as pyarrow_reader.py gives it; `zero` is the one that covers both. */
function bound(value: Sortable, type: LogicalType, zero: number): string | null {
  if (Buffer.isBuffer(value)) {
    return value.toString(type.kind === 'text' || type.kind === 'json' ? 'utf8' : 'hex');
  }
  if (type.kind === 'boolean') return String(value === 1);
  if (typeof value === 'bigint') {
    const isUnsigned = type.kind === 'int' && !type.signed;
    return String(isUnsigned ? BigInt.asIntN(64, value) : value);
  }
  if (type.kind === 'int') return String(type.bits === 32 ? value | 0 : value);
  return canonical(value === 0 && type.kind !== 'date' ? zero : value, type);
}
