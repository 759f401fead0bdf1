import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Pipeline, TableOverride, TableSettings } from '../../src/pipeline/pipeline';
import { selectTables, settingsFor, unmatchedOverrides } from '../../src/pipeline/settings';
import { FULL_LOAD } from '../support/table-settings';

const DEFAULTS: TableSettings = {
  ...FULL_LOAD,
  excludeColumns: ['secret'],
  masks: { email: { method: 'redact', text: '***' } },
};

interface Said {
  readonly overrides?: readonly TableOverride[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly schemas?: readonly string[];
}

function pipeline({ overrides = [], include = ['*'], exclude = [], schemas = [] }: Said): Pipeline {
  return {
    name: 'p',
    file: 'p.yaml',
    domain: 'p',
    source: { connection: 'c', schemas },
    tables: { include, exclude },
    defaults: DEFAULTS,
    overrides,
    destination: {
      type: 'parquet',
      connection: 'l',
      compression: 'zstd',
      zstdLevel: 1,
      retention: { runs: 3, days: 0 },
    },
    concurrency: 4,
  };
}

const tables = (...ids: readonly string[]): readonly { readonly id: string }[] =>
  ids.map((id) => ({ id }));

describe('settings of a table', () => {
  it('are the defaults where nothing matches', () => {
    const overrides = [{ pattern: 'other', settings: { mode: 'append' as const } }];
    assert.deepEqual(settingsFor(pipeline({ overrides }), 'orders'), DEFAULTS);
  });

  it('take every matching override in order, later ones winning', () => {
    const overrides: TableOverride[] = [
      { pattern: 'orders', settings: { maximumAttempts: 7, timeoutMs: 1_000 } },
      { pattern: 'o*', settings: { maximumAttempts: 9, key: ['a'] } },
      { pattern: 'x*', settings: { maximumAttempts: 1 } },
      { pattern: '*', settings: { key: ['b'] } },
    ];
    const settings = settingsFor(pipeline({ overrides }), 'orders');
    assert.deepEqual(
      [settings.maximumAttempts, settings.timeoutMs, settings.key],
      [9, 1_000, ['b']],
    );
  });

  it("require the columns that are masked under the table's own name", () => {
    const mask = (...columns: string[]) => ({
      masks: Object.fromEntries(columns.map((name) => [name, { method: 'redact', text: 'x' }])),
    });
    const overrides = [
      { pattern: 'ord*', settings: mask('phone') },
      { pattern: 'orders', settings: mask('tax_id', 'name') },
      { pattern: 'or\\ders', settings: mask('street') },
    ] as TableOverride[];
    assert.deepEqual(settingsFor(pipeline({ overrides }), 'orders').requiredColumns, [
      'tax_id',
      'name',
      'street',
    ]);
    assert.equal(settingsFor(pipeline({ overrides }), 'ordinary').requiredColumns, undefined);
  });

  it('merge detection, guard, masks and hidden columns instead of replacing them', () => {
    const overrides: TableOverride[] = [
      {
        pattern: '*',
        settings: {
          detection: { strategy: 'token' },
          guard: {},
          excludeColumns: ['blob', 'secret'],
          textColumns: ['odd'],
          masks: { phone: { method: 'partial', keepStart: 0, keepEnd: 2 } },
        },
      },
      {
        pattern: 'orders',
        settings: {
          detection: { maxSkipAgeMs: 1 },
          masks: { email: { method: 'hmac', key: { from: 'env', name: 'K' } } },
        },
      },
    ];
    const settings = settingsFor(pipeline({ overrides }), 'orders');
    assert.deepEqual(settings.detection, {
      strategy: 'token',
      settleMarginMs: 5_000,
      maxSkipAgeMs: 1,
    });
    assert.deepEqual(settings.guard, { maxDropShare: 0.5 });
    assert.deepEqual(settings.excludeColumns, ['secret', 'blob']);
    assert.deepEqual(settings.textColumns, ['odd']);
    assert.deepEqual(settings.masks, {
      email: { method: 'hmac', key: { from: 'env', name: 'K' } },
      phone: { method: 'partial', keepStart: 0, keepEnd: 2 },
    });
  });

  it('never show a column again that any matching line hid', () => {
    const override = fc.record({
      pattern: fc.constantFrom('*', 'a', 'a*', 'b'),
      settings: fc.record(
        {
          excludeColumns: fc.array(fc.constantFrom('x', 'y', 'z')),
          masks: fc.dictionary(
            fc.constantFrom('x', 'y', 'z'),
            fc.constant({ method: 'redact' as const, text: '-' }),
          ),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(fc.array(override, { maxLength: 5 }), (overrides) => {
        const settings = settingsFor(pipeline({ overrides }), 'a');
        for (const { pattern, settings: said } of overrides.filter(
          ({ pattern }) => pattern !== 'b',
        )) {
          for (const column of said.excludeColumns ?? []) {
            assert.ok(settings.excludeColumns.includes(column), pattern);
          }
          for (const column of Object.keys(said.masks ?? {})) {
            assert.ok(Object.hasOwn(settings.masks, column), pattern);
          }
        }
      }),
      { seed: 7 },
    );
  });
});

describe('selection of tables', () => {
  it('includes by any pattern and excludes by any, in the order of the source', () => {
    const one = pipeline({ include: ['order*', 'Users'], exclude: ['*_tmp'] });
    assert.deepEqual(
      selectTables(one, tables('users', 'orders', 'order_tmp', 'Users', 'order_items')),
      tables('orders', 'Users', 'order_items'),
    );
  });

  it('means the schema public where PostgreSQL patterns name none', () => {
    const one = pipeline({
      include: ['orders', 'audit.*'],
      exclude: ['audit.tmp'],
      schemas: ['public', 'audit'],
    });
    assert.deepEqual(
      selectTables(
        one,
        tables('audit.log', 'audit.orders', 'audit.tmp', 'public.orders', 'x.orders'),
      ),
      tables('audit.log', 'audit.orders', 'public.orders'),
    );
  });

  it('takes ten thousand tables and a thousand overrides in good time', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `table_${index}`);
    const overrides = ids
      .slice(0, 1_000)
      .map((pattern) => ({ pattern, settings: { maximumAttempts: 1 } }));
    const one = pipeline({ overrides, include: ['*'], exclude: ['*_tmp', 'x?'] });
    const start = process.hrtime.bigint();
    assert.equal(selectTables(one, tables(...ids)).length, 10_000);
    assert.equal(ids.filter((id) => settingsFor(one, id).maximumAttempts === 1).length, 1_000);
    assert.ok(process.hrtime.bigint() - start < 10_000_000_000n);
  });
});

describe('unmatched patterns', () => {
  it('are include patterns without a table and overrides without a loaded table', () => {
    const one = pipeline({
      include: ['orders', 'ordesr', 'tmp'],
      exclude: ['tmp', 'never'],
      overrides: ['orders', 'order_items', 'tmp'].map((pattern) => ({ pattern, settings: {} })),
    });
    assert.deepEqual(unmatchedOverrides(one, tables('orders', 'order_items', 'tmp')), [
      { place: 'tables.include', pattern: 'ordesr' },
      { place: 'overrides', pattern: 'order_items' },
      { place: 'overrides', pattern: 'tmp' },
    ]);
  });
});
