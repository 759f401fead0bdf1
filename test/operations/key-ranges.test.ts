import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { KeyRange, Source, SourceTable, TableSnapshot } from '../../src/sources/source';
import { createTestDatabase, SERVERS, withSnapshot } from '../sources/mysql/support';
import { sharedServer, VERSIONS, type TestServer } from '../sources/postgres/server';
import { memories } from '../support/memories';
import { FULL_LOAD } from '../support/table-settings';

/** A table whose key is made of `columns`, with rows numbered from 0 in a column `n`. */
interface Case {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** The key of the n-th row, as SQL; a key that was there before is left out. */
  readonly values: (n: number) => string;
  /** In place of PRIMARY KEY (…). */
  readonly index?: string;
  /** Whether ranges have to be about even: not so where values say little of the order. */
  readonly uneven?: boolean;
}

const ROWS = 4_000;
const COUNT = 7;

/** Numbers that look random and are the same in each run. */
function random(seed: number): number {
  return createHash('md5').update(String(seed)).digest().readUInt32BE() / 2 ** 32;
}
const whole = (n: number, below: number) => Math.floor(random(n) * below);
const hex = (n: number, length: number) =>
  Array.from({ length }, (_, i) => whole(n * 37 + i, 16).toString(16)).join('');
const uuid = (n: number, version = '4') =>
  `${hex(n, 8)}-${hex(n + 1, 4)}-${version}${hex(n + 2, 3)}-a${hex(n + 3, 3)}-${hex(n + 4, 12)}`;
const WORDS = [
  'ação',
  'Ação',
  'zebra',
  'Ñandú',
  'æther',
  '日本',
  '👩‍🚀',
  'straße',
  'a b',
  "o'x",
  '',
  'ch',
  'cz',
];
const word = (n: number) => WORDS[whole(n, WORDS.length)]!.replaceAll("'", "''");

const COMMON: readonly Case[] = [
  {
    name: 'integers on both sides of zero',
    columns: ['k bigint NOT NULL'],
    key: ['k'],
    values: (n) => String(BigInt(whole(n, 2 ** 31) - 2 ** 30) * 4_000_000_007n),
  },
  {
    name: 'integers without a gap, one far away',
    columns: ['k bigint NOT NULL'],
    key: ['k'],
    values: (n) => (n === 17 ? '9223372036854775807' : String(n)),
  },
  {
    name: 'few values, then a number',
    columns: ['a smallint NOT NULL', 'b int NOT NULL'],
    key: ['a', 'b'],
    values: (n) => `${[2, 2, 2, 5, -9][whole(n, 5)]}, ${whole(n * 7, 1_000_000)}`,
  },
  {
    name: 'text, date and number',
    columns: ['t varchar(20) NOT NULL', 'd date NOT NULL', 'c numeric(20, 4) NOT NULL'],
    key: ['t', 'd', 'c'],
    values: (n) =>
      `'region-${whole(n, 2)}', '20${10 + whole(n * 3, 15)}-0${1 + whole(n * 5, 9)}-11', ${whole(n * 11, 90_000) - 45_000}.0${whole(n, 10)}`,
  },
  {
    name: 'timestamps',
    columns: ['k timestamp(6) NOT NULL'],
    key: ['k'],
    values: (n) => `'2024-0${1 + whole(n, 9)}-10 10:${10 + whole(n * 3, 50)}:00.${100_000 + n}'`,
  },
  {
    name: 'words of several alphabets',
    columns: ['k varchar(80) NOT NULL'],
    key: ['k'],
    values: (n) => `'${word(n)}-${whole(n * 13, 50_000)}'`,
    uneven: true,
  },
  {
    name: 'codes with a common beginning',
    columns: ['k char(14) NOT NULL'],
    key: ['k'],
    values: (n) => `'ORD-${String(whole(n, 99_999_999)).padStart(8, '0')}'`,
  },
  {
    name: 'UUIDs as text',
    columns: ['k varchar(36) NOT NULL'],
    key: ['k'],
    values: (n) => `'${uuid(n)}'`,
  },
];

