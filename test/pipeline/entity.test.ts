import assert from 'node:assert/strict';
import { mkdtemp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { entityName } from '../../src/pipeline/entity';

const schema = fc.constantFrom('public', 'sales', 'a.b', 'a', '_x', 'ç');
const name = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
  fc.string({
    unit: fc.constantFrom('a', 'b', '.', '_', '%', '/', '2', 'E', 'h'),
    minLength: 1,
    maxLength: 6,
  }),
  fc.string({ unit: fc.constantFrom('語', '😀'), minLength: 40, maxLength: 64 }),
);
const table = fc.record({ schema, name });
const dialect = fc.constantFrom('mysql' as const, 'postgres' as const);

describe('entity names', () => {
  for (const [dialectName, schemaName, tableName, expected] of [
    ['mysql', 'shop', 'orders', 'orders'],
    ['mysql', 'shop', 'Order Items', 'Order%20Items'],
    ['mysql', 'shop', '_hidden', '%5Fhidden'],
    ['mysql', 'shop', '.hidden', '%2Ehidden'],
    ['mysql', 'shop', '..', '%2E%2E'],
    ['mysql', 'shop', 'a/b\\c', 'a%2Fb%5Cc'],
    ['mysql', 'shop', '100%', '100%25'],
    ['mysql', 'shop', '😀', '%F0%9F%98%80'],
    ['postgres', 'public', 'orders', 'orders'],
    ['postgres', 'sales', 'orders', 'sales.orders'],
    ['postgres', 'public', 'sales.orders', 'sales%2Eorders'],
    ['postgres', '_s', 'a.b', '%5Fs.a%2Eb'],
  ] as const) {
    it(`${dialectName} ${schemaName} ${tableName} is ${expected}`, () => {
      assert.equal(entityName({ schema: schemaName, name: tableName }, dialectName), expected);
    });
  }

  it('differ for different tables', () => {
    fc.assert(
      fc.property(table, table, dialect, (a, b, kind) => {
        const sameTable = a.name === b.name && (kind === 'mysql' || a.schema === b.schema);
        assert.equal(entityName(a, kind) === entityName(b, kind), sameTable);
      }),
      { seed: 4, numRuns: 5_000 },
    );
  });

  it('are safe as a path segment and as part of an S3 key', () => {
    fc.assert(
      fc.property(table, dialect, (one, kind) => {
        const entity = entityName(one, kind);
        assert.match(entity, /^[A-Za-z0-9%-][A-Za-z0-9_%.-]*$/);
        assert.doesNotMatch(entity, /%(?!h|[0-9A-F]{2})/);
        assert.ok(entity.length <= 200);
        assert.equal(path.posix.join('raw', entity), `raw/${entity}`);
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });

  it('can be created and listed, whatever their length', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'comporta-entity-'));
    try {
      const long = ['語'.repeat(64), `${'語'.repeat(63)}文`].map((one) =>
        entityName({ schema: 'shop', name: one }, 'mysql'),
      );
      for (const entity of long) await mkdir(path.join(directory, entity));
      assert.deepEqual((await readdir(directory)).sort(), [...long].sort());
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
