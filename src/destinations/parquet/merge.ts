import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ComportaError } from '../../errors';
import { typeName, type ColumnSpec } from '../../types/logical';
import type { DataFile, PublishRequest } from '../destination';
import { convertible } from './casts';
import type { CurrentDocument } from './current-state';
import { openMergeEngine, type MergeEngine } from './duckdb';
import { fileError } from './errors';
import { partName, runFolder } from './layout';
import { MeasuredFile } from './measured-file';
import {
  copyTo,
  lossyValues,
  mergedRows,
  repeatedKeys,
  restatedRows,
  retypedColumns,
  unseenRows,
  type Relation,
} from './merge-sql';
import type { Placement } from './placement';
import { takeUp, type StagedPart } from './staged-part';
import type { ObjectStore } from './storage';

export interface MergeOptions {
  readonly compression: 'zstd' | 'snappy' | 'none';
  /** About how large each file may become. */
  readonly fileBytes: number;
}

/**
 * What a load and the present state become together: `merged` replaces the present state,
 * `unseen` is added to it, `restated` is the present state under the load's columns.
 */
export type MergeKind = 'merged' | 'unseen' | 'restated';

/**
 * Merges in a local DuckDB and stages the outcome. Needs room on disk: the outcome beside the
 * present files, and for a store that is not local copies of both inputs as well. Throws
 * SchemaChanged when old values cannot stand under a column's new type.
 */
export async function merge(
  store: ObjectStore,
  request: PublishRequest,
  kinds: readonly MergeKind[],
  load: readonly DataFile[],
  present: CurrentDocument,
  options: MergeOptions,
  placement: Placement,
): Promise<ReadonlyMap<MergeKind, readonly StagedPart[]>> {
  const { identity, signal } = request;
  assertDistinctNames(request, [...present.columns, ...request.columns]);
  const workspace = await store.workspace(identity);
  const local = async (files: readonly DataFile[]) => {
    const copies: string[] = [];
    for (const file of files) {
      signal.throwIfAborted();
      copies.push(await store.localCopy(file.path, workspace));
    }
    return copies;
  };
  const inputs: Inputs = {
    load: { files: await local(load), columns: request.columns },
    present: { files: await local(present.files), columns: present.columns },
  };
  const engine = await openMergeEngine(join(workspace, 'temporary'), signal);
  try {
    await assertExact(engine, request, inputs.present);
    if (kinds.includes('merged')) await assertUnique(engine, request, inputs.load);
    for (const kind of kinds) {
      const rows = rowsOf(kind, inputs, request);
      const folder = join(workspace, kind);
      await engine.run(copyTo(rows, request.columns, { ...options, folder }));
    }
  } finally {
    engine.close();
  }
  return adoptAll(store, request, kinds, workspace, placement);
}

interface Inputs {
  readonly load: Relation;
  readonly present: Relation;
}

function rowsOf(kind: MergeKind, { load, present }: Inputs, request: PublishRequest): string {
  switch (kind) {
    case 'merged':
      return mergedRows(load, present, request.key);
    case 'unseen':
      return unseenRows(load, present, request.key);
    case 'restated':
      return restatedRows(present, request.columns);
  }
}

async function adoptAll(
  store: ObjectStore,
  { identity, signal }: PublishRequest,
  kinds: readonly MergeKind[],
  workspace: string,
  placement: Placement,
): Promise<ReadonlyMap<MergeKind, readonly StagedPart[]>> {
  const outcome = new Map<MergeKind, readonly StagedPart[]>();
  let number = 0;
  for (const kind of kinds) {
    const parts: StagedPart[] = [];
    for (const name of (await readdir(join(workspace, kind))).toSorted()) {
      signal.throwIfAborted();
      const path = `${runFolder(identity)}/${partName('merged', number++, identity)}`;
      const file = join(workspace, kind, name);
      const staged = await store.adopt(identity, path, file);
      placement.track(staged);
      const adopted = await measured(new MeasuredFile(staged), file);
      parts.push(takeUp(store, await adopted.finish()));
    }
    outcome.set(kind, parts);
  }
  return outcome;
}

async function measured(file: MeasuredFile, localFile: string): Promise<MeasuredFile> {
  try {
    for await (const chunk of createReadStream(localFile, { highWaterMark: 1024 * 1024 })) {
      file.take(chunk as Buffer);
    }
    return file;
  } catch (error) {
    throw fileError(error, `read the merged ${localFile}`);
  }
}

/** Refuses what DuckDB, whose names ignore case, would take for one column. */
function assertDistinctNames(
  { identity: { pipeline, table } }: PublishRequest,
  columns: readonly ColumnSpec[],
): void {
  const names = new Map<string, string>();
  for (const { name } of columns) {
    const known = names.get(name.toLowerCase());
    if (known !== undefined && known !== name) {
      throw new ComportaError(
        'ConfigurationInvalid',
        `the columns "${known}" and "${name}" differ in case alone, so their rows cannot be merged`,
        { pipeline, table, remedy: 'leave one out with excludeColumns, or use mode: full' },
      );
    }
    names.set(name.toLowerCase(), name);
  }
}

async function assertExact(
  engine: MergeEngine,
  { identity: { pipeline, table }, columns }: PublishRequest,
  present: Relation,
): Promise<void> {
  for (const { from, to } of retypedColumns(present.columns, columns)) {
    const change = `column ${to.name} was ${typeName(from.type)} and is ${typeName(to.type)}`;
    const details = {
      pipeline,
      table,
      remedy: `run "npm run reset -- ${pipeline} ${table}", which loads the whole table again`,
    };
    if (!convertible(from.type, to.type)) {
      throw new ComportaError(
        'SchemaChanged',
        `${change}: rows already loaded do not fit`,
        details,
      );
    }
    const lossy = await engine.count(lossyValues(present, { from, to }));
    if (lossy > 0) {
      throw new ComportaError(
        'SchemaChanged',
        `${change}: ${lossy} values already loaded would change`,
        details,
      );
    }
  }
}

async function assertUnique(
  engine: MergeEngine,
  { identity: { pipeline, table }, key }: PublishRequest,
  load: Relation,
): Promise<void> {
  const repeated = await engine.count(repeatedKeys(load, key));
  if (repeated === 0) return;
  throw new ComportaError(
    'ConfigurationInvalid',
    `${repeated} values of the key (${key.join(', ')}) occur more than once in the load`,
    { pipeline, table, remedy: 'name columns in key that identify a row' },
  );
}
