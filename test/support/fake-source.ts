import type { TableToken } from '../../src/detection/detection';
import { BatchBuilder, Fixed64Vector } from '../../src/columnar/vectors';
import type {
  RowFilter,
  Source,
  SourceTable,
  TableSnapshot,
  TokenRequest,
} from '../../src/sources/source';
import type { ColumnSpec } from '../../src/types/logical';

export const ID_COLUMN: ColumnSpec = {
  name: 'id',
  type: { kind: 'int', bits: 64, signed: true },
  nullable: false,
  sourceType: 'bigint',
};

/** A source of one column whose every answer the test decides. */
export interface FakeTable {
  ids: bigint[];
  columns: ColumnSpec[];
  token: string;
  /** What `count` answers, where it is to differ from the rows. */
  count?: () => number;
  /** What the server says it sent, where it is to differ from the rows. */
  sent?: () => number;
  /** Called after each batch of two rows. */
  afterBatch?: () => Promise<void> | void;
}

export function fakeSource(tables: Map<string, FakeTable>): Source {
  const listed = (only?: readonly string[]): SourceTable[] =>
    [...tables.keys()]
      .filter((id) => only === undefined || only.includes(id))
      .map((id) => ({ id, schema: '', name: id, kind: 'table' }));
  return {
    dialect: 'mysql',
    listTables: (only) => Promise.resolve(listed(only)),
    readTokens: (requests) =>
      Promise.resolve(new Map(requests.map((request) => [request.table.id, tokenOf(request)]))),
    changeTimes: () => Promise.resolve({ stamped: 'commit', tables: new Map() }),
    openSnapshot: (table) => Promise.resolve(snapshotOf(table)),
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };

  function tokenOf({ table }: TokenRequest): TableToken {
    return {
      sourceTime: '2026-01-01T00:00:00.000000Z',
      evidence: [
        {
          strategy: 'token',
          identity: { server: 'fake' },
          values: { version: tables.get(table.id)?.token ?? null },
        },
      ],
    };
  }

  function snapshotOf(table: SourceTable): TableSnapshot {
    const fake = tables.get(table.id);
    if (fake === undefined) throw new Error(`no fake table ${table.id}`);
    const matching = ({ from }: RowFilter) =>
      fake.ids.filter((id) => from === undefined || id >= BigInt(from.value));
    let sent = 0;
    return {
      description: { table, columns: [], primaryKey: ['id'] },
      plan: () => ({ columns: fake.columns }),
      tryFilter: () => Promise.resolve(),
      count: (filter) => Promise.resolve(fake.count?.() ?? matching(filter).length),
      maximum: () =>
        Promise.resolve(
          fake.ids.length === 0
            ? undefined
            : String(fake.ids.reduce((largest, id) => (id > largest ? id : largest))),
        ),
      async *read(_settings, filter, statistics) {
        sent = 0;
        const builder = new BatchBuilder(fake.columns);
        const ids = matching(filter);
        for (let start = 0; start < ids.length; start += 2) {
          builder.clear();
          for (const id of ids.slice(start, start + 2)) {
            for (const column of builder.columns) {
              if (column instanceof Fixed64Vector) column.append(id);
              else column.appendNull();
            }
            builder.rows += 1;
          }
          statistics.rows += builder.rows;
          sent += builder.rows;
          yield builder;
          await fake.afterBatch?.();
        }
      },
      inSql: () => ({ columns: [], from: '', session: '' }),
      assertCursor: () => undefined,
      rowsSent: () => Promise.resolve(fake.sent?.() ?? sent),
      splitKey: () => Promise.resolve(undefined),
      split: (key) => Promise.resolve([{ key }]),
      share: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
    };
  }
}
