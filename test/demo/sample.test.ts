import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRandom } from '../../scripts/demo/sample/random';
import { financeTables, postgresLiteral } from '../../scripts/demo/sample/seed-finance';
import { mysqlLiteral, salesTables } from '../../scripts/demo/sample/seed-sales';
import { insertStatements, type SampleTable } from '../../scripts/demo/sample/table';
import { decimalText, durationText, uuidText } from '../../scripts/demo/sample/values';

const quoted = (name: string) => `"${name}"`;

describe('sample data', () => {
  it('has about 300,000 rows, and the same in every run', () => {
    const tables = [...salesTables, ...financeTables];
    const rows = tables.flatMap((table) => [[table.name, [...table.rows()].length] as const]);
    assert.deepEqual(Object.fromEntries(rows), {
      categories: 42,
      products: 1_200,
      customers: 15_000,
      addresses: 18_000,
      sessions: 10_000,
      orders: 40_000,
      order_items: 79_847,
      payments: 37_823,
      shipments: 29_949,
      accounts: 400,
      ledger_entries: 40_000,
      invoices: 8_000,
      invoice_lines: 19_855,
      exchange_rates: 4_000,
    });
    const digest = createHash('sha256');
    for (const table of tables)
      for (const statement of insertStatements(table, mysqlLiteral, quoted))
        digest.update(statement);
    assert.equal(
      digest.digest('hex'),
      '44ffbcd9d4d36260fa96a597a9f037c2f37b3d9ade469fa4e6560a183435f2ec',
    );
  });

  it('gives every column a value in every row', () => {
    for (const table of [...salesTables, ...financeTables])
      for (const row of table.rows()) assert.equal(row.length, table.columns.length, table.name);
  });

  it('hangs nothing on drafts, so that deleting one touches no other table', () => {
    const drafts = idsWith('orders', 'status', 'rascunho');
    const used = new Set(
      ['order_items', 'payments', 'shipments'].flatMap((name) => [...column(name, 'order_id')]),
    );
    assert.ok(drafts.length >= 2);
    assert.deepEqual(
      drafts.filter((id) => used.has(id)),
      [],
    );
    const draftInvoices = idsWith('invoices', 'status', 'draft');
    const invoiced = new Set(column('invoice_lines', 'invoice_id'));
    assert.ok(draftInvoices.length >= 2);
    assert.deepEqual(
      draftInvoices.filter((id) => invoiced.has(id)),
      [],
    );
  });

  it('writes 2,000 rows per statement', () => {
    const table: SampleTable = {
      name: 't',
      definition: '',
      columns: ['id'],
      *rows() {
        for (let id = 1; id <= 4_001; id++) yield [id];
      },
    };
    const statements = [...insertStatements(table, String, quoted)];
    assert.deepEqual(
      statements.map((statement) => statement.match(/\(\d+\)/g)?.length),
      [2_000, 2_000, 1],
    );
    assert.ok(statements[0]!.startsWith('INSERT INTO "t" ("id") VALUES\n(1),\n(2)'));
  });

  it('writes values as each database reads them', () => {
    const hostile = `'; DROP TABLE x; -- \\ "`;
    assert.equal(mysqlLiteral(hostile), `'\\'; DROP TABLE x; -- \\\\ \\"'`);
    assert.equal(postgresLiteral(hostile), ` E'''; DROP TABLE x; -- \\\\ "'`);
    assert.equal(mysqlLiteral(2n ** 64n - 1n), '18446744073709551615');
    assert.equal(mysqlLiteral(Buffer.from([0, 255])), `X'00ff'`);
    assert.equal(postgresLiteral(Buffer.from([0, 255])), `'\\x00ff'`);
    assert.equal(mysqlLiteral(null), 'NULL');
    assert.equal(postgresLiteral(null), 'NULL');
    assert.equal(mysqlLiteral(true), 'true');
    assert.equal(postgresLiteral(false), 'false');
  });

  it('forms decimals, durations and UUIDs', () => {
    assert.equal(decimalText(-5, 2), '-0.05');
    assert.equal(decimalText(123_456, 4), '12.3456');
    assert.equal(decimalText(100, 2), '1.00');
    assert.equal(durationText(100 * 3_600 + 61), '100:01:01');
    assert.match(
      uuidText(createRandom('a')),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('draws evenly and by name', () => {
    const random = createRandom('a');
    const draws = Array.from({ length: 10_000 }, () => random.integer(1, 4));
    for (const face of [1, 2, 3, 4]) {
      const share = draws.filter((draw) => draw === face).length / draws.length;
      assert.ok(Math.abs(share - 0.25) < 0.02, `${face}: ${share}`);
    }
    assert.notEqual(createRandom('a').digits(20), createRandom('b').digits(20));
    assert.equal(createRandom('a').digits(20), createRandom('a').digits(20));
  });
});

function tableNamed(name: string): SampleTable {
  const table = [...salesTables, ...financeTables].find((candidate) => candidate.name === name);
  assert.ok(table, name);
  return table;
}

function* column(tableName: string, columnName: string) {
  const table = tableNamed(tableName);
  const at = table.columns.indexOf(columnName);
  assert.notEqual(at, -1);
  for (const row of table.rows()) yield row[at];
}

function idsWith(table: string, columnName: string, value: string) {
  const ids = [...column(table, 'id')];
  return [...column(table, columnName)].flatMap((cell, row) => (cell === value ? [ids[row]] : []));
}
