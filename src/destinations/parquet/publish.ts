import { readFooter } from '../../columnar/parquet/footer';
import { ComportaError } from '../../errors';
import type { DataFile, PublishedState, PublishRequest } from '../destination';
import {
  assertFence,
  currentDocument,
  overtaken,
  publishedState,
  readCurrent,
  swapCurrent,
  type CurrentDocument,
  type CurrentState,
} from './current-state';
import { createManifest, removeManifest, writeManifest } from './manifest';
import type { TableFollower } from './follower';
import type { MergeOptions } from './merge';
import { Placement } from './placement';
import { resultingFiles } from './resulting-files';
import type { StagedPart } from './staged-part';
import type { ObjectStore } from './storage';

export interface PublishOptions extends MergeOptions {
  readonly follower?: TableFollower | undefined;
}

/**
 * Makes a staged load the table's present state. Order: files in place, manifest, the table elsewhere
 * that follows the lake if there is one, owner asked, swap of the one document that readers go by. A failure before the swap takes away what was put
 * in place; a process killed before it leaves files that no reader is told of; after it the load
 * is published, whatever happens, and a repetition only completes the rest.
 */
export async function publish(
  store: ObjectStore,
  request: PublishRequest,
  parts: readonly StagedPart[],
  options: PublishOptions,
): Promise<PublishedState> {
  const { domain, entity, run } = request.identity;
  const before = await readCurrent(store, domain, entity);
  if (before?.document.run === run) return publishedState(before.document);
  assertOwnPlace(request, before);
  assertFence(request, before);
  assertStaged(request);
  assertKeys(request, parts);

  const placement = new Placement();
  let document: CurrentDocument;
  try {
    const { written, files } = await resultingFiles(
      store,
      request,
      parts,
      before?.document,
      options,
      placement,
    );
    for (const file of written) await verifyPlaced(store, file);
    const publishedAt = new Date().toISOString();
    await writeManifest(store, request, createManifest(request, written, publishedAt));
    request.signal.throwIfAborted();
    const followed = await options.follower?.follow({
      request,
      before: before?.document,
      files,
      publishedAt,
    });
    document = { ...currentDocument(request, files, publishedAt), ...followed };
    request.signal.throwIfAborted();
    await request.assertOwner();
  } catch (error) {
    await takeBack(store, request, placement);
    throw error;
  }
  const present = await swap(store, request, document, before);
  if (present === undefined) {
    await takeBack(store, request, placement);
    throw overtaken(request.identity, 'another load published meanwhile');
  }
  await store.delete(placement.paths.filter((path) => !isNamed(present, path)));
  return publishedState(present);
}

/**
 * Swaps, and finds out what became of it: a store may carry out a write and lose the answer. While
 * that is unknown nothing may be taken back, so the error goes out as it is; files that nobody
 * names are removed by a later `retain`.
 */
async function swap(
  store: ObjectStore,
  request: PublishRequest,
  document: CurrentDocument,
  before: CurrentState | undefined,
): Promise<CurrentDocument | undefined> {
  const { domain, entity, run } = request.identity;
  if (await swapCurrent(store, request.identity, document, before)) return document;
  const now = await readCurrent(store, domain, entity);
  return now?.document.run === run ? now.document : undefined;
}

/** What cannot be removed now is left to a later `retain`: the error that led here matters more. */
async function takeBack(
  store: ObjectStore,
  request: PublishRequest,
  placement: Placement,
): Promise<void> {
  try {
    await removeManifest(store, request);
    await placement.discard();
    await store.delete(placement.paths);
  } catch {
    return;
  }
}

function isNamed(document: CurrentDocument, path: string): boolean {
  return document.files.some((file) => file.path === path);
}

/** What lies in the lake must be what was staged: its size, and the rows that its footer counts. */
async function verifyPlaced(store: ObjectStore, file: DataFile): Promise<void> {
  const reader = await store.open(file.path);
  try {
    const rows = reader.bytes === file.bytes ? (await readFooter(reader)).rows : undefined;
    if (rows === file.rows) return;
    throw new ComportaError(
      'RowCountMismatch',
      `${file.path} has ${reader.bytes} bytes and ${rows ?? 'unknown'} rows where ${file.bytes} bytes and ${file.rows} rows were written`,
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ComportaError('RowCountMismatch', `${file.path} is damaged: ${error.message}`);
  } finally {
    await reader.close();
  }
}

/** Two tables never share a folder: their fences and runs have nothing to do with each other. */
function assertOwnPlace({ identity }: PublishRequest, before: CurrentState | undefined): void {
  if (before === undefined) return;
  const { pipeline, table } = before.document;
  if (pipeline === identity.pipeline && table === identity.table) return;
  throw new ComportaError(
    'ConfigurationInvalid',
    `raw/${identity.domain}/${identity.entity} holds table ${table} of pipeline ${pipeline}`,
    {
      pipeline: identity.pipeline,
      table: identity.table,
      remedy: `give the pipeline another domain, or delete raw/_current/${identity.domain}/${identity.entity}.json to hand the place over`,
    },
  );
}

/** Even a table without rows has a file, which carries its columns. */
function assertStaged({ identity: { pipeline, table }, files }: PublishRequest): void {
  if (files.length > 0) return;
  throw new ComportaError('DestinationFailed', 'the load has no staged files', {
    pipeline,
    table,
    remedy: 'the load is tried again from the start',
  });
}

/** A key that is NULL identifies nothing, so neither a merge nor a later one could find its row. */
function assertKeys(
  { identity: { pipeline, table }, key, columns }: PublishRequest,
  parts: readonly StagedPart[],
): void {
  for (const name of key) {
    if (!columns.some((column) => column.name === name)) {
      throw new ComportaError('ConfigurationInvalid', `the key column ${name} is not loaded`, {
        pipeline,
        table,
        remedy: 'name loaded columns in key, or take it out of excludeColumns',
      });
    }
    const nulls = parts.reduce((sum, part) => sum + (part.nulls.get(name) ?? 0), 0);
    if (nulls > 0) {
      throw new ComportaError(
        'ConfigurationInvalid',
        `${nulls} rows have NULL in key column ${name}`,
        {
          pipeline,
          table,
          remedy: 'name columns in key that are never NULL, or use mode: full',
        },
      );
    }
  }
}
