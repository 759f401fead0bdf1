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
  let current = await readCurrent(store, domain, entity);
  while (current !== undefined) {
    const { document, version } = current;
    const written = derived(store, domain, entity, document);
    await Promise.all(written.map(({ path, body }) => store.put(path, body)));
    current = await readCurrent(store, domain, entity);
    if (current?.version === version) return;
  }
}

/** Derives the readers of a present state where they do not repeat it. */
export async function completeReaders(
  store: ObjectStore,
  domain: string,
  entity: string,
  document: CurrentDocument,
): Promise<void> {
  const wanted = derived(store, domain, entity, document);
  const present = await Promise.all(wanted.map(({ path }) => store.get(path)));
  const isComplete = wanted.every(({ body }, index) => present[index]?.body.equals(body) === true);
  if (!isComplete) await deriveReaders(store, domain, entity);
}

interface DerivedFile {
  readonly path: string;
  readonly body: Buffer;
}

function derived(
  store: ObjectStore,
  domain: string,
  entity: string,
  document: CurrentDocument,
): readonly DerivedFile[] {
  return [
    { path: viewPath(domain, entity), body: Buffer.from(view(store, domain, entity, document)) },
    { path: symlinkPath(domain, entity), body: Buffer.from(symlinks(store, document)) },
  ];
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
