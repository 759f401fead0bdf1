import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Destination,
  PublishedState,
  RunIdentity,
  StagedDataFile,
} from '../../src/destinations/destination';
import { viewPath } from '../../src/destinations/parquet/layout';
import type { ObjectStore } from '../../src/destinations/parquet/storage';
import type { BigqueryTableSettings, LoadMode } from '../../src/pipeline/pipeline';
import { batches, canonicalRows, type TestTable } from './columns';
import { duckdbRows, sqlString } from './duckdb';
import { memories } from './memories';

/** One load of `orders` in the domain `sales`, as the engine and `loadTable` drive a destination. */
export interface TestLoad {
  readonly run: string;
  readonly attempt?: number;
  readonly table: TestTable;
  readonly mode?: LoadMode;
  readonly key?: readonly string[];
  readonly fence?: number;
  readonly ingestionDate?: string;
  readonly entity?: string;
  readonly assertOwner?: () => Promise<void>;
  readonly signal?: AbortSignal;
  readonly tableComment?: string;
  readonly bigquery?: BigqueryTableSettings;
}

export function identityOf({ run, attempt = 1, ingestionDate, entity }: TestLoad): RunIdentity {
  return {
    pipeline: 'shop',
    domain: 'sales',
    entity: entity ?? 'orders',
    table: entity ?? 'orders',
    batch: `batch-of-${run}`,
    run,
    attempt,
    ingestionDate: ingestionDate ?? '2026-01-02',
  };
}

export async function load(destination: Destination, test: TestLoad): Promise<PublishedState> {
  const identity = identityOf(test);
  const { columns, rows } = test.table;
  return memories.lend(async (memory) => {
    const writer = await destination.stage(identity, columns, memory);
    try {
      for (const batch of batches(test.table, 1000)) await writer.write(batch);
      // As if another process had written them.
      const files = viaJson(await writer.finish());
      return await destination.publish({
        identity,
        mode: test.mode ?? 'full',
        files,
        columns,
        key: test.key ?? [],
        token: { sourceTime: '2026-01-02T03:04:05.000000Z', evidence: [] },
        rowsAtSource: rows.length,
        rowsWritten: files.reduce((sum, file) => sum + file.rows, 0),
        ...(test.tableComment === undefined ? {} : { tableComment: test.tableComment }),
        ...(test.bigquery === undefined ? {} : { bigquery: test.bigquery }),
        fence: test.fence ?? 1,
        assertOwner: test.assertOwner ?? (() => Promise.resolve()),
        signal: test.signal ?? new AbortController().signal,
      });
    } catch (error) {
      await writer.abort();
      throw error;
    }
  });
}

/** What is left of plain data when it has crossed to another process. */
export function viaJson(files: readonly StagedDataFile[]): readonly StagedDataFile[] {
  return JSON.parse(JSON.stringify(files)) as StagedDataFile[];
}

/** The rows that the published view shows, sorted. The view's files must be readable locally. */
export async function viewRows(store: ObjectStore, entity = 'orders'): Promise<string[][]> {
  const view = await store.get(viewPath('sales', entity));
  if (view === undefined) throw new Error(`there is no view of ${entity}`);
  const rows = await duckdbRows(`${view.body.toString('utf8')} SELECT * FROM sales."${entity}"`);
  return canonicalRows(rows).toSorted();
}

/** The rows of the files that the present state names, sorted; for every store. */
export async function presentRows(
  store: ObjectStore,
  destination: Destination,
  entity = 'orders',
): Promise<string[][]> {
  const state = await destination.published('sales', entity);
  if (state === undefined) throw new Error(`${entity} is not published`);
  const folder = await mkdtemp(join(tmpdir(), 'comporta-present-'));
  try {
    const copies: string[] = [];
    for (const { path } of state.files) copies.push(sqlString(await store.localCopy(path, folder)));
    const names = state.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ');
    const rows = await duckdbRows(
      `SELECT ${names} FROM read_parquet([${copies.join(', ')}], union_by_name = true, hive_partitioning = false)`,
    );
    return canonicalRows(rows).toSorted();
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rows as `viewRows` and `presentRows` show them. */
export function shown({ rows }: TestTable): string[][] {
  return canonicalRows(rows).toSorted();
}

/** Every path in the lake, sorted. */
export async function paths(store: ObjectStore, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of store.list(folder)) found.push(object.path);
  return found.toSorted();
}
