import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Partly } from './issues';
import type { Mistake } from './mistakes';
import type { Connection } from './pipeline';
import type { ConnectionDrafts, PipelineDraft } from './rules';

/** A folder under the name that all of its names share; what does not exist yet is kept as it is. */
async function canonicalFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const parent = path.dirname(folder);
    return parent === folder
      ? folder
      : path.join(await canonicalFolder(parent), path.basename(folder));
  }
}

/** What two connections to one lake have in common, whatever they are called. */
async function location(connection: Partly<Connection> | undefined): Promise<string | undefined> {
  if (connection?.type === 'file' && connection.path !== undefined) {
    return `file:${await canonicalFolder(connection.path)}`;
  }
  if (
    (connection?.type === 's3' || connection?.type === 'gcs') &&
    connection.bucket !== undefined &&
    connection.prefix !== undefined
  ) {
    const endpoint = connection.endpoint;
    const host =
      endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint).origin : 'the platform';
    return `${connection.type}:${host}/${connection.bucket}/${connection.prefix}`;
  }
  return undefined;
}

/** The lake of a destination: itself, or the one that its tables in BigQuery are filled from. */
function lakeOf(name: string | undefined, connections: ConnectionDrafts) {
  const connection = connections.get(name ?? '');
  return connection?.type === 'bigquery' ? connections.get(connection.lake ?? '') : connection;
}

/** What two destinations in one dataset have in common. */
function tablesOf(
  destination: PipelineDraft['input']['destination'],
  connections: ConnectionDrafts,
): string | undefined {
  const connection = connections.get(destination?.connection ?? '');
  if (connection?.type !== 'bigquery') return undefined;
  const { project, dataset, endpoint = '' } = connection;
  return JSON.stringify([endpoint, project, dataset, destination?.tablePrefix ?? '']);
}

/** Reports every draft whose identity an earlier draft already has. */
function repeated(
  drafts: readonly { readonly draft: PipelineDraft; readonly identity: string | undefined }[],
  describe: (draft: PipelineDraft, first: PipelineDraft) => Mistake,
): readonly Mistake[] {
  const firsts = new Map<string, PipelineDraft>();
  return drafts.flatMap(({ draft, identity }) => {
    if (identity === undefined) return [];
    const first = firsts.get(identity);
    if (first !== undefined) return [describe(draft, first)];
    firsts.set(identity, draft);
    return [];
  });
}

/** Pipelines that share a name, or that would write over each other's tables. */
export async function collisions(
  drafts: readonly PipelineDraft[],
  connections: ConnectionDrafts,
): Promise<readonly Mistake[]> {
  const names = drafts.map((draft) => ({ draft, identity: draft.input.pipeline }));
  const targets = await Promise.all(
    drafts.map(async (draft) => {
      const { destination, pipeline, domain = pipeline } = draft.input;
      const lake = await location(lakeOf(destination?.connection, connections));
      const identity = lake === undefined || domain === undefined ? undefined : `${domain} ${lake}`;
      return { draft, identity };
    }),
  );
  const tables = drafts.map((draft) => ({
    draft,
    identity: tablesOf(draft.input.destination, connections),
  }));
  return [
    ...repeated(tables, ({ file }, first) =>
      file.mistake(
        ['destination', 'connection'],
        'value',
        `it would write to the same tables as ${first.file.file}: the same dataset`,
        'give one of the two a `tablePrefix:` or another dataset',
      ),
    ),
    ...repeated(names, ({ file, input }, first) =>
      file.mistake(
        ['pipeline'],
        'value',
        `the name ${input.pipeline ?? ''} is taken by ${first.file.file}`,
        'give one of the two another name',
      ),
    ),
    ...repeated(targets, ({ file, input }, first) =>
      file.mistake(
        'domain' in input ? ['domain'] : ['destination', 'connection'],
        'value',
        `it would write to the same place as ${first.file.file}: the same lake and the domain ${input.domain ?? input.pipeline ?? ''}`,
        'give one of the two another `domain:` or another destination',
      ),
    ),
  ];
}
