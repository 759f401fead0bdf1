import type { DataFile, PublishRequest } from '../destination';
import { overtaken } from './current-state';
import { manifestPath } from './layout';
import type { ObjectStore } from './storage';

/** `manifest.json` of one run: what it wrote, from what. */
export interface Manifest {
  readonly pipeline: string;
  readonly batch: string;
  readonly run: string;
  readonly attempt: number;
  readonly fence: number;
  readonly publishedAt: string;
  readonly entities: readonly ManifestEntity[];
}

export interface ManifestEntity {
  readonly domain: string;
  readonly entity: string;
  readonly table: string;
  readonly mode: PublishRequest['mode'];
  /** The files that this run wrote; an append's table has those of earlier runs besides. */
  readonly files: readonly DataFile[];
  readonly rows: number;
  readonly bytes: number;
  readonly columns: PublishRequest['columns'];
  readonly token: PublishRequest['token'];
}

export function createManifest(
  { identity, mode, columns, token, fence }: PublishRequest,
  files: readonly DataFile[],
  publishedAt: string,
): Manifest {
  const { pipeline, batch, run, attempt, domain, entity, table } = identity;
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    pipeline,
    batch,
    run,
    attempt,
    fence,
    publishedAt,
    entities: [{ domain, entity, table, mode, files, rows, bytes, columns, token }],
  };
}

export async function readManifest(
  store: ObjectStore,
  path: string,
): Promise<Manifest | undefined> {
  return (await readVersioned(store, path))?.manifest;
}

/** Puts the manifest in place of one by an earlier owner; LeaseLost when a newer one wrote it. */
export async function writeManifest(
  store: ObjectStore,
  request: PublishRequest,
  manifest: Manifest,
): Promise<void> {
  const path = manifestPath(request.identity);
  const body = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  // Nearly always the first attempt's.
  if (await store.replace(path, body, undefined)) return;
  const present = await readVersioned(store, path);
  const isNewer = present !== undefined && present.manifest.fence > manifest.fence;
  if (isNewer || !(await store.replace(path, body, present?.version))) {
    throw overtaken(request.identity, 'another attempt of this run is publishing');
  }
}

/** Removes the manifest of a publication that failed, unless another attempt's lies there. */
export async function removeManifest(store: ObjectStore, request: PublishRequest): Promise<void> {
  const path = manifestPath(request.identity);
  const present = await readManifest(store, path);
  const isOwn = present?.fence === request.fence && present.attempt === request.identity.attempt;
  if (isOwn) await store.delete([path]);
}

async function readVersioned(
  store: ObjectStore,
  path: string,
): Promise<{ readonly manifest: Manifest; readonly version: string } | undefined> {
  const found = await store.get(path);
  if (found === undefined) return undefined;
  return { manifest: JSON.parse(found.body.toString('utf8')) as Manifest, version: found.version };
}
