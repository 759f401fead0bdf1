import { ComportaError } from '../../errors';
import type { PublishRequest, PublishedState, RunIdentity } from '../destination';
import { currentFolder, currentPath } from './layout';
import type { ObjectStore } from './storage';

/** `raw/_current/<domain>/<entity>.json`, the one authority on what a table is now. */
export interface CurrentDocument extends PublishedState {
  readonly pipeline: string;
  readonly table: string;
  readonly ingestionDate: string;
}

export interface CurrentState {
  readonly document: CurrentDocument;
  /** For the conditional write that replaces it. */
  readonly version: string;
}

export async function readCurrent(
  store: ObjectStore,
  domain: string,
  entity: string,
): Promise<CurrentState | undefined> {
  const path = currentPath(domain, entity);
  const found = await store.get(path);
  if (found === undefined) return undefined;
  return { document: parse(found.body, `${store.description}/${path}`), version: found.version };
}

/** The entities that have a document, by the listing of their folder. */
export async function listCurrent(
  store: ObjectStore,
  domain: string,
): Promise<ReadonlySet<string>> {
  const folder = `${currentFolder(domain)}/`;
  const entities = new Set<string>();
  for await (const { path } of store.list(currentFolder(domain))) {
    // Below the documents lie the lists of files that Athena and Trino follow.
    const name = /^([^/]+)\.json$/.exec(path.slice(folder.length))?.[1];
    if (name !== undefined) entities.add(name);
  }
  return entities;
}

function parse(body: Buffer, place: string): CurrentDocument {
  try {
    const document = JSON.parse(body.toString('utf8')) as CurrentDocument;
    if (Array.isArray(document.files) && typeof document.run === 'string') return document;
  } catch {
    // Falls through to the same message.
  }
  throw new ComportaError('DestinationFailed', `${place} is not a published state`, {
    remedy: 'it was changed by hand: restore it, or delete it and load the table in full',
  });
}

/** What the contract's callers see of the document. */
export function publishedState(document: CurrentDocument): PublishedState {
  const { run, batch, fence, publishedAt, mode, rows, files, columns, token } = document;
  const { rowsAtSource, rowsWritten, cursorHigh, bytesBilled } = document;
  return {
    run,
    batch,
    fence,
    publishedAt,
    mode,
    rows,
    files,
    columns,
    token,
    rowsAtSource,
    rowsWritten,
    ...(cursorHigh === undefined ? {} : { cursorHigh }),
    ...(bytesBilled === undefined ? {} : { bytesBilled }),
  };
}

export function currentDocument(
  request: PublishRequest,
  files: PublishedState['files'],
  publishedAt: string,
): CurrentDocument {
  const { identity } = request;
  return {
    pipeline: identity.pipeline,
    table: identity.table,
    ingestionDate: identity.ingestionDate,
    run: identity.run,
    batch: identity.batch,
    fence: request.fence,
    publishedAt,
    mode: request.mode,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    files,
    columns: request.columns,
    token: request.token,
    rowsAtSource: request.rowsAtSource,
    rowsWritten: request.rowsWritten,
    ...(request.cursorHigh === undefined ? {} : { cursorHigh: request.cursorHigh }),
  };
}

/** Refuses a publication that a newer owner of the table has already overtaken. */
export function assertFence(request: PublishRequest, current: CurrentState | undefined): void {
  if (current === undefined || current.document.fence <= request.fence) return;
  throw overtaken(request.identity, `run ${current.document.run} was published by a newer owner`);
}

export function overtaken({ pipeline, table }: RunIdentity, reason: string): ComportaError {
  return new ComportaError('LeaseLost', `${reason}; this load publishes nothing`, {
    pipeline,
    table,
  });
}

/**
 * Makes a document the table's present state in one step. False when it was refused: the state is
 * no longer the one that the load began from. When it throws, the outcome is not known.
 */
export async function swapCurrent(
  store: ObjectStore,
  { domain, entity }: RunIdentity,
  document: CurrentDocument,
  before: CurrentState | undefined,
): Promise<boolean> {
  const body = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
  return store.replace(currentPath(domain, entity), body, before?.version);
}
