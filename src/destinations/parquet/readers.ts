import type { CurrentDocument } from './current-state';
import { readCurrent } from './current-state';
import { symlinkPath, viewPath } from './layout';
import { sqlIdentifier, sqlString } from './duckdb-sql';
import type { ObjectStore } from './storage';

/**
 * Writes what readers without JSON go by: a DuckDB view, and a symlink list for Athena and Trino.
 * Both only repeat the present state. Written again until they repeat the newest one, so that a publication that
 * was slow here does not leave an older state behind.
 */
export async function deriveReaders(
  store: ObjectStore,
  domain: string,
  entity: string,
): Promise<void> {
  for (;;) {
    const current = await readCurrent(store, domain, entity);
    if (current === undefined) return;
    const { document, version } = current;
    await keep(store, viewPath(domain, entity), view(store, domain, entity, document));
    await keep(store, symlinkPath(domain, entity), symlinks(store, document));
    if ((await readCurrent(store, domain, entity))?.version === version) return;
  }
}

async function keep(store: ObjectStore, path: string, text: string): Promise<void> {
  const body = Buffer.from(text);
  const present = await store.get(path);
  if (present?.body.equals(body) !== true) await store.put(path, body);
}

function symlinks(store: ObjectStore, { files }: CurrentDocument): string {
  return files.map((file) => `${store.uri(file.path)}\n`).join('');
}

function view(
  store: ObjectStore,
  domain: string,
  entity: string,
  { run, publishedAt, rows, files, columns }: CurrentDocument,
): string {
  const names = columns.map((column) => column.name);
  // DuckDB's names ignore case: with two that differ in nothing else, its own renaming must serve.
  const distinct = new Set(names.map((name) => name.toLowerCase())).size === names.length;
  const selected = distinct ? names.map(sqlIdentifier).join(', ') : '*';
  const paths = files.map((file) => `    ${sqlString(store.address(file.path))}`).join(',\n');
  return `-- Run ${run}, published ${publishedAt}, ${rows} rows.
CREATE SCHEMA IF NOT EXISTS ${sqlIdentifier(domain)};
CREATE OR REPLACE VIEW ${sqlIdentifier(domain)}.${sqlIdentifier(entity)} AS
  SELECT ${selected}
  FROM read_parquet([
${paths}
  ], union_by_name = ${distinct}, hive_partitioning = false);
`;
}
