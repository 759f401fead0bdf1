import { createRequire } from 'node:module';
import { ComportaError } from '../../errors';
import type { DataFile, PublishRequest } from '../destination';
import { sameType } from './casts';
import type { CurrentDocument } from './current-state';
import type * as Merge from './merge';
import type { MergeKind, MergeOptions } from './merge';
import type { Placement } from './placement';
import type { StagedPart } from './staged-part';
import type { ObjectStore } from './storage';

/** Merging needs DuckDB, which is loaded for the first load that merges: most never do. */
function loadMerge(): typeof Merge.merge {
  return (createRequire(__filename)('./merge') as typeof Merge).merge;
}

export interface ResultingFiles {
  /** Files of this run. */
  readonly written: readonly DataFile[];
  /** Files of the new present state. */
  readonly files: readonly DataFile[];
}

/**
 * Puts the files of the new present state in place, by the load's mode. The load's own files are
 * put in place even when a merge replaces them: only then can every store read them; the caller
 * deletes those that the new state does not name.
 */
export async function resultingFiles(
  store: ObjectStore,
  request: PublishRequest,
  parts: readonly StagedPart[],
  present: CurrentDocument | undefined,
  options: MergeOptions,
  placement: Placement,
): Promise<ResultingFiles> {
  const load = await placed(parts, placement);
  const kinds = mergesFor(request, present);
  if (present === undefined || request.mode === 'full') return { written: load, files: load };

  const outcome =
    kinds.length === 0
      ? new Map<MergeKind, readonly StagedPart[]>()
      : await loadMerge()(store, request, kinds, load, present, options, placement);
  if (request.mode === 'incremental') {
    const merged = outcome.get('merged') ?? [];
    // Of an empty outcome one file stays: it carries the columns.
    const files = await placed(merged.some(hasRows) ? merged.filter(hasRows) : merged, placement);
    return { written: files, files };
  }
  const restated = outcome.get('restated');
  const kept = restated === undefined ? present.files : await placed(restated, placement);
  const unseen = await placed((outcome.get('unseen') ?? parts).filter(hasRows), placement);
  const rewritten = restated === undefined ? [] : kept;
  return { written: [...rewritten, ...unseen], files: [...kept, ...unseen] };
}

function mergesFor(
  { identity: { pipeline, table }, mode, key, columns }: PublishRequest,
  present: CurrentDocument | undefined,
): readonly MergeKind[] {
  if (mode === 'full') return [];
  if (mode === 'incremental') {
    if (key.length === 0) {
      throw new ComportaError(
        'ConfigurationInvalid',
        'an incremental load needs a key to merge by',
        {
          pipeline,
          table,
          remedy: 'set key in the table’s override, or use mode: full',
        },
      );
    }
    return ['merged'];
  }
  if (present === undefined) return [];
  // A column that is only new is NULL in older files. One that is gone or has another type would
  // come back from them, so they are written again under the new columns.
  const outgrown = present.columns.some((old) => {
    const now = columns.find((column) => column.name === old.name);
    return now === undefined || !sameType(old.type, now.type);
  });
  return [
    ...(outgrown ? ['restated' as const] : []),
    ...(key.length > 0 ? ['unseen' as const] : []),
  ];
}

async function placed(
  parts: readonly StagedPart[],
  placement: Placement,
): Promise<readonly DataFile[]> {
  for (const { closed } of parts) await placement.commit(closed);
  return parts.map((part) => part.file);
}

function hasRows({ file }: StagedPart): boolean {
  return file.rows > 0;
}