const MYSQL: readonly Case[] = [
  ...COMMON,
  {
    name: 'unsigned integers to the last',
    columns: ['k bigint unsigned NOT NULL'],
    key: ['k'],
    values: (n) => String(18_446_744_073_709_551_615n - BigInt(whole(n, 2 ** 30)) * 8_000_000_000n),
  },
  {
    name: 'text in Latin 1',
    columns: ['k varchar(80) CHARACTER SET latin1 COLLATE latin1_german2_ci NOT NULL'],
    key: ['k'],
    values: (n) => `'${['Ärger', 'straße', 'x', 'Zoo', 'éa'][whole(n, 5)]}${whole(n * 3, 90_000)}'`,
    uneven: true,
  },
  {
    name: 'text by its bytes',
    columns: ['k varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL'],
    key: ['k'],
    values: (n) => `'${word(n)}${whole(n * 3, 90_000)}'`,
    uneven: true,
  },
  {
    name: 'text in which cases and spaces do not count',
    columns: [
      'k varchar(80) CHARACTER SET utf8mb4 COLLATE utf8mb4_spanish2_ci NOT NULL',
      'b int NOT NULL',
    ],
    key: ['k', 'b'],
    values: (n) =>
      `'${['A', 'a', 'a ', 'cH', 'ch', 'C', 'll', 'L'][whole(n, 8)]}', ${whole(n * 3, 1_000_000)}`,
    uneven: true,
  },
  {
    name: 'bytes',
    columns: ['k binary(16) NOT NULL'],
    key: ['k'],
    values: (n) => `x'${hex(n, 32)}'`,
  },
  {
    name: 'dates that no calendar has among them',
    columns: ['k datetime(3) NOT NULL', 'b int NOT NULL'],
    key: ['k', 'b'],
    values: (n) =>
      n % 9 === 0
        ? `'0000-00-00', ${n}`
        : `'19${40 + whole(n, 50)}-03-0${1 + whole(n, 9)} 11:00:00', ${n}`,
  },
  {
    name: 'a unique index',
    columns: ['k int NOT NULL'],
    key: ['k'],
    values: (n) => String(whole(n, 2 ** 30)),
    index: 'UNIQUE (k)',
  },
];

const MARIADB: readonly Case[] = [
  {
    name: 'UUIDs',
    columns: ['k uuid NOT NULL'],
    key: ['k'],
    values: (n) => `'${uuid(n)}'`,
  },
  {
    name: 'UUIDs of version 7',
    columns: ['k uuid NOT NULL'],
    key: ['k'],
    values: (n) => `'${uuid(n, '7')}'`,
  },
];

const POSTGRES: readonly Case[] = [
  ...COMMON,
  { name: 'UUIDs', columns: ['k uuid NOT NULL'], key: ['k'], values: (n) => `'${uuid(n)}'` },
  {
    name: 'text by its bytes',
    columns: ['k text COLLATE "C" NOT NULL'],
    key: ['k'],
    values: (n) => `'${word(n)}${whole(n * 3, 90_000)}'`,
  },
  {
    name: 'text padded with spaces',
    columns: ['k char(30) NOT NULL'],
    key: ['k'],
    values: (n) => `'${word(n)}${whole(n * 3, 90_000)}'`,
  },
  {
    name: 'timestamps to infinity',
    columns: ['k timestamptz NOT NULL', 'b int NOT NULL'],
    key: ['k', 'b'],
    values: (n) =>
      `${n % 50 === 0 ? "'-infinity'" : `'2024-01-01'::timestamptz + interval '${n} minutes'`}, ${n}`,
  },
  {
    name: 'a unique index',
    columns: ['k int NOT NULL'],
    key: ['k'],
    values: (n) => String(whole(n, 2 ** 30)),
    index: 'UNIQUE (k)',
  },
  {
    name: 'no key',
    columns: ['k text'],
    key: [],
    values: (n) => (n % 3 === 0 ? 'NULL' : `'${n}'`),
    index: '',
  },
  {
    name: 'a unique index that takes NULL',
    columns: ['k int'],
    key: [],
    values: (n) => (n % 3 === 0 ? 'NULL' : String(n)),
    index: 'UNIQUE (k)',
  },
];

/** The numbers of the rows that each range holds, read on one snapshot, as a load reads them. */
async function numbersIn(
  snapshot: TableSnapshot,
  ranges: readonly KeyRange[],
): Promise<readonly (readonly number[])[]> {
  const settings = { ...FULL_LOAD, textColumns: [] };
  const index = snapshot.plan(settings).columns.findIndex(({ name }) => name === 'n');
  const found: number[][] = [];
  for (const range of ranges) {
    const numbers: number[] = [];
    await memories.lend(async (memory) => {
      const statistics = { rows: 0, invalidValues: 0 };
      for await (const batch of snapshot.read(settings, { range }, statistics, memory)) {
        const { data } = batch.columns[index]!;
        for (let row = 0; row < batch.rows; row++) numbers.push(Number(data[row]));
      }
    });
    assert.equal(await snapshot.rowsSent(), numbers.length);
    found.push(numbers);
  }
  return found;
}

interface Bench {
  readonly source: Source;
  run(...statements: string[]): Promise<unknown>;
  table(name: string): Promise<SourceTable>;
}

let tables = 0;

async function filled(bench: Bench, one: Case, insert: string, ending: string): Promise<string> {
  const name = `ranges_${tables++}`;
  const index = one.index ?? `PRIMARY KEY (${one.key.join(', ')})`;
  const parts = [...one.columns, 'n int NOT NULL', index].filter((part) => part !== '');
  await bench.run(`CREATE TABLE ${name} (${parts.join(', ')})`);
  const rows = Array.from({ length: ROWS }, (_, n) => `(${one.values(n)}, ${n})`);
  await bench.run(`${insert} INTO ${name} VALUES ${rows.join(', ')} ${ending}`);
  return name;
}

async function holds(bench: Bench, one: Case, name: string): Promise<void> {
  const table = await bench.table(name);
  const ranges = await withSnapshot(bench.source, table, async (snapshot) => {
    const key = await snapshot.splitKey();
    assert.ok(key !== undefined);
    if (one.key.length > 0) assert.deepEqual(key.by === 'key' && key.columns, one.key);
    else assert.equal(key.by, 'blocks');
    // As they come back from a note.
    return JSON.parse(JSON.stringify(await snapshot.split(key, COUNT))) as KeyRange[];
  });
  const assertWhole = async () => {
    const expected = await withSnapshot(bench.source, table, (snapshot) => snapshot.count({}));
    const found = await withSnapshot(bench.source, table, (snapshot) =>
      numbersIn(snapshot, ranges),
    );
    const all = found.flat();
    assert.equal(new Set(all).size, all.length, 'a row lies in one range only');
    assert.equal(all.length, expected, 'every row lies in a range');
    return found;
  };
  const sizes = (await assertWhole()).map(({ length }) => length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total > ROWS / 4, `${total} rows`);
  if (one.uneven !== true) {
    assert.equal(ranges.length, COUNT);
    assert.ok(Math.max(...sizes) < (2.2 * total) / COUNT, sizes.join(' '));
  } else {
    assert.ok(ranges.length > 1 && Math.max(...sizes) < total, sizes.join(' '));
  }
  if (one.key.length === 0) return;
  // Rows come and go, also those at the bounds.
  await bench.run(`DELETE FROM ${name} WHERE n % 3 = 1`);
  await assertWhole();
}

for (const { name: server, mariadb, service } of SERVERS) {
  describe(`ranges of keys on ${server}`, function () {
    this.timeout(120_000);
    let database: Awaited<ReturnType<typeof createTestDatabase>>;
    before(async () => {
      database = await createTestDatabase(await service());
    });
    after(() => database.drop());

    for (const one of [...MYSQL, ...(mariadb ? MARIADB : [])]) {
      it(`hold every row once: ${one.name}`, async () => {
        const name = await filled(database, one, 'INSERT IGNORE', '');
        await database.run(`ANALYZE TABLE ${name}`);
        await holds(database, one, name);
      });
    }

    it('go by no key that may be NULL, begins in the middle of a value or sorts otherwise', async () => {
      await database.run(
        'CREATE TABLE nothing (a int, UNIQUE (a))',
        'CREATE TABLE beginnings (a varchar(200) NOT NULL, UNIQUE (a(5)))',
        "CREATE TABLE listed (a enum('x', 'y') PRIMARY KEY)",
        'CREATE TABLE half (a int NOT NULL, b double NOT NULL, PRIMARY KEY (a, b))',
      );
      const keys: unknown[] = [];
      for (const name of ['nothing', 'beginnings', 'listed', 'half']) {
        const table = await database.table(name);
        keys.push(await withSnapshot(database.source, table, (snapshot) => snapshot.splitKey()));
      }
      assert.deepEqual(keys, [
        ...[undefined, undefined, undefined],
        { by: 'key', index: 'PRIMARY', columns: ['a'] },
      ]);
    });
  });
}

for (const version of VERSIONS) {
  describe(`ranges of keys on PostgreSQL ${version}`, function () {
    this.timeout(120_000);
    let server: TestServer;
    let bench: Bench;
    before(async () => {
      server = await sharedServer(version);
      const source = server.source();
      bench = {
        source,
        run: (...statements) => server.sql(statements.join('; ')),
        table: async (name) => (await source.listTables([`public.${name}`]))[0]!,
      };
    });
    after(() => server.stop());

    // What differs in 13 is that it reads no ranges of blocks.
    for (const one of version === 13 ? POSTGRES.slice(1, 4) : POSTGRES) {
      it(`hold every row once: ${one.name}`, async () => {
        const name = await filled(bench, one, 'INSERT', 'ON CONFLICT DO NOTHING');
        await holds(bench, one, name);
      });
    }
  });
}
